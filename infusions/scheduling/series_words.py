"""Says in a few words why a line of a series got its start. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from infusion_center.core import clock
from infusions.facility.models import Closure, Site
from infusions.scheduling.refusals import name_day

DAY_WORDS = {
    "closed": "closed on {day}",
    "no-shift": "nobody works on {day}",
    "patient-busy": "the patient has another visit on {day}",
}


def name_time(wall: dt.time, site: Site) -> str:
    return f"{wall:%H:%M}" if site.uses_24h_clock else f"{wall:%I:%M %p}".lstrip("0")


def as_aimed_at(day: dt.date, wall: dt.time, site: Site, because: str) -> str:
    return f"{day:%A} {name_time(wall, site)} {because}"


def other_time(aimed_at: dt.time, wall: dt.time, site: Site) -> str:
    return f"{name_time(aimed_at, site)} does not fit: {name_time(wall, site)} is the nearest free start"


def other_day(ideal: dt.date, day: dt.date, aimed_at: dt.time, wall: dt.time, site: Site, reason: str) -> str:
    days = (day - ideal).days
    moved = f"{abs(days)} day{'s' if abs(days) > 1 else ''} {'later' if days > 0 else 'earlier'}"
    at = "" if wall == aimed_at else f", {name_time(wall, site)}"
    return f"{reason}: {moved}{at}"


def day_reason(day: dt.date, closure: Closure | None, code: str) -> str:
    """Why nothing fits on a day: "closed on Fri 25 Dec 2026 (Christmas Day)"."""
    if closure is not None:
        return f"closed on {name_day(day)} ({closure.reason})" if closure.reason else f"closed on {name_day(day)}"
    return DAY_WORDS.get(code, "{day} is full").format(day=name_day(day))


def later_days(starts: Sequence[dt.datetime], site: Site, first: int) -> str:
    """ "day 2 Wed 09:00, day 3 Thu 10:15": what follows the first day of a course."""
    walls = [clock.to_local(start, site.time_zone) for start in starts]
    return ", ".join(f"day {first + n} {wall:%a} {name_time(wall.time(), site)}" for n, wall in enumerate(walls))
