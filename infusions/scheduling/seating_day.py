"""Reads what is booked, who works and which chairs can be used on days of a site, for re-seating. Seven queries."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Q

from infusion_center.core import clock
from infusions.facility.models import Chair, ChairOutage, Nurse, Shift, Site
from infusions.facility.queries import open_spans_by_site
from infusions.scheduling.lanes import lanes_of
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import UPCOMING, State

# A visit at home may begin in the evening; what lies further from the day cannot touch a visit of the day.
BEFORE, AFTER = dt.timedelta(hours=6), dt.timedelta(hours=10)
LONGEST_VISIT = dt.timedelta(days=1)
NOT_STARTED = UPCOMING | {State.ARRIVED}


@dataclass(frozen=True)
class Span:
    """A shift in quarters that lie wholly in it, counted from the day's first."""

    nurse_id: int
    setting: str
    first: int
    stop: int
    ratio: int


@dataclass(frozen=True)
class DayRows:
    """One local day of a site. Quarters count from `origin`, some hours before midnight."""

    site: Site
    day: dt.date
    now: dt.datetime
    origin: int
    size: int
    opening: tuple[range, ...]
    chairs: Mapping[int, Chair]  # all of the site, also those given up
    outages: Mapping[int, int]  # chair id -> quarters out of service
    shifts: Mapping[int, list[Span]]  # nurse id -> shifts
    nurses: Mapping[int, Nurse]
    visits: list[Appointment]  # of the site, holding their claims
    elsewhere: list[Appointment]  # of these nurses or of the patient, at other sites
    longer: Mapping[int, dt.datetime] = field(default_factory=dict)

    @cached_property
    def bounds(self) -> tuple[dt.datetime, dt.datetime]:
        return clock.day_bounds(self.day, self.site.time_zone)

    def bits(self, quarters: range) -> int:
        first, stop = max(quarters.start - self.origin, 0), min(quarters.stop - self.origin, self.size)
        return ((1 << (stop - first)) - 1) << first if stop > first else 0

    def takes(self, visit: Appointment) -> dict[int, int]:
        """Each lane of the visit, with the quarters that it takes of it; with what it will take if it overruns."""
        return self._drawn(visit, *self._lengthened(visit))

    def takes_longer(self, visit: Appointment) -> dict[int, int]:
        """What it will take of each lane beyond what it was booked for."""
        booked = self._drawn(visit)
        longer = self._drawn(*self._lengthened(visit))
        return {lane: quarters & ~booked.get(lane, 0) for lane, quarters in longer.items()}

    def _drawn(self, *visits: Appointment) -> dict[int, int]:
        found: dict[int, int] = defaultdict(int)
        for visit in visits:
            for lane, quarters in lanes_of(visit):
                found[lane] |= self.bits(quarters)
        return found

    def _lengthened(self, visit: Appointment) -> list[Appointment]:
        end = self.longer.get(visit.pk)
        if end is None or end <= visit.end:
            return []
        return [Appointment(**{name: getattr(visit, name) for name in LANE_FIELDS}, end=end)]

    def may_change(self, visit: Appointment) -> bool:
        """Another chair or nurse may be given to it, unasked: not begun, not pinned, not past, wholly on this day."""
        return self.may_be_seated(visit) and visit.start >= self.now

    def may_be_seated(self, visit: Appointment) -> bool:
        """The same for one that somebody asks to seat: its patient may be waiting already."""
        first, following = self.bounds
        reach = dt.timedelta(minutes=visit.travel_minutes)
        return (
            visit.site_id == self.site.pk
            and visit.state in NOT_STARTED
            and not visit.is_pinned
            and visit.pk not in self.longer
            and visit.end > self.now
            and first <= visit.start < following
            and clock.quarters_between(visit.end, visit.end + reach + clock.QUARTER).stop <= self.origin + self.size
        )


LANE_FIELDS = (
    *("setting", "start", "patient_id", "chair_id", "nurse_id", "ratio_place", "travel_minutes"),
    *("start_hands_minutes", "end_hands_minutes", "finished_at"),
)


def read_days(
    *,
    site: Site,
    days: Sequence[dt.date],
    now: dt.datetime,
    patient_id: int | None = None,
    leave_out: Collection[int] = (),
    longer: Mapping[int, dt.datetime] | None = None,
) -> dict[dt.date, DayRows]:
    """The days as they are booked; `leave_out`: row numbers of visits that are to move out of their own way."""
    windows = {day: _window(day, site) for day in days}
    shifts = _shifts(site, windows.values())
    nurse_ids = {shift.nurse_id for shift in shifts}
    chairs = {chair.pk: chair for chair in Chair.objects.filter(site=site).order_by("position", "name", "pk")}
    outages = list(ChairOutage.objects.filter(_touching(windows.values(), "starts_at", "ends_at"), chair__site=site))
    opening = open_spans_by_site([site], min(days), max(days))[site.pk]
    near = Q()
    for start, end in windows.values():
        near |= Q(start__gte=start - LONGEST_VISIT, start__lt=end, end__gt=start)
    holding = Appointment.objects.holding().filter(near).exclude(pk__in=leave_out).order_by("start", "pk")
    visits = list(holding.filter(site=site).select_related("patient", "chair", "nurse__user", "site"))
    whose = Q(nurse__in=nurse_ids)
    if patient_id is not None:
        whose |= Q(patient=patient_id)
    elsewhere = list(holding.exclude(site=site).filter(whose))
    return {
        day: _rows(site, day, window, now, opening, chairs, outages, shifts, visits, elsewhere, longer or {})
        for day, window in windows.items()
    }


def _window(day: dt.date, site: Site) -> tuple[dt.datetime, dt.datetime]:
    first, following = clock.day_bounds(day, site.time_zone)
    return first - BEFORE, following + AFTER


def _touching(windows, starts: str, ends: str) -> Q:
    found = Q()
    for start, end in windows:
        found |= Q(**{f"{starts}__lt": end}) & (Q(**{f"{ends}__gt": start}) | Q(**{ends: None}))
    return found


def _shifts(site: Site, windows) -> list[Shift]:
    shifts = Shift.objects.filter(_touching(windows, "starts_at", "ends_at"), site=site)
    working = shifts.filter(nurse__is_active=True, nurse__user__is_active=True)
    return list(working.select_related("nurse__user").order_by("nurse__user__full_name", "nurse_id", "starts_at"))


def _rows(site, day, window, now, opening, chairs, outages, shifts, visits, elsewhere, longer) -> DayRows:
    start, end = window
    origin = clock.quarter_of(start)
    size = clock.quarter_of(end) - origin
    rows = DayRows(
        site=site,
        day=day,
        now=now,
        origin=origin,
        size=size,
        opening=tuple(
            _within(opens, closes, origin, size) for opens, closes in opening if opens < end and closes > start
        ),
        chairs=chairs,
        outages=defaultdict(int),
        shifts=defaultdict(list),
        nurses={shift.nurse_id: shift.nurse for shift in shifts},
        visits=[visit for visit in visits if visit.start < end and visit.end > start],
        elsewhere=[visit for visit in elsewhere if visit.start < end and visit.end > start],
        longer=longer,
    )
    for outage in outages:
        rows.outages[outage.chair_id] |= rows.bits(clock.quarters_between(outage.starts_at, outage.ends_at or end))
    for shift in shifts:
        span = _within(shift.starts_at, shift.ends_at, origin, size)
        if span:
            rows.shifts[shift.nurse_id].append(Span(shift.nurse_id, shift.setting, span.start, span.stop, shift.ratio))
    return rows


def _within(start: dt.datetime, end: dt.datetime, origin: int, size: int) -> range:
    """The quarters that lie wholly in [start, end), cut to the window."""
    first = -(-int(start.timestamp()) // clock.QUARTER_SECONDS) - origin
    return range(max(first, 0), max(0, min(clock.quarter_of(end) - origin, size)))
