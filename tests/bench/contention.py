"""Sixteen processes that book at one site at once: `python -m tests.bench.contention '{"seconds": 5, ...}'`."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

PROCESSES = 16
ROOM = 60  # seconds beyond those asked for, to start and to end


def results(ground, phase: str) -> Iterator:
    """Throughput, refusals, and whether any two visits share a lane afterwards."""
    from infusion_center.core import clock
    from infusions.scheduling.invariants import claim_violations, shared_lanes
    from infusions.scheduling.models import Appointment
    from tests.bench.measuring import Result

    seconds = ground.size.contention_seconds
    told = run(ground, seconds)
    booked, refused = sum(one["booked"] for one in told), sum((Counter(one["refused"]) for one in told), Counter())
    yield Result(phase, f"{PROCESSES} processes contending: bookings a second", count=round(booked / seconds, 1))
    told_why = ", ".join(f"{code} {number}" for code, number in refused.most_common(4))
    yield Result(phase, "  refused with the reason", count=sum(refused.values()), note=told_why)
    errors = [error for one in told for error in one["errors"]]
    yield Result(phase, "  errors", count=len(errors), goal=0, note="; ".join(errors[:2]))
    ahead = Appointment.objects.holding().filter(end__gte=clock.now())
    yield Result(phase, "  lanes shared by two visits", count=len(shared_lanes(ahead)), goal=0)
    yield Result(phase, "  claims that differ from the visits", count=len(claim_violations()), goal=0)


def run(ground, seconds: float) -> list[dict]:
    site = ground.search.site
    job = {
        "seconds": seconds,
        "site": site.pk,
        "by": ground.staff["scheduler"].pk,
        "orders": [order.pk for order in ground.orders_to_book()][-PROCESSES * 12 :],
    }
    command = [sys.executable, "-m", "tests.bench.contention", json.dumps(job)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds + ROOM, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> None:
    import django

    job = json.loads(sys.argv[1])
    django.setup()
    import infusions.scheduling.booking  # noqa: F401  loaded once, before the fork

    go_at = time.time() + 1
    children = [fork(job, number, go_at) for number in range(PROCESSES)]
    for child in children:
        os.waitpid(child, 0)


def fork(job: dict, number: int, go_at: float) -> int:
    child = os.fork()
    if child:
        return child
    told: dict = {"booked": 0, "refused": Counter(), "errors": []}
    try:
        random.seed(number)
        book_and_cancel(job, number, go_at, told)
    except BaseException as error:
        told["errors"].append(repr(error)[:300])
    os.write(1, (json.dumps(told) + "\n").encode())
    os._exit(0)


def book_and_cancel(job: dict, number: int, go_at: float, told: dict) -> None:
    """Book random starts of five days; give back most of what was booked, so that there is room to fight for."""
    from infusion_center.accounts.models import User
    from infusion_center.core import clock
    from infusion_center.core.rules import RuleViolation
    from infusions.facility.models import Site
    from infusions.orders.models import InfusionOrder
    from infusions.scheduling.booking import book_appointment, cancel_appointment

    site, by = Site.objects.get(pk=job["site"]), User.objects.get(pk=job["by"])
    orders = [InfusionOrder.objects.get(pk=pk) for pk in job["orders"][number::PROCESSES] or job["orders"]]
    first = clock.local_date(clock.now(), site.time_zone) + dt.timedelta(days=30)
    time.sleep(max(0.0, go_at - time.time()))
    until = time.monotonic() + job["seconds"]
    while time.monotonic() < until:
        day = first + dt.timedelta(days=random.randrange(5))
        wall = dt.time(random.randrange(7, 15), random.choice((0, 15, 30, 45)))
        try:
            visit = book_appointment(
                order=random.choice(orders), start=clock.from_local(day, wall, site.time_zone), setting="facility",
                site=site, by=by, override_reason="Bench",
            )  # fmt: skip
        except RuleViolation as refused:
            told["refused"].update(refused.codes)
            continue
        told["booked"] += 1
        if random.random() < 0.8:
            cancel_appointment(appointment=visit, reason="Bench", by=by)


if __name__ == "__main__":
    main()
