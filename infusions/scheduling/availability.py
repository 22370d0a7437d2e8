"""Reads what is open, who works and what is booked in a window, and draws it as the bitmaps that search looks at.

Costs five queries, whatever the window and however much is booked in it; none looks at what lies before the window.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import F, FilteredRelation, Q

from infusion_center.accounts.models import User
from infusion_center.core import clock
from infusion_center.core.clock import QUARTER_SECONDS
from infusion_center.core.epoch import WholeEpochSeconds
from infusions.facility.models import Chair, Nurse, Setting, Shift, Site
from infusions.facility.queries import open_spans
from infusions.scheduling.bitmaps import Picture, ShiftSpan, fill
from infusions.scheduling.drawing import ROW, BookedVisit, draw_visits, visit_of
from infusions.scheduling.models import Appointment

# No visit lasts longer, so an index on the start finds all that reach into a window.
LONGEST_VISIT = dt.timedelta(days=1)
TRAVEL = dt.timedelta(hours=4)  # a nurse on her way to or from a visit outside the window is not free in it
Span = tuple[dt.datetime, dt.datetime]
NURSE_FIELDS = ("id", "public_id", "user_id", "visits_homes", "is_active")


@dataclass(frozen=True)
class Availability:
    """The picture of a window at a site, and the rows behind its numbers."""

    site: Site
    setting: str
    origin: int  # the UTC quarter that is bit 0 of the picture
    picture: Picture
    chairs: dict[int, Chair]
    nurses: dict[int, Nurse]
    rows: list[tuple]  # what is booked, as drawing.ROW has it
    chair_kind: str = ""  # the only kind of chair that was looked at

    @cached_property
    def visits(self) -> list[BookedVisit]:
        """What is booked, as lanes.lanes_of takes it."""
        return [visit_of(row) for row in self.rows]

    def bit(self, instant: dt.datetime) -> int:
        return clock.quarter_of(instant) - self.origin

    def instant(self, bit: int) -> dt.datetime:
        return clock.quarter_start(self.origin + bit)

    def bits(self, start: dt.datetime, end: dt.datetime) -> int:
        """The quarters that lie wholly in [start, end)."""
        first = -(-int(start.timestamp()) // QUARTER_SECONDS) - self.origin
        return fill(max(first, 0), min(self.bit(end), self.picture.size))


def read_availability(
    *,
    site: Site,
    setting: str,
    patient_id: int,
    start: dt.datetime,
    end: dt.datetime,
    ignore: Appointment | None = None,
    leave_out: Collection[int] = (),
    days: Collection[dt.date] | None = None,
    chair_kind: str = "",
) -> Availability:
    """The window [start, end) as it is booked; `ignore` is the visit that is to be moved out of its own way.

    `leave_out`: row numbers of more such visits. `days`: only what lies on these local days of the site is read, for
    a plan that looks at one day a month; on other days of the picture nobody is on shift, so nothing fits there.
    `chair_kind`: the only kind of chair that the picture has, for a patient who needs it.
    """
    origin = clock.quarter_of(start)
    size = -(-int(end.timestamp()) // QUARTER_SECONDS) - origin
    at_home = setting == Setting.HOME
    spans = [(start, end)] if days is None else _spans_of(days, site.time_zone)
    shifts, nurses = _shifts(site, setting, spans, origin, size)
    chairs, outages = ({}, {}) if at_home else _chairs(site, start, end, origin, size)
    gone = {*leave_out, *([ignore.pk] if ignore else [])}
    rows = rows_within(site, spans, nurse_ids=nurses, patient_id=patient_id, leave_out=gone)
    picture = Picture(
        size=size,
        patient_id=patient_id,
        opening=() if at_home else _opening(site, start, end, origin, size),
        chairs=tuple(pk for pk, chair in chairs.items() if chair_kind in ("", chair.kind)),
        shifts=shifts,
        busy=draw_visits(rows, origin, size, patient_id),
        outages=outages,
    )
    return Availability(site, setting, origin, picture, chairs, nurses, rows, chair_kind)


def rows_within(
    site: Site, spans: Sequence[Span], *, nurse_ids: Iterable[int], patient_id: int, leave_out: Collection[int] = ()
) -> list[tuple]:
    """Visits that hold lanes of the site, of these nurses wherever they are, or of the patient, in any of the spans.

    Two queries: the second finds the few elsewhere, by other indexes. A visit that reaches into two spans comes once.
    """
    holding = Appointment.objects.holding().order_by()
    if leave_out:
        holding = holding.exclude(pk__in=leave_out)
    nurse_ids = list(nurse_ids)
    # Each alternative names its site or nurses itself: only so does every one of them use its index.
    here = Q()
    by_nurses = Q()
    for start, end in spans:
        near = Q(start__gte=start - LONGEST_VISIT, start__lt=end + TRAVEL)
        here |= near & Q(site=site, end__gt=start - TRAVEL)
        by_nurses |= near & Q(nurse_id__in=nurse_ids)
    away = holding.exclude(site=site)
    around = Q(start__gte=spans[0][0] - LONGEST_VISIT, start__lt=spans[-1][1] + TRAVEL)
    of_patient = away.filter(around, patient_id=patient_id).exclude(nurse_id__in=nurse_ids).values_list(*ROW)
    of_nurses = away.filter(by_nurses).values_list(*ROW)
    return [*holding.filter(here).values_list(*ROW), *of_patient.union(of_nurses, all=True)]


def _spans_of(days: Collection[dt.date], zone: str) -> list[Span]:
    """The instants of local days, neighbouring days as one span."""
    spans: list[Span] = []
    for day in sorted(days):
        first, following = clock.day_bounds(day, zone)
        if spans and spans[-1][1] == first:
            spans[-1] = (spans[-1][0], following)
        else:
            spans.append((first, following))
    return spans


def _opening(site: Site, start: dt.datetime, end: dt.datetime, origin: int, size: int) -> tuple[range, ...]:
    first_day, last_day = clock.local_date(start, site.time_zone), clock.local_date(end, site.time_zone)
    spans = (
        _whole_quarters(int(opens.timestamp()), int(closes.timestamp()), origin, size)
        for opens, closes in open_spans(site, first_day, last_day)
    )
    return tuple(span for span in spans if span)


def _shifts(site: Site, setting: str, spans: Sequence[Span], origin: int, size: int):
    """Shifts as spans, and their nurses by row number: plain tuples, because a window holds hundreds of shifts."""
    during = Q()
    for start, end in spans:
        # No shift lasts a day (facility.rules.LONGEST_SHIFT): so many years of them need not be looked through.
        during |= Q(site=site, starts_at__gt=start - LONGEST_VISIT, starts_at__lt=end, ends_at__gt=start)
    rows = (
        Shift.objects.filter(during, setting=setting)
        .filter(nurse__is_active=True, nurse__user__is_active=True)
        .order_by("nurse__user__full_name", "nurse_id", "starts_at")
        .values_list(
            *(WholeEpochSeconds("starts_at"), WholeEpochSeconds("ends_at"), "ratio", "nurse_id", "nurse__public_id"),
            *("nurse__user_id", "nurse__visits_homes", "nurse__user__full_name", "nurse__user__initials"),
        )
    )
    worked, nurses = [], {}
    for starts_at, ends_at, ratio, nurse_id, public_id, user_id, visits_homes, full_name, initials in rows:
        if nurse_id not in nurses:
            nurse = Nurse.from_db("default", NURSE_FIELDS, [nurse_id, public_id, user_id, visits_homes, True])
            nurse.user = User.from_db("default", ["id", "full_name", "initials"], [user_id, full_name, initials])
            nurses[nurse_id] = nurse
        first, stop = -(-starts_at // QUARTER_SECONDS) - origin, ends_at // QUARTER_SECONDS - origin
        worked.append(ShiftSpan(nurse_id, first if first > 0 else 0, min(max(stop, 0), size), ratio))
    return tuple(worked), nurses


def _chairs(site: Site, start: dt.datetime, end: dt.datetime, origin: int, size: int):
    """Chairs in the order of the board, and for each when it is out of service. One query."""
    overlapping = Q(outages__starts_at__lt=end) & (Q(outages__ends_at=None) | Q(outages__ends_at__gt=start))
    rows = (
        Chair.objects.filter(site=site, is_active=True)
        .annotate(outage=FilteredRelation("outages", condition=overlapping))
        .annotate(out_from=F("outage__starts_at"), out_until=F("outage__ends_at"))
        .order_by("position", "name", "pk")
    )
    chairs: dict[int, Chair] = {}
    outages: dict[int, int] = defaultdict(int)
    for chair in rows:
        chairs.setdefault(chair.pk, chair)
        if chair.out_from is not None:
            touched = clock.quarters_between(chair.out_from, chair.out_until or end)
            outages[chair.pk] |= fill(max(touched.start - origin, 0), min(touched.stop - origin, size))
    return chairs, dict(outages)


def _whole_quarters(start: int, end: int, origin: int, size: int) -> range:
    """The quarters wholly in [start, end), given in seconds; counted from the window's first and cut to it."""
    first = -(-start // QUARTER_SECONDS) - origin
    return range(max(first, 0), max(0, min(end // QUARTER_SECONDS - origin, size)))
