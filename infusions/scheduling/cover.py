"""Which booked visits have lost what they were booked on: their nurse's shift, the nurse, the chair, the open site.

Nothing of it is stored. It follows from the visits, shifts, outages, hours and closures as they are at this moment, so
that it is true again as soon as somebody puts the cause right. Four queries for the ids, six at most for the reasons,
whatever the window and however many visits lie in it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from django.db.models import QuerySet

from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker
from infusions.facility import queries as facility
from infusions.facility.models import ChairOutage, Closure, Setting, Shift, Site
from infusions.facility.queries import Span
from infusions.scheduling.availability import LONGEST_VISIT
from infusions.scheduling.models import Appointment
from infusions.scheduling.refusals import name_day
from infusions.scheduling.states import UPCOMING, State

# Visits that still need what they were booked for; whoever sits in the chair already is handed over by word of mouth.
WAITING = UPCOMING | {State.ARRIVED}
NOT_OPEN = "not-open"
LONGEST_AHEAD = dt.timedelta(days=800)
FIELDS = (
    *("pk", "setting", "start", "end", "chair_id", "nurse_id", "ratio_place", "travel_minutes"),
    *("chair__is_active", "nurse__is_active", "nurse__user__is_active", "nurse__visits_homes"),
)


@dataclass(frozen=True)
class Uncovered:
    """A visit and every reason why it cannot take place as it is booked."""

    appointment: Appointment
    problems: list[Problem]


class Hours:
    """The shifts of one nurse in one setting, earliest first; they never overlap."""

    def __init__(self, shifts: Iterable):
        self.shifts = list(shifts)
        self.starts = [shift.starts_at for shift in self.shifts]

    def cover(self, start: dt.datetime, end: dt.datetime, *, place: int = 0) -> bool:
        """Whether they reach from start to end without a gap, with that place: two that adjoin are as good as one."""
        reached = start
        for shift in islice(self.shifts, max(bisect_right(self.starts, start) - 1, 0), None):
            if shift.starts_at > reached:
                return False
            if shift.ratio > place and shift.ends_at > reached:
                reached = shift.ends_at
            if reached >= end:
                return True
        return False

    def touching(self, start: dt.datetime, end: dt.datetime) -> list:
        return [shift for shift in self.shifts if shift.starts_at < end and shift.ends_at > start]


NO_HOURS = Hours(())


@dataclass(frozen=True)
class Ground:
    """What the visits of a window stand on."""

    site: Site
    hours: dict[tuple[int, str], Hours]  # by the nurse's row number and the setting
    outages: dict[int, list[ChairOutage]]  # by the chair's row number
    open_spans: dict[dt.date, Span]


@dataclass(frozen=True)
class Cause:
    code: str
    row: object = None  # the outage, the shifts or the open hours that it lies in


def uncovered_visits(
    site: Site, start: dt.datetime, end: dt.datetime | None = None, *, now: dt.datetime | None = None
) -> list[Uncovered]:
    """Visits not yet over that start in [start, end) at the site, by time, with why each is uncovered."""
    found = _find(site, start, end, now or clock.now())
    if not found:
        return []
    visits = Appointment.objects.filter(pk__in=found).with_people().order_by("start", "pk")
    closed = _closures(site, found, visits)
    return [Uncovered(visit, [_in_words(cause, visit, site, closed) for cause in found[visit.pk]]) for visit in visits]


def uncovered_ids(
    site: Site, start: dt.datetime, end: dt.datetime | None = None, *, now: dt.datetime | None = None
) -> set[int]:
    """Row numbers of the same visits, without reading the visits themselves: for the board and for counts."""
    return set(_find(site, start, end, now or clock.now()))


def left_alone(site: Site, now: dt.datetime) -> list[Appointment]:
    """Visits in progress whose nurse is not on shift until their end: somebody must take them over by word of mouth."""
    begun = Appointment.objects.filter(site=site, state=State.IN_PROGRESS, start__gte=now - LONGEST_VISIT)
    visits = list(begun.with_people().order_by("start", "pk"))
    if not visits:
        return []
    last = max(visit.end for visit in visits)
    works = Shift.objects.filter(site=site, starts_at__lte=max(last, now), ends_at__gt=now, nurse__is_active=True)
    hours = _hours(works.filter(nurse__user__is_active=True))
    soonest = now + dt.timedelta(seconds=1)
    return [
        visit
        for visit in visits
        if not hours.get((visit.nurse_id, visit.setting), NO_HOURS).cover(now, max(visit.end, soonest))
    ]


def _closures(site: Site, found: dict[int, list[Cause]], visits: Iterable[Appointment]) -> dict[dt.date, Closure]:
    """Closed days, read only when some visit is outside the open hours."""
    starts = [visit.start for visit in visits if any(cause.code == NOT_OPEN for cause in found[visit.pk])]
    if not starts:
        return {}
    first, last = (clock.local_date(start, site.time_zone) for start in (min(starts), max(starts)))
    return facility.closed_days(site, first, last)


def _find(site: Site, start: dt.datetime, end: dt.datetime | None, now: dt.datetime) -> dict[int, list[Cause]]:
    """Row number -> causes, for the visits that have any."""
    first, stop = max(start, now - LONGEST_VISIT), end or now + LONGEST_AHEAD
    near = Appointment.objects.filter(site=site, state__in=WAITING, start__gte=first, start__lt=stop, end__gt=now)
    visits = list(near.order_by().values_list(*FIELDS, named=True))
    if not visits:
        return {}
    ground = read_ground(site, visits)
    causes = {visit.pk: causes_of(visit, ground) for visit in visits}
    return {pk: found for pk, found in causes.items() if found}


def read_ground(site: Site, visits: list) -> Ground:
    """Everything that lies under these visits: three queries."""
    travel = dt.timedelta(minutes=max(visit.travel_minutes for visit in visits))
    start, end = min(visit.start for visit in visits) - travel, max(visit.end for visit in visits) + travel
    outages: dict[int, list[ChairOutage]] = defaultdict(list)
    for outage in facility.overlapping_outages(start, end).filter(chair__site=site).order_by("starts_at", "pk"):
        outages[outage.chair_id].append(outage)
    first_day, last_day = clock.local_date(start, site.time_zone), clock.local_date(end, site.time_zone)
    spans = facility.open_spans(site, first_day, last_day)
    return Ground(
        site=site,
        hours=_hours(Shift.objects.filter(site=site, starts_at__lt=end, ends_at__gt=start)),
        outages=dict(outages),
        open_spans={clock.local_date(opens, site.time_zone): (opens, closes) for opens, closes in spans},
    )


def _hours(shifts: QuerySet[Shift]) -> dict[tuple[int, str], Hours]:
    by_nurse: dict[tuple[int, str], list] = defaultdict(list)
    columns = ("nurse_id", "setting", "starts_at", "ends_at", "ratio")
    for shift in shifts.order_by("starts_at", "pk").values_list(*columns, named=True):
        by_nurse[shift.nurse_id, shift.setting].append(shift)
    return {key: Hours(found) for key, found in by_nurse.items()}


def causes_of(visit, ground: Ground) -> list[Cause]:
    """Why a visit (its FIELDS) is uncovered; empty when it stands on firm ground."""
    return [*_nurse_causes(visit, ground), *_chair_causes(visit, ground), *_site_causes(visit, ground)]


def _nurse_causes(visit, ground: Ground) -> list[Cause]:
    if not (visit.nurse__is_active and visit.nurse__user__is_active):
        return [Cause("nurse-left")]
    if visit.setting == Setting.HOME and not visit.nurse__visits_homes:
        return [Cause("nurse-not-on-road")]
    travel = dt.timedelta(minutes=visit.travel_minutes)
    start, end = visit.start - travel, visit.end + travel
    hours = ground.hours.get((visit.nurse_id, visit.setting), NO_HOURS)
    if hours.cover(start, end, place=visit.ratio_place):
        return []
    touching = hours.touching(start, end)
    if hours.cover(start, end):
        return [Cause("ratio-too-low", min(touching, key=lambda shift: shift.ratio))]
    return [Cause("no-shift", touching)]


def _chair_causes(visit, ground: Ground) -> list[Cause]:
    if visit.chair_id is None:
        return []
    if not visit.chair__is_active:
        return [Cause("chair-retired")]
    for outage in ground.outages.get(visit.chair_id, ()):
        if outage.starts_at < visit.end and (outage.ends_at is None or outage.ends_at > visit.start):
            return [Cause("chair-out", outage)]
    return []


def _site_causes(visit, ground: Ground) -> list[Cause]:
    """Visits at home need no open site, as in booking."""
    if visit.setting == Setting.HOME:
        return []
    day = clock.local_date(visit.start, ground.site.time_zone)
    span = ground.open_spans.get(day)
    if span is not None and span[0] <= visit.start and visit.end <= span[1]:
        return []
    return [Cause(NOT_OPEN, span)]


def _in_words(cause: Cause, visit: Appointment, site: Site, closed: dict[dt.date, Closure]) -> Problem:
    nurse, chair, row = visit.nurse, visit.chair, cause.row
    give = "Give the visit another nurse."
    if cause.code == "nurse-left":
        return blocker(cause.code, f"{nurse} no longer works as a nurse here.", remedy=give)
    if cause.code == "nurse-not-on-road":
        return blocker(cause.code, f"{nurse} no longer visits homes.", remedy=give)
    if cause.code == "ratio-too-low":
        patients = "1 patient" if row.ratio == 1 else f"{row.ratio} patients"
        message = f"{nurse} looks after {patients} at once in that shift, and this is one more."
        return blocker(cause.code, message, remedy=give)
    if cause.code == "no-shift":
        return blocker(cause.code, _shift_words(nurse, visit, row, site), remedy=give)
    if cause.code == "chair-retired":
        return blocker(cause.code, f"{chair} is retired.", remedy="Give the visit another chair.")
    if cause.code == "chair-out":
        until = f"until {_moment(row.ends_at, site)}" if row.ends_at else "until further notice"
        message = f"{chair} is out of service {until}: {row.reason}."
        return blocker(cause.code, message, remedy="Give the visit another chair.")
    day = clock.local_date(visit.start, site.time_zone)
    remedy = "Move the visit to another day."
    if day in closed:
        return blocker("site-closed", f"{site.name} is closed on {name_day(day)}: {closed[day].reason}.", remedy=remedy)
    if row is None:
        return blocker("outside-hours", f"{site.name} does not open on {day:%A}s.", remedy=remedy)
    hours = f"{_wall(row[0], site)} to {_wall(row[1], site)}"
    return blocker("outside-hours", f"{site.name} is open from {hours} that day.", remedy="Move the visit.")


def _shift_words(nurse, visit: Appointment, touching: list[Shift], site: Site) -> str:
    if not touching:
        where = "on the road" if visit.is_home else "on shift"
        return f"{nurse} is not {where} at that time."
    hours = " and ".join(f"{_wall(shift.starts_at, site)} to {_wall(shift.ends_at, site)}" for shift in touching)
    travel = ", and the way there and back counts" if visit.travel_minutes else ""
    return f"{nurse} works only from {hours}{travel}."


def _wall(instant: dt.datetime, site: Site) -> str:
    local = clock.to_local(instant, site.time_zone)
    return f"{local:%H:%M}" if site.uses_24h_clock else f"{local:%I:%M %p}".lstrip("0")


def _moment(instant: dt.datetime, site: Site) -> str:
    return f"{name_day(clock.local_date(instant, site.time_zone))}, {_wall(instant, site)}"
