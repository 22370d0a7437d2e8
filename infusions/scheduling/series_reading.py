"""Reads the days that a series looks at, many in one go, and answers which starts of a day fit and who would get them.

A year of visits is planned on a picture that spans the year, of which only the wanted days are filled in: as many
queries for thirteen visits as for one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker
from infusions.facility.models import Closure, Setting, Site
from infusions.facility.queries import closed_days
from infusions.orders.models import InfusionOrder
from infusions.orders.queries import VisitLength, infusion_minutes_of, visit_length
from infusions.scheduling import conflicts, refusals
from infusions.scheduling.availability import Availability, read_availability
from infusions.scheduling.bitmaps import Fits, Need, fill, fitting, need_of, seats
from infusions.scheduling.queries import Known
from infusions.scheduling.ranking import DaySlice, set_bits
from infusions.scheduling.wishes import chair_ranks

# The picture of a plan is read at most so often: wished days, then the days around those that did not fit.
MOST_READS = 3


@dataclass
class _Part:
    """One picture, and what was found on it for each length of visit."""

    seen: Availability
    found: dict[int, tuple[Need, Fits]] = field(default_factory=dict)

    def fits(self, minutes: int, now: dt.datetime) -> tuple[Need, Fits]:
        if minutes not in self.found:
            need = need_of(self.seen.site, self.seen.setting, minutes)
            ahead = fill(max(self.seen.bit(now), 0), self.seen.picture.size)
            self.found[minutes] = need, fitting(self.seen.picture, need, ahead)
        return self.found[minutes]


class DaysSeen:
    """What is known of single local days of a site, for visits of one order in one setting."""

    def __init__(
        self,
        order: InfusionOrder,
        site: Site,
        setting: str,
        now: dt.datetime,
        known: Known,
        *,
        leave_out: Collection[int] = (),
    ):
        self.order, self.site, self.setting, self.now, self.wishes = order, site, setting, now, known.wishes
        self.infusion_minutes = infusion_minutes_of(order, has_risk=known.has_risk)
        self.leave_out = leave_out
        self.reads = 0
        self._parts: dict[dt.date, _Part] = {}
        self._closures: dict[dt.date, Closure] | None = None
        self._horizon: tuple[dt.date, dt.date] | None = None

    def __contains__(self, day: dt.date) -> bool:
        return day in self._parts

    def read(self, days: Iterable[dt.date]) -> None:
        """Read those of the days that are not known yet, together; past days are never looked at."""
        today = clock.local_date(self.now, self.site.time_zone)
        wanted = sorted(day for day in set(days) if day not in self._parts and day >= today)
        if not wanted or self.reads >= MOST_READS:
            return
        self.reads += 1
        zone = self.site.time_zone
        pad = dt.timedelta(minutes=self.site.travel_minutes + 15) if self.setting == Setting.HOME else dt.timedelta(0)
        seen = read_availability(
            site=self.site,
            setting=self.setting,
            patient_id=self.order.patient_id,
            start=clock.day_bounds(wanted[0], zone)[0] - pad,
            end=clock.day_bounds(wanted[-1], zone)[1] + pad,
            leave_out=self.leave_out,
            days=wanted,
            chair_kind=self.wishes.needed_kind,
        )
        self._parts.update(dict.fromkeys(wanted, _Part(seen)))

    def length(self, day: dt.date, last_on: dt.date | None) -> VisitLength:
        return visit_length(
            self.order, self.site, self.setting, on=day, last_on=last_on, infusion_minutes=self.infusion_minutes
        )

    def starts(self, day: dt.date, minutes: int) -> list[dt.datetime]:
        """Every start of the day that fits a visit of so many minutes; none on a day that was not read."""
        if day not in self._parts:
            return []
        part = self._parts[day]
        first, stop = self._slice(part, day)
        _, fits = part.fits(minutes, self.now)
        return [part.seen.instant(first + bit) for bit in set_bits(fits.starts >> first & (1 << (stop - first)) - 1)]

    def starts_bitmap(self, day: dt.date, minutes: int) -> int:
        """The same as bits, one for each quarter-hour since the day's first; 0 on days of 23 or 25 hours."""
        if day not in self._parts:
            return 0
        part = self._parts[day]
        first, stop = self._slice(part, day)
        return part.fits(minutes, self.now)[1].starts >> first & (1 << 96) - 1 if stop - first == 96 else 0

    def is_free(self, day: dt.date, start: dt.datetime, minutes: int) -> bool:
        if day not in self._parts or start != clock.quarter_start(clock.quarter_of(start)):
            return False
        part = self._parts[day]
        bit = part.seen.bit(start)
        return bit >= 0 and bool(part.fits(minutes, self.now)[1].starts >> bit & 1)

    def seat(self, day: dt.date, start: dt.datetime, minutes: int, nurse_ids: Iterable[int | None]):
        """(chair, nurse) that booking would most likely give; the chair is None at home."""
        part = self._parts[day]
        need, fits = part.fits(minutes, self.now)
        bit, ranks = part.seen.bit(start), chair_ranks(part.seen, self.wishes)
        seat = next(seats(part.seen.picture, need, fits, bit, nurse_ids=nurse_ids, chair_ranks=ranks))
        return part.seen.chairs.get(seat.chair_id), part.seen.nurses[seat.nurse_id]

    def why_not(self, day: dt.date, start: dt.datetime, minutes: int) -> list[Problem]:
        """Every reason against one start, each with the object in question."""
        if closure := self.closure(day):
            return [_closed(self.site, day, closure)]
        part = self._parts[day]
        need = need_of(self.site, self.setting, minutes)
        fits = fitting(part.seen.picture, need, 1 << max(part.seen.bit(start), 0))
        end = start + dt.timedelta(minutes=minutes)
        at = conflicts.Visit(part.seen, start, end, None, None, travel=dt.timedelta(minutes=need.travel * 15))
        return conflicts.explain(at, fits)

    def why_no_day(self, days: Iterable[dt.date], minutes: int) -> list[Problem]:
        """One blocker for each reason, with the days for which it is the one that binds."""
        days_by_code: dict[str, list[dt.date]] = {}
        for day in days:
            if code := self.reason(day, minutes):
                days_by_code.setdefault(code, []).append(day)
        return [
            blocker(code, f"{message}: {refusals.name_days(days_by_code[code])}.", remedy=remedy)
            for code, (message, remedy) in refusals.DAY_REASONS.items()
            if code in days_by_code
        ]

    def reason(self, day: dt.date, minutes: int) -> str:
        """The code of the first condition that no start of the day satisfies; nothing where one fits."""
        if day not in self._parts:
            return ""
        part = self._parts[day]
        one = DaySlice(*self._slice(part, day), from_due=0)
        found = refusals.explain_days({day: one}, [part.fits(minutes, self.now)[1]], self.setting, False)
        return found[0].code if found else ""

    def closure(self, day: dt.date) -> Closure | None:
        """The closure of a day; those of all days are read at once."""
        if self._closures is None:
            first, last = min(self._parts, default=day), max(self._parts, default=day)
            self._closures = closed_days(self.site, min(first, day), max(last, day) + dt.timedelta(days=31))
        return None if self.setting == Setting.HOME else self._closures.get(day)

    def _slice(self, part: _Part, day: dt.date) -> tuple[int, int]:
        start, end = clock.day_bounds(day, self.site.time_zone)
        return part.seen.bit(start), part.seen.bit(end)


def _closed(site: Site, day: dt.date, closure: Closure) -> Problem:
    message = f"{site.name} is closed on {refusals.name_day(day)}: {closure.reason}."
    return blocker("closed", message, field="start", remedy="Choose another day.")
