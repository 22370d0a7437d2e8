"""Says in a few words why a line of a series got its start. Pure."""

from __future__ import annotations

import datetime as dt

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
