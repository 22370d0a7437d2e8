"""What re-seating costs on a busy day: `python -m tests.bench.reseating`. No database; milliseconds of one core."""

import json
import os
import random
import statistics
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infusion_center.settings_test")
django.setup()

from infusions.scheduling.reseating import reseat  # noqa: E402
from tests.infusions.scheduling.reseating_days import PlainDay, PlainVisit, lanes_of_plain, rows_of, wanted_at  # noqa: E402

SIZES = {"40 chairs, 15 nurses, 110 visits": (40, 15, 110), "80 chairs, 30 nurses, 150 visits": (80, 30, 150)}


def busy_day(chairs: int, nurses: int, visits: int, seed: int) -> PlainDay:
    """Visits of 2 to 5 hours, booked at random where a chair and a nurse are free, as people book them."""
    rng = random.Random(seed)
    day = PlainDay(now=-2, chairs={n: "bed" if n % 8 == 0 else "recliner" for n in range(1, chairs + 1)})
    for nurse in range(1, nurses + 1):
        first, stop = rng.choice([(0, 40), (0, 40), (0, 34), (6, 40)])
        day.shifts.append((nurse, first, stop, 4, False))
    taken: set = set()
    for _ in range(400_000):
        nurse, first, stop, ratio, _ = rng.choice(day.shifts)
        length = rng.choice([8, 10, 12, 14, 16, 20])
        start = rng.randint(first, stop - length)
        visit = PlainVisit(len(day.visits) + 1, start, length, rng.randint(1, chairs), nurse, rng.randrange(ratio))
        lanes = lanes_of_plain(visit)
        if not lanes & taken:
            taken |= lanes
            day.visits.append(visit)
            if len(day.visits) == visits:
                break
    return day


def measure(chairs: int, nurses: int, visits: int, days: int = 3) -> dict:
    times: dict[str, list[float]] = {"fits as it is": [], "after re-seating": [], "cannot": []}
    booked = []
    for seed in range(days):
        day = busy_day(chairs, nurses, visits, seed)
        booked.append(len(day.visits))
        rows = rows_of(day)
        for start in range(0, 21, 2):
            began = time.process_time()
            found = reseat(rows, wanted_at(start, 20))
            spent = 1000 * (time.process_time() - began)
            kind = "cannot" if found is None else "after re-seating" if found.visible else "fits as it is"
            times[kind].append(spent)
    return {
        "visits": booked,
        **{
            kind: {
                "starts": len(spent),
                "median ms": round(statistics.median(spent), 1),
                "slowest ms": round(max(spent), 1),
            }
            for kind, spent in times.items()
            if spent
        },
    }


if __name__ == "__main__":
    for name, size in SIZES.items():
        sys.stdout.write(json.dumps({"day": name, **measure(*size)}) + "\n")
