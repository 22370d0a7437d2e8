"""Jobs of race_worker: whole series booked at the same moment, and one that is killed in its middle."""

import datetime as dt
import os
import time
from collections import namedtuple
from pathlib import Path

Line = namedtuple("Line", "number starts")


def book(job: dict, number: int, result: dict) -> None:
    """Every process books all starts as one series, for the order and with the token that are its turn."""
    from infusion_center.accounts.models import User
    from infusion_center.core.rules import RuleViolation
    from infusions.facility.models import Site
    from infusions.orders.models import InfusionOrder
    from infusions.scheduling.series_services import book_series

    order = InfusionOrder.objects.get(pk=job["orders"][number % len(job["orders"])])
    starts = [dt.datetime.fromisoformat(start) for start in job["starts"]]
    lines = [Line(position, (start,)) for position, start in enumerate(starts, start=1)]
    tokens = job.get("tokens") or [None]
    try:
        series = book_series(
            order=order,
            lines=lines,
            by=User.objects.get(pk=job["by"]),
            site=Site.objects.get(pk=job["site"]),
            setting="facility",
            now=dt.datetime.fromisoformat(job["now"]),
            token=tokens[number % len(tokens)],
        )
    except RuleViolation as refused:
        result["refused"].update(refused.codes)
    else:
        result["booked"].append(series.pk)


def hang_in_the_middle(job: dict, number: int, result: dict) -> None:
    """Stop when two visits are written whole and the third has no claims yet, and wait to be killed."""
    from infusions.scheduling import booking

    claim, claimed = booking.claim, []

    def hang(appointment):
        if len(claimed) == 2:
            Path(job["flag"]).write_text(str(os.getpid()))
            time.sleep(600)
        claimed.append(appointment)
        claim(appointment)

    booking.claim = hang
    book(job, number, result)
