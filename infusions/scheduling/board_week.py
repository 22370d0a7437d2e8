"""A week of a site: how many chairs and nurses' places are taken in each hour, day by day. Two statements."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from infusion_center.core import clock
from infusions.facility.models import Setting, Site
from infusions.facility.queries import wall_instant
from infusions.scheduling.board_cover import uncovered_because
from infusions.scheduling.board_ground import Ground, ground_of
from infusions.scheduling.board_layout import Axis, Bar, axis_for
from infusions.scheduling.board_load import Counter, Load, by_hour
from infusions.scheduling.board_rows import VisitRow, visit_rows


@dataclass(frozen=True)
class HourLoad:
    """An hour of wall time; both None where the day has no such hour, or the site is closed and nobody is there."""

    chairs: Load | None = None
    nurses: Load | None = None

    @property
    def is_idle(self) -> bool:
        return self.chairs is not None and not self.chairs.taken and not self.nurses.taken


@dataclass(frozen=True)
class WeekDay:
    day: dt.date
    is_today: bool
    is_open: bool
    closure: str
    visits: int
    homes: int
    uncovered: int
    hours: list[HourLoad]


@dataclass(frozen=True)
class BoardWeek:
    site: Site
    day: dt.date
    now: dt.datetime
    labels: list[str]
    days: list[WeekDay]

    @property
    def monday(self) -> dt.date:
        return self.days[0].day

    @property
    def sunday(self) -> dt.date:
        return self.days[-1].day

    @property
    def is_today(self) -> bool:
        return any(one.is_today for one in self.days)

    @property
    def visit_count(self) -> int:
        return sum(one.visits for one in self.days)

    @property
    def uncovered_count(self) -> int:
        return sum(one.uncovered for one in self.days)


def board_week(site: Site, day: dt.date, now: dt.datetime) -> BoardWeek:
    """The week, Monday to Sunday, that the day lies in."""
    monday = day - dt.timedelta(days=day.weekday())
    days = [monday + dt.timedelta(days=number) for number in range(7)]
    start, end = clock.day_bounds(monday, site.time_zone)[0], clock.day_bounds(days[-1], site.time_zone)[1]
    ground = ground_of(site, monday, days[-1])
    visits: dict[dt.date, list[VisitRow]] = defaultdict(list)
    for visit in visit_rows(site, start, end):
        visits[clock.local_date(visit.start, site.time_zone)].append(visit)
    loads = {one: _loads(site, one, visits[one], ground) for one in days}
    # One axis of wall hours for all days, so that the hours stand below each other whatever the clocks do.
    walls = sorted({wall for load in loads.values() for wall in load})
    hours = range(walls[0], walls[-1] + 1) if walls else range(8, 18)
    today = clock.local_date(now, site.time_zone)
    return BoardWeek(
        site=site,
        day=day,
        now=now,
        labels=[_label(hour, site.uses_24h_clock) for hour in hours],
        days=[
            WeekDay(
                day=one,
                is_today=one == today,
                is_open=one in ground.spans,
                closure=ground.closures.get(one, ""),
                visits=len(visits[one]),
                homes=sum(1 for visit in visits[one] if visit.is_home),
                uncovered=sum(1 for visit in visits[one] if uncovered_because(visit, ground, now)),
                hours=[loads[one].get(hour, HourLoad()) for hour in hours],
            )
            for one in days
        ],
    )


def _loads(site: Site, day: dt.date, visits: list[VisitRow], ground: Ground) -> dict[int, HourLoad]:
    """Wall hour -> load of that hour; of an hour that the day has twice, the fuller one."""
    seated = [visit for visit in visits if not visit.is_home]
    if day not in ground.spans and not seated:
        return {}
    openings = [ground.spans[day]] if day in ground.spans else []
    bounds = clock.day_bounds(day, site.time_zone)
    fallback = (wall_instant(day, dt.time(8), site.time_zone), wall_instant(day, dt.time(18), site.time_zone))
    axis = axis_for(openings, [Bar(visit.start, visit.end, None) for visit in seated], site.time_zone, fallback)
    taken = Counter(axis).add_visits(seated)
    chairs, places = _chairs(axis, ground, openings, bounds), Counter(axis)
    for shift in ground.shifts:
        if shift.setting == Setting.FACILITY:
            places.add_spans([(shift.start, shift.end)], shift.ratio)
    found: dict[int, HourLoad] = {}
    for span, used, load in zip(axis.hour_spans, by_hour(taken, chairs), by_hour(taken, places), strict=True):
        wall = clock.to_local(clock.quarter_start(span.start), site.time_zone).hour
        if wall not in found or used.taken > found[wall].chairs.taken:
            found[wall] = HourLoad(used, load)
    return found


def _chairs(axis: Axis, ground: Ground, openings, bounds) -> Counter:
    """How many chairs can be used in each quarter of the opening."""
    usable = Counter(axis).add_spans(openings, len(ground.chairs))
    for outages in ground.outages.values():
        for out in outages:
            for opens, closes in openings:
                start, end = max(out.start, opens), min(out.end, closes)
                if start < end:
                    usable.add_spans([(start, end)], -1)
    return usable


def _label(hour: int, uses_24h_clock: bool) -> str:
    return f"{hour:02d}" if uses_24h_clock else f"{hour % 12 or 12} {'AM' if hour < 12 else 'PM'}"
