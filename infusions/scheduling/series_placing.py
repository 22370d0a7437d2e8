"""Places one line of a series after the other: the starts of its days, chair and nurse, and every reason against them.

What was placed before counts as booked for the lines after it: for the interval, the authorized visits, the length.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity, blocker
from infusions.facility.models import Site
from infusions.facility.queries import wall_instant
from infusions.orders.models import InfusionOrder
from infusions.orders.rules import validity_problems
from infusions.scheduling import refusals
from infusions.scheduling.queries import CourseSoFar, known_about
from infusions.scheduling.rules import order_problems_on
from infusions.scheduling.series_dates import days_missing
from infusions.scheduling.series_lines import Aim, PlannedVisit, SeriesLine
from infusions.scheduling.series_reading import DaysSeen

# What a line has for its own date; everything else that blocks stands against the whole series.
DATED = {"order-not-started", "order-expired", "visits-used-up"}


class Placer:
    """What is known of an order and the days looked at, and which days count as booked so far."""

    def __init__(
        self, order: InfusionOrder, site: Site, setting: str, now: dt.datetime, *, leave_out: Collection[int] = ()
    ):
        self.order, self.site, self.setting, self.now = order, site, setting, now
        self.zone = site.time_zone
        self.today = clock.local_date(now, self.zone)
        self.known = known_about(order, leave_out=leave_out)
        self.course = self.known.course
        self.days = DaysSeen(order, site, setting, now, self.known, leave_out=leave_out)
        self.aim = Aim()
        self.fixed_days: int | None = None

    def standing_problems(self) -> list[Problem]:
        """What stands against every line alike, whatever its day."""
        on = max(self.today, self.order.starts_on)
        found = [
            *validity_problems(self.order, on, weight=self.known.weight),
            *refusals.order_refusals(self.order, self.setting, self.course),
        ]
        grave = [problem for problem in found if problem.severity == Severity.BLOCKER]
        return grave if on > self.order.valid_until else [one for one in grave if one.code not in DATED]

    def order_problems(self, day: dt.date) -> list[Problem]:
        return order_problems_on(self.order, self.setting, self.course, day, weight=self.known.weight)

    def beyond_the_order(self, day: dt.date) -> list[Problem]:
        """Why no visit at all can be booked on the day: before the order, after it, or beyond what is authorized."""
        return [problem for problem in self.order_problems(day) if problem.code in DATED]

    def course_days(self, first: dt.date) -> list[dt.date]:
        missing = self.fixed_days or days_missing(self.order, self.course, first)
        return [first + dt.timedelta(days=number) for number in range(missing)]

    def minutes(self, day: dt.date) -> int:
        return self.days.length(day, self.course.last_before(day)).total

    def starts_of(
        self, first: dt.date, wall: dt.time, *, in_hours: bool = False, exact: bool = False
    ) -> list[dt.datetime]:
        """A start for each day of a line: nearest to the wish on the first, to the first's wall time on the others.

        None at all where one of the days has none. `exact`: on the first day no other start will do.
        """
        found: list[dt.datetime] = []
        for day in self.course_days(first):
            minutes = self.minutes(day)
            wished = wall_instant(day, wall, self.zone)
            limited = in_hours and not found
            if self.days.is_free(day, wished, minutes) and not (limited and not self.aim.may_start(wall)):
                found.append(wished)
                continue
            starts = [] if exact and not found else self.days.starts(day, minutes)
            if limited:
                starts = [one for one in starts if self.aim.may_start(clock.to_local(one, self.zone).time())]
            if not starts:
                return []
            found.append(min(starts, key=lambda start: (abs(start - wished), start)))
            wall = clock.to_local(found[0], self.zone).time()
        return found

    def placed(self, line: SeriesLine, starts: Sequence[dt.datetime]) -> SeriesLine:
        """The line with its visits and what has to be said about them; from now on its days count as booked."""
        visits, problems = [], []
        for course_day, start in enumerate(starts, start=1 + self.order.days - len(starts)):
            day = clock.local_date(start, self.zone)
            problems += self.order_problems(day)
            minutes = self.minutes(day)
            chair, nurse = self.days.seat(day, start, minutes, [self.known.wishes.nurse_id, self.course.last_nurse_id])
            visits.append(PlannedVisit(start, start + dt.timedelta(minutes=minutes), nurse, chair, course_day))
            self.count_as_booked([day], nurse.pk)
        local = clock.to_local(starts[0], self.zone)
        return replace(
            line,
            day=local.date(),
            time=local.time(),
            visits=tuple(visits),
            problems=tuple(dict.fromkeys(problems)),
        )

    def count_as_booked(self, days: Collection[dt.date], nurse_id: int | None) -> None:
        held = self.course.held_on | set(days)
        self.course = CourseSoFar(held_on=held, booked=self.course.booked + len(days), last_nurse_id=nurse_id)

    def nothing_fits(self, days: Iterable[dt.date]) -> list[Problem]:
        """One blocker for each reason, with the days for which it is the one that binds."""
        days = list(days)
        found = self.days.why_no_day(days, self.minutes(days[0])) if days else []
        return found or [blocker("nothing-fits", "Nothing fits on the days that keep the interval.")]

    def why_not(self, day: dt.date, wall: dt.time) -> list[Problem]:
        """Every reason against a line that was typed."""
        try:
            start = clock.from_local(day, wall, self.zone)
        except clock.NonexistentTime as gap:
            return [blocker("no-such-time", str(gap), field="time", remedy="Choose another time.")]
        if start < self.now or day not in self.days:
            return [blocker("in-the-past", "The start is past.", field="day", remedy="Choose a later day.")]
        if start != clock.quarter_start(clock.quarter_of(start)):
            message = "Visits start on the quarter-hour."
            return [blocker("start-off-grid", message, field="time", remedy="Choose :00, :15, :30 or :45.")]
        found = self.days.why_not(day, start, self.minutes(day))
        if found:
            return found
        full = [other for other in self.course_days(day)[1:] if not self.days.starts(other, self.minutes(other))]
        return self.nothing_fits(full or [day])

    def alternatives(self, wished_day: dt.date, wall: dt.time, days: Iterable[dt.date], most: int) -> tuple:
        """The nearest first starts that fit: two of the day asked for, then one of each other day, nearest first."""
        wished = wall_instant(wished_day, wall, self.zone)
        same_day = sorted(
            (start for start in self.days.starts(wished_day, self.minutes(wished_day)) if self._whole_course(start)),
            key=lambda start: (abs(start - wished), start),
        )[:2]
        nearest = sorted({*days} - {wished_day}, key=lambda day: (abs((day - wished_day).days), day))
        others = (self.starts_of(day, wall) for day in nearest if not self.beyond_the_order(day))
        return tuple(sorted([*same_day, *[starts[0] for starts in others if starts][: most - len(same_day)]]))

    def _whole_course(self, start: dt.datetime) -> bool:
        local = clock.to_local(start, self.zone)
        return bool(self.starts_of(local.date(), local.time(), exact=True))
