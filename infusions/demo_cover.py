"""What the desk has to solve in the demo center: a nurse who cannot come on a day of the next weeks."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING

from infusion_center.core import clock
from infusions.facility import chair_services
from infusions.facility.models import Nurse, Setting
from infusions.facility.queries import working_hours
from infusions.facility.roster_services import call_out
from infusions.scheduling import attendance
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.models import Appointment

if TYPE_CHECKING:
    from infusions.demo import Demo

WANTED = (3, 2, 4, 1)  # so many visits left uncovered are worth a look, best first


def leave_a_nurse_ill(demo: Demo, now: dt.datetime) -> None:
    """Somebody calls in ill for a day of the next weeks; her visits are uncovered until re-seated."""
    found = _busiest(demo, now)
    if found is None:
        return
    (nurse, day), visits = found
    hours = working_hours(nurse, *clock.day_bounds(day, demo.site.time_zone))
    if hours is None:
        return
    call_out(nurse=nurse, starts_at=hours[0], ends_at=hours[1], reason="Ill", by=demo.staff["scheduler"], now=now)
    number = "1 visit" if len(visits) == 1 else f"{len(visits)} visits"
    demo.say(f"{nurse} cannot come on {day:%a} {day.day} {day:%b}: {number} to re-seat, under To do, Uncovered.")


def _busiest(demo: Demo, now: dt.datetime) -> tuple[tuple[Nurse, dt.date], list[Appointment]] | None:
    """A nurse, a day of the next weeks and the visits in chairs that she has then. Whoever signs in to the demo only if
    nobody else has any: most visits of a quiet week are hers."""
    monday = demo.today + dt.timedelta(days=7 - demo.today.weekday())
    first, _ = clock.day_bounds(monday, demo.site.time_zone)
    _, last = clock.day_bounds(monday + dt.timedelta(weeks=2), demo.site.time_zone)
    visits = Appointment.objects.upcoming(now).filter(
        site=demo.site, setting=Setting.FACILITY, start__gte=first, start__lt=last
    )
    held: dict[tuple[Nurse, dt.date], list[Appointment]] = defaultdict(list)
    for visit in visits.select_related("nurse__user").order_by("start", "pk"):
        held[visit.nurse, clock.local_date(visit.start, demo.site.time_zone)].append(visit)
    # Stable: within the others, and within those who sign in, the order of the days stays.
    ranked = sorted(held.items(), key=lambda one: (one[0][0].user in demo.staff.values(), _rank(len(one[1]))))
    return next((one for one in ranked if len(one[1]) in WANTED), None)


def _rank(number: int) -> int:
    return WANTED.index(number) if number in WANTED else len(WANTED)


def leave_open_ends(demo: Demo, now: dt.datetime) -> None:
    """What a day brings: some confirmed, one who asks for another time, one who cancelled, a chair out of service."""
    ahead = list(Appointment.objects.upcoming(now).order_by("start", "id")[:60])
    for number, appointment in enumerate(ahead):
        if number % 9 == 4:
            attendance.request_move(appointment=appointment, message="Could it be in the afternoon?", now=now)
        elif number == 20:
            by = demo.staff["scheduler"]
            cancel_appointment(appointment=appointment, reason="Patient has a cold", by=by, now=now)
        elif number % 2 == 0:
            attendance.confirm(appointment=appointment, by=None, now=now)
    chair = demo.site.chairs.get(name="Room A")
    day = demo.today + dt.timedelta(days=2)
    chair_services.take_chair_out(
        chair=chair,
        starts_at=demo.at(day, "07:00"),
        ends_at=demo.at(day, "20:00"),
        reason="Painting",
        by=demo.staff["manager"],
        override_reason="Visits there are moved by hand.",
    )
