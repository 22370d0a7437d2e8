"""Plans the visits of a series: each date by itself, at the wished weekday and wall time or as near as it fits.

Nothing is written and nothing is promised: booking checks every line again. The number of queries does not depend on
how many visits are planned: the days aimed at are read together, then those around the lines that did not fit.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from infusion_center.core import clock
from infusions.facility.models import OpeningHours, Setting, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling import series_words
from infusions.scheduling.ranking import set_bits
from infusions.scheduling.series_dates import (
    MOST_LINES,
    by_closeness,
    days_around,
    expected_days,
    first_day,
    on_weekday,
)
from infusions.scheduling.series_lines import Aim, LineWish, SeriesLine, SeriesPlan, usual_aim
from infusions.scheduling.series_placing import Placer
from infusions.scheduling.windows import course_began

ALTERNATIVES = 4
DAYS_BEYOND = 5  # looked at for alternatives where the whole tolerance is full
NINE = dt.time(9)


def plan_series(
    *,
    order: InfusionOrder,
    site: Site,
    setting: str,
    first_on: dt.date | None = None,
    count: int | None = None,
    until: dt.date | None = None,
    weekday: int | None = None,
    local_time: dt.time | None = None,
    now: dt.datetime | None = None,
) -> SeriesPlan:
    """The next `count` visits of an order, or all until the local day `until`, the order's end, or the authorization's.

    Weekday (0 is Monday) and wall time default to the patient's wishes, then to his last visit, then to what fits best.
    """
    planner = _Planner(order, site, setting, now or clock.now())
    if standing := planner.standing_problems():
        return SeriesPlan(problems=tuple(standing), first_on=first_on)
    aim = usual_aim(order, site, planner.known.wishes, weekday=weekday, time=local_time)
    return planner.plan(first_on, count, until, aim)


def check_series(
    *,
    order: InfusionOrder,
    site: Site,
    setting: str,
    lines: Sequence[LineWish],
    now: dt.datetime | None = None,
    leave_out: Collection[int] = (),
) -> SeriesPlan:
    """The lines as they were typed, each checked again. `leave_out`: row numbers of visits that move with them."""
    planner = _Planner(order, site, setting, now or clock.now(), leave_out=leave_out)
    if standing := planner.standing_problems():
        return SeriesPlan(problems=tuple(standing))
    return planner.check(lines)


class _Planner(Placer):
    """Chooses the day and wall time of each line."""

    def plan(self, first_on: dt.date | None, count: int | None, until: dt.date | None, aim: Aim) -> SeriesPlan:
        order = self.order
        self.aim, self.count = aim, count
        # Counted lines go on beyond the order's end, so that the page can say what is missing.
        self.until = until or (order.valid_until if count is None else dt.date.max)
        if aim.weekday is None:
            aim = self.aim = replace(aim, weekday=self._open_weekday(first_on))
        first = first_day(order, self.course, self.today, aim.weekday, first_on)
        self.floor = min(first, max(self.today, order.starts_on))
        expected = expected_days(order, first, aim.weekday, count, self.until)
        self.days.read(day for _, aim in expected for day in self.course_days(aim))
        self._look_ahead(expected)
        return SeriesPlan(tuple(self._lines(first)), aim=self.aim, first_on=first)

    def _open_weekday(self, first_on: dt.date | None) -> int:
        """The weekday of the first day, or the next on which the site is open: an interval of 30 days needs one too."""
        day = first_day(self.order, self.course, self.today, None, first_on).weekday()
        opens = set(OpeningHours.objects.filter(site=self.site).values_list("weekday", flat=True))
        if self.setting == Setting.HOME or not opens:
            return day
        return min(opens, key=lambda weekday: (weekday - day) % 7)

    def _look_ahead(self, expected: list[tuple[dt.date, dt.date]]) -> None:
        """As if every line could be placed where it aims at: which wall time fits most, and around which to look."""
        before = self.course
        self.count_as_booked([day for _, aim in expected for day in self.course_days(aim)], before.last_nurse_id)
        minutes = {aim: self.minutes(aim) for _, aim in expected}
        self.course = before
        if self.aim.time is None:
            self.aim = self.aim.with_time(self._most_common_time(minutes))
        missed = [one for one in expected if not self.days.starts(one[1], minutes[one[1]])]
        self._read_around(missed)

    def _most_common_time(self, minutes: dict[dt.date, int]) -> dt.time:
        """The wall time that fits on most days: among equals a full hour, then the earliest."""
        votes: Counter[int] = Counter()
        for day, length in minutes.items():
            votes.update(set_bits(self.days.starts_bitmap(day, length)))
        possible = [quarter for quarter in votes if self.aim.may_start(_wall(quarter))] or list(votes)
        return _wall(min(possible, key=lambda one: (-votes[one], one % 4 != 0, one))) if possible else NINE

    def _read_around(self, lines: Iterable[tuple[dt.date, dt.date]]) -> None:
        tolerance = self.order.tolerance_days
        begins = {
            day
            for due, aim in lines
            for day in (*days_around(due, tolerance, tolerance + DAYS_BEYOND), aim)
            if self.floor <= day <= self.order.valid_until
        }
        self.days.read(day for begin in begins for day in self.course_days(begin))

    def _lines(self, first: dt.date) -> Iterator[SeriesLine]:
        order, due, aim = self.order, first, first
        for number in range(1, (self.count or MOST_LINES) + 1):
            used_up = order.doses_given + self.course.booked >= order.visits_authorized
            if aim > self.until or (used_up and number > 1 and not self.count):
                return
            line = self._line(number, due, aim)
            yield line
            begun = course_began(line.day, self.course.held_on, order.days) if line.visits else aim
            self.floor = max(self.floor, clock.local_date(line.starts[-1], self.zone) if line.visits else aim)
            self.floor += dt.timedelta(days=1)
            due = begun + dt.timedelta(days=order.interval_days)
            aim = on_weekday(due, self.aim.weekday, order.tolerance_days)

    def _line(self, number: int, due: dt.date, aim: dt.date) -> SeriesLine:
        """The best that fits near the day aimed at, or every reason why nothing does."""
        line = SeriesLine(number, aim, aim, self.aim.time or NINE)
        if beyond := self.beyond_the_order(aim):
            return replace(line, problems=tuple(beyond))
        if aim not in self.days:
            self._read_around([(due, aim)])
        tolerance = self.order.tolerance_days
        near = [day for day in days_around(due, tolerance, tolerance) if self.floor <= day <= self.order.valid_until]
        days = by_closeness({*near, aim}, aim, self.aim.weekdays)
        starts = self._first_that_fits(days, line.time)
        if not starts and any(day not in self.days for day in days):
            self._read_around([(due, aim)])
            starts = self._first_that_fits(days, line.time)
        if starts:
            moved = clock.local_date(starts[0], self.zone) != aim
            reason = self._day_reason(aim) if moved else ""
            return self._explained(self.placed(line, starts), reason)
        beyond_days = days_around(due, tolerance, tolerance + DAYS_BEYOND)
        return replace(
            line,
            problems=tuple(self.nothing_fits(sorted({*near, aim}))),
            alternatives=self.alternatives(aim, line.time, [d for d in beyond_days if d >= self.floor], ALTERNATIVES),
        )

    def _first_that_fits(self, days: Sequence[dt.date], wall: dt.time) -> list[dt.datetime]:
        """Within the patient's hours on any of the days, else on any of them at all."""
        for in_hours in (True, False) if self.aim.has_hours else (False,):
            for day in days:
                if starts := self.starts_of(day, wall, in_hours=in_hours):
                    return starts
        return []

    def _day_reason(self, aim: dt.date) -> str:
        """What is wrong with the day aimed at, or with the day of its course that cannot be had."""
        days = self.course_days(aim)
        day = next((day for day in days if not self.days.starts(day, self.minutes(day))), aim)
        return series_words.day_reason(day, self.days.closure(day), self.days.reason(day, self.minutes(day)))

    def _explained(self, line: SeriesLine, reason: str) -> SeriesLine:
        aimed_at = self.aim.time
        if line.day != line.ideal_on:
            why = series_words.other_day(line.ideal_on, line.day, aimed_at, line.time, self.site, reason)
        elif line.time != aimed_at:
            why = series_words.other_time(aimed_at, line.time, self.site)
        else:
            why = series_words.as_aimed_at(line.day, line.time, self.site, self.aim.because)
        return replace(line, why=why)

    def check(self, wanted: Sequence[LineWish]) -> SeriesPlan:
        kept = sorted((wish for wish in wanted if wish.is_kept), key=lambda wish: (wish.day, wish.time))
        self.floor = max(self.today, self.order.starts_on)
        self.days.read(day for wish in kept for day in self._days_of(wish))
        missed = [wish for wish in kept if not self._starts_of(wish)]
        self._read_around((wish.day, wish.day) for wish in missed)
        checked = {wish.number: self._checked(wish) for wish in kept}
        dropped = (SeriesLine(wish.number, wish.day, wish.day, wish.time, is_kept=False) for wish in wanted)
        return SeriesPlan(tuple(checked.get(line.number, line) for line in dropped))

    def _days_of(self, wish: LineWish) -> list[dt.date]:
        self.fixed_days = wish.days
        return self.course_days(wish.day)

    def _starts_of(self, wish: LineWish) -> list[dt.datetime]:
        self.fixed_days = wish.days
        return self.starts_of(wish.day, wish.time, exact=True)

    def _checked(self, wish: LineWish) -> SeriesLine:
        line = SeriesLine(wish.number, wish.day, wish.day, wish.time)
        if beyond := self.beyond_the_order(wish.day):
            return replace(line, problems=tuple(beyond))
        if starts := self._starts_of(wish):
            why = wish.why or series_words.as_aimed_at(wish.day, wish.time, self.site, self.aim.because)
            return replace(self.placed(line, starts), why=why)
        tolerance = self.order.tolerance_days
        near = [day for day in days_around(wish.day, tolerance, tolerance + DAYS_BEYOND) if day >= self.floor]
        return replace(
            line,
            problems=tuple(self.why_not(wish.day, wish.time)),
            alternatives=self.alternatives(wish.day, wish.time, near, ALTERNATIVES),
        )


def _wall(quarter: int) -> dt.time:
    return dt.time(quarter // 4, quarter % 4 * 15)
