"""What a site offers in some days: chairs and when they are out, shifts, opening hours, closures. One statement."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from django.db.models import CharField, DateTimeField, IntegerField, Q, Value
from django.db.models.functions import Cast

from infusion_center.core import clock
from infusions.facility.models import Chair, ChairKind, ChairOutage, Closure, OpeningHours, Shift, Site
from infusions.facility.queries import days_between, wall_instant

Span = tuple[dt.datetime, dt.datetime]
KINDS = dict(ChairKind.choices)


class ChairRow(NamedTuple):
    pk: int
    public_id: str
    name: str
    kind: str


class ShiftRow(NamedTuple):
    nurse_id: int
    public_id: str
    name: str
    setting: str
    start: dt.datetime
    end: dt.datetime
    ratio: int


class Outage(NamedTuple):
    start: dt.datetime
    end: dt.datetime
    reason: str


@dataclass
class Ground:
    """`spans` holds the opening of each local day that has one; `closures` why a day has none."""

    chairs: list[ChairRow] = field(default_factory=list)
    outages: dict[int, list[Outage]] = field(default_factory=lambda: defaultdict(list))
    shifts: list[ShiftRow] = field(default_factory=list)
    spans: dict[dt.date, Span] = field(default_factory=dict)
    closures: dict[dt.date, str] = field(default_factory=dict)

    @cached_property
    def openings(self) -> list[Span]:
        return list(self.spans.values())

    @cached_property
    def chair_ids(self) -> frozenset[int]:
        return frozenset(chair.pk for chair in self.chairs)

    @cached_property
    def shifts_by_nurse(self) -> dict[tuple[int, str], list[tuple[dt.datetime, dt.datetime, int]]]:
        """Start, end and ratio, by the nurse's row and the setting."""
        found = defaultdict(list)
        for shift in self.shifts:
            found[shift.nurse_id, shift.setting].append((shift.start, shift.end, shift.ratio))
        return dict(found)


def ground_of(site: Site, first_day: dt.date, last_day: dt.date) -> Ground:
    """For the local days from first to last included."""
    start = clock.day_bounds(first_day, site.time_zone)[0]
    end = clock.day_bounds(last_day, site.time_zone)[1]
    ground, hours, chairs = Ground(), {}, []
    days = days_between(first_day, last_day)
    for kind, pk, name, public_id, more, begins, ends, number in _rows(site, start, end, first_day, last_day):
        match kind:
            case "shift":
                ground.shifts.append(ShiftRow(pk, public_id, name, more, begins, ends, number))
            case "chair":
                chairs.append((number, name, ChairRow(pk, public_id, name, KINDS.get(more, more))))
            case "outage":
                ground.outages[pk].append(Outage(max(begins, start), min(ends or end, end), name))
            case "hours":
                hours[number] = dt.time.fromisoformat(name), dt.time.fromisoformat(more)
            case "closure":
                first, last = dt.date.fromisoformat(public_id), dt.date.fromisoformat(more)
                ground.closures |= {day: name for day in days if first <= day <= last}
    ground.chairs = [row for *_, row in sorted(chairs)]
    ground.shifts.sort(key=lambda shift: (shift.name, shift.nurse_id, shift.start))
    for day in days:
        if day.weekday() in hours and day not in ground.closures:
            opens, closes = (wall_instant(day, wall, site.time_zone) for wall in hours[day.weekday()])
            if opens < closes:
                ground.spans[day] = opens, closes
    return ground


def _rows(site: Site, start: dt.datetime, end: dt.datetime, first_day: dt.date, last_day: dt.date):
    """Five tables in one statement; the first one gives the columns their types, so none of its columns is empty."""

    def word(text: str) -> Value:
        return Value(text, CharField())

    def text(name: str) -> Cast:
        return Cast(name, CharField())

    nothing, zero, never = word(""), Value(0, IntegerField()), Value(None, DateTimeField())
    # Nobody is sent on the road by a shift from before she stopped visiting homes.
    works = Q(nurse__is_active=True, nurse__user__is_active=True) & (
        Q(setting="facility") | Q(nurse__visits_homes=True)
    )
    shifts = Shift.objects.filter(works, site=site, starts_at__lt=end, ends_at__gt=start)
    outages = ChairOutage.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=start), chair__site=site, chair__is_active=True, starts_at__lt=end
    )
    closures = Closure.objects.filter(site=site, starts_on__lte=last_day, ends_on__gte=first_day)
    nurse = ("nurse_id", "nurse__user__full_name", "nurse__public_id")
    rows = [
        shifts.values_list(word("shift"), *nurse, "setting", "starts_at", "ends_at", "ratio"),
        Chair.objects.filter(site=site, is_active=True).values_list(
            word("chair"), "pk", "name", "public_id", "kind", never, never, "position"
        ),
        outages.values_list(word("outage"), "chair_id", "reason", nothing, nothing, "starts_at", "ends_at", zero),
        OpeningHours.objects.filter(site=site).values_list(
            word("hours"), "pk", text("opens"), nothing, text("closes"), never, never, "weekday"
        ),
        closures.values_list(word("closure"), "pk", "reason", text("starts_on"), text("ends_on"), never, never, zero),
    ]
    first, *others = (one.order_by() for one in rows)
    return first.union(*others, all=True)
