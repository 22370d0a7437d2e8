"""Compares re-seating with another exact solver on generated days: `python -m tests.bench.reseating_proof 5000`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infusion_center.settings_test")
django.setup()

from tests.infusions.scheduling.test_reseating_proof import judge  # noqa: E402


def main(days: int, first: int) -> None:
    totals = [0, 0, 0]
    for number in range(days):
        totals = [total + more for total, more in zip(totals, judge(first + number), strict=True)]
        if (number + 1) % 100 == 0 or number + 1 == days:
            fit, after, cannot = totals
            line = f"{number + 1} days: {fit} starts fit, {after} after re-seating, {cannot} cannot; no disagreement\n"
            sys.stdout.write(line)
            sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
