"""Real processes against one database: `python -m tests.infusions.scheduling.race_worker '{"processes": 16, ...}'`.

Django is set up once; the children are forked before any of them opens a connection, wait for each other, run the job,
and write what came of it as one line of JSON: booked visits, refusals by code, errors that should not have been.
"""

import datetime as dt
import json
import os
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

import django

from tests.infusions.scheduling import race_desk, race_offers, race_rooms, race_series

LINE_UP_SECONDS = 0.5


def main() -> None:
    job = json.loads(sys.argv[1])
    django.setup()
    import infusions.scheduling.booking  # noqa: F401  loaded once, before the fork

    go_at = time.time() + LINE_UP_SECONDS
    children = [_fork(job, number, go_at) for number in range(job["processes"])]
    for child in children:
        os.waitpid(child, 0)


def _fork(job: dict, number: int, go_at: float) -> int:
    child = os.fork()
    if child:
        return child
    result: dict = {"booked": [], "refused": Counter(), "errors": []}
    try:
        from django.db import connection

        connection.ensure_connection()
        random.seed(f"{job.get('seed', 0)}-{number}")
        time.sleep(max(0.0, go_at - time.time()))
        JOBS[job["kind"]](job, number, result)
        connection.close()
    except BaseException as error:
        result["errors"].append("".join(traceback.format_exception(error))[-900:])
    os.write(1, (json.dumps(result) + "\n").encode())  # shorter than a pipe's buffer: lines do not mix
    os._exit(0)


def _attempt(result: dict, call, **arguments):
    from infusion_center.core.rules import RuleViolation

    try:
        appointment = call(**arguments)
    except RuleViolation as refused:
        result["refused"].update(refused.codes)
        return None
    result["booked"].append(appointment.pk)
    return appointment


def _cast(job: dict) -> dict:
    from infusion_center.accounts.models import User
    from infusions.facility.models import Chair, Site
    from infusions.orders.models import InfusionOrder

    orders = InfusionOrder.objects.in_bulk(job["orders"])
    return {
        "site": Site.objects.get(pk=job["site"]),
        "by": User.objects.get(pk=job["by"]),
        "now": dt.datetime.fromisoformat(job["now"]),
        "chair": Chair.objects.get(pk=job["chair"]) if job.get("chair") else None,
        "orders": [orders[pk] for pk in job["orders"]],
        "starts": [dt.datetime.fromisoformat(start) for start in job["starts"]],
    }


def book_once(job: dict, number: int, result: dict) -> None:
    """Every process books the start and order that are its turn."""
    from infusions.scheduling.booking import book_appointment

    cast = _cast(job)
    _attempt(
        result,
        book_appointment,
        order=cast["orders"][number % len(cast["orders"])],
        start=cast["starts"][number % len(cast["starts"])],
        setting="facility",
        site=cast["site"],
        chair=cast["chair"],
        by=cast["by"],
        now=cast["now"],
        token=job.get("token"),
    )


def book_naively(job: dict, number: int, result: dict) -> None:
    """What a program without claims does: look whether the chair is free, then insert."""
    from infusions.scheduling.models import Appointment
    from tests.factories.scheduling import bare_appointment

    cast = _cast(job)
    order = cast["orders"][number % len(cast["orders"])]
    for start in cast["starts"]:
        end = start + dt.timedelta(hours=2)
        if Appointment.objects.filter(chair=cast["chair"]).overlapping(start, end).exists():
            continue
        visit = bare_appointment(order=order, chair=cast["chair"], nurse_id=job["nurse"], start=start, end=end)
        visit.booked_by = cast["by"]
        visit.save()
        result["booked"].append(visit.pk)


def book_randomly(job: dict, number: int, result: dict) -> None:
    """Book, move, cancel and finish at random until the time is over."""
    from infusions.scheduling.booking import book_appointment, cancel_appointment, move_appointment
    from infusions.scheduling.models import Appointment

    cast = _cast(job)
    common = {"by": cast["by"], "now": cast["now"]}
    until = time.monotonic() + job["seconds"]
    while time.monotonic() < until:
        start = random.choice(cast["starts"])
        dice = random.random()
        visit = None
        if dice > 0.6:
            booked = Appointment.objects.filter(state="expected").order_by("pk").values_list("pk", flat=True)
            if pks := list(booked):
                visit = Appointment.objects.select_related("order").get(pk=random.choice(pks))
        if visit is None:
            order = random.choice(cast["orders"])
            wishes = {"order": order, "start": start, "setting": "facility", "site": cast["site"]}
            _attempt(result, book_appointment, **wishes, **common)
        elif dice > 0.75:
            _attempt(result, cancel_appointment, appointment=visit, reason="Race", **common)
        else:
            _attempt(result, move_appointment, appointment=visit, start=start, **common)


def hang_while_booking(job: dict, number: int, result: dict) -> None:
    """Stop between the visit and the second half of its claims, and wait to be killed."""
    from infusions.scheduling import booking
    from infusions.scheduling.lanes import claims_for
    from infusions.scheduling.models import Claim

    def hang(appointment):
        claims = claims_for(appointment)
        half = [Claim(lane=n, quarter=q, appointment=appointment) for n, q in claims[: len(claims) // 2]]
        Claim.objects.bulk_create(half)
        Path(job["flag"]).write_text(str(os.getpid()))
        time.sleep(600)

    booking.claim = hang
    book_once(job, number, result)


JOBS = {
    "once": book_once,
    "naive": book_naively,
    "random": book_randomly,
    "hang": hang_while_booking,
    "desk": race_desk.act_at_random,
    "hang_at_desk": race_desk.hang_while_acting,
    "make_room": race_rooms.make_room,
    "accept": race_offers.accept,
    "hang_while_accepting": race_offers.hang_while_accepting,
    "series": race_series.book,
    "hang_in_series": race_series.hang_in_the_middle,
}

if __name__ == "__main__":
    main()
