"""The roster week as a grid: nurses by days, with what each day is covered by. Three queries, whatever its size."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from infusion_center.core import clock
from infusions.facility import queries, rules
from infusions.facility.models import Closure, Nurse, OpeningHours, Setting, Shift, Site


@dataclass
class Cell:
    day: dt.date
    shifts: list[Shift] = field(default_factory=list)


@dataclass
class Row:
    nurse: Nurse
    cells: list[Cell]
    hours: float = 0.0


@dataclass
class Day:
    """One column: is the site open, and what do shifts and visits add up to."""

    day: dt.date
    closure: Closure | None = None
    hours: OpeningHours | None = None
    nurses: int = 0
    places: int = 0
    home: int = 0
    visits: int = 0

    @property
    def is_open(self) -> bool:
        return self.hours is not None and self.closure is None

    @property
    def lacks_nurse(self) -> bool:
        return bool(self.visits) and not (self.nurses or self.home)


@dataclass
class RosterWeek:
    site: Site
    monday: dt.date
    days: list[Day]
    rows: list[Row]

    @property
    def sunday(self) -> dt.date:
        return self.monday + dt.timedelta(days=6)

    @property
    def before(self) -> dt.date:
        return self.monday - dt.timedelta(days=7)

    @property
    def after(self) -> dt.date:
        return self.monday + dt.timedelta(days=7)


def monday_of(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())


def roster_week(site: Site, monday: dt.date) -> RosterWeek:
    start, end = queries.week_bounds(site, monday)
    week = queries.days_between(monday, monday + dt.timedelta(days=6))
    shifts = [shift for shift in queries.shifts_between(site, start, end) if _day_of(shift, site) in week]
    by_nurse: dict[int, list[Shift]] = defaultdict(list)
    for shift in shifts:
        by_nurse[shift.nurse_id].append(shift)
    nurses = {nurse.pk: nurse for nurse in queries.nurses_of(site)} | {shift.nurse_id: shift.nurse for shift in shifts}
    in_order = sorted(nurses.values(), key=lambda nurse: (nurse.user.full_name, nurse.pk))
    return RosterWeek(
        site=site,
        monday=monday,
        days=_days(site, week, shifts, start, end),
        rows=[_row(nurse, week, by_nurse[nurse.pk], site) for nurse in in_order],
    )


def _row(nurse: Nurse, week: list[dt.date], shifts: list[Shift], site: Site) -> Row:
    cells = {day: Cell(day) for day in week}
    for shift in shifts:
        cells[_day_of(shift, site)].shifts.append(shift)
    seconds = sum((shift.ends_at - shift.starts_at).total_seconds() for shift in shifts)
    return Row(nurse, list(cells.values()), seconds / 3600)


def _days(site: Site, week: list[dt.date], shifts: list[Shift], start: dt.datetime, end: dt.datetime) -> list[Day]:
    closed = queries.closed_days(site, week[0], week[-1])
    hours = {row.weekday: row for row in OpeningHours.objects.filter(site=site)}
    starts = rules.not_cancelled(site.appointments).filter(start__gte=start, start__lt=end)
    visits = Counter(clock.local_date(at, site.time_zone) for at in starts.values_list("start", flat=True))
    days = {day: Day(day, closure=closed.get(day), hours=hours.get(day.weekday()), visits=visits[day]) for day in week}
    for shift in shifts:
        column = days[_day_of(shift, site)]
        if shift.setting == Setting.HOME:
            column.home += 1
        else:
            column.nurses += 1
            column.places += shift.ratio
    return list(days.values())


def _day_of(shift: Shift, site: Site) -> dt.date:
    """The local day on which the shift begins."""
    return clock.local_date(shift.starts_at, site.time_zone)
