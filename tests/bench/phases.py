"""The order of the bench: without history, with it, and among a crowd of patients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec

from django.test import Client

from infusion_center.accounts.models import User
from infusions.facility.models import Site
from infusions.scheduling.models import Appointment
from tests.bench import contention, mails, recalls, trail
from tests.bench.ground import QUICK, Size, add_history, add_patients, lay_ground, open_small
from tests.bench.measuring import Result, measure
from tests.bench.server import serving
from tests.bench.visits import Desk
from tests.factories.accounts import force_login

Say = Callable[[str], None]


def run(size: Size, say: Say) -> Iterator[Result]:
    """Results as they come."""
    ground = lay_ground(size, say)
    with serving() as port:
        desk = Desk(ground, port)
        before = list(pages("no history", desk, size))
        yield from before
        say("Search and board measured")
        yield from booking(desk, size)
        say("Booking measured")
        add_history(ground, say)
        phase = f"{size.years:g} years of history"
        after = list(pages(phase, desk, size))
        yield from [*after, *compared(phase, before, after)]
        say("Search and board measured again")
        add_patients(ground, say)
        phase = f"{size.patients:,} patients more"
        yield from measure(phase, [*desk.floors(), *desk.patients()], size.rounds)
        say("Patient search measured")
    yield from ranking(size)
    yield from mails.results(mails.QUICK if size is QUICK else mails.FULL, say)
    yield from recall(size, ground.staff["pharmacist"], ground.board.site, say)
    yield from trail.results(trail.QUICK if size is QUICK else trail.FULL, ground.staff, say)


def recall_alone(size: Size, say: Say) -> Iterator[Result]:
    """Without the rest, on a small site."""
    staff, site = open_small()
    yield from recall(size, staff["pharmacist"], site, say)


def reminders_alone(size: Size, say: Say) -> Iterator[Result]:
    """On a small site whose visits are copied."""
    open_small()
    yield from mails.results(mails.QUICK if size is QUICK else mails.FULL, say)


def audit_alone(size: Size, say: Say) -> Iterator[Result]:
    """On a small site; the trail itself is as long as that of years."""
    staff, _ = open_small()
    yield from trail.results(trail.QUICK if size is QUICK else trail.FULL, staff, say)


def recall(size: Size, user: User, site: Site, say: Say) -> Iterator[Result]:
    client = Client()
    force_login(client, user)
    visit = Appointment.objects.filter(site=site, dose_record=None).order_by("start").first()
    yield from recalls.results(recalls.QUICK if size is QUICK else recalls.FULL, visit, client, say)


def pages(phase: str, desk: Desk, size: Size) -> Iterator[Result]:
    yield from measure(phase, [*desk.floors(), *desk.search(), *desk.board(), *desk.series()], size.rounds)
    yield from desk.statements(phase)


def booking(desk: Desk, size: Size) -> Iterator[Result]:
    phase = "booking"
    yield from measure(phase, [*desk.floors(), *desk.booking()], size.bookings)
    yield from contention.results(desk.ground, phase)


def ranking(size: Size) -> Iterator[Result]:
    """What ranking the starts is worth, over weeks that are only played."""
    if find_spec("infusions.scheduling.simulation") is None:
        return
    from infusions.scheduling.simulation import ratios, simulate

    for name, earliest, ranked, ratio in ratios(simulate(weeks=size.weeks, seed=1)):
        phase = "ranked booking beside first-come-earliest (ratios)"
        yield Result(phase, name, count=ratio, note=f"{earliest:.1f} earliest, {ranked:.1f} ranked")


def compared(phase: str, before: list[Result], after: list[Result]) -> Iterator[Result]:
    """How much dearer each page became, its ratio to the floor beside the ratio that it had."""
    earlier = {one.name: one.ratio for one in before}
    for one in after:
        if one.ratio is not None and one.goal is not None:
            share = one.ratio / earlier[one.name]
            yield Result(phase, f"with history to without: {one.name}", count=share, goal=1.25)
