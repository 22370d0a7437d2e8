"""Time: the instant is kept in UTC, people are promised wall time in the zone of a site or of their home."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dateparse import parse_datetime

QUARTER = dt.timedelta(minutes=15)
QUARTER_SECONDS = 900
# Outside of these years arithmetic with days and zones runs off the calendar, and nobody means them.
FIRST_YEAR, LAST_YEAR = 1880, 2199


class NonexistentTime(ValueError):
    """A wall time that the zone skips when its clocks go forward."""


_pretended: ContextVar[dt.datetime | None] = ContextVar("pretended", default=None)


def now() -> dt.datetime:
    return _pretended.get() or timezone.now()


@contextmanager
def pretend(instant: dt.datetime) -> Iterator[None]:
    """Let now() answer `instant`: demo data tells of weeks gone by, with records dated as they would have been."""
    token = _pretended.set(instant)
    try:
        yield
    finally:
        _pretended.reset(token)


def parse_instant(text: str) -> dt.datetime | None:
    """An instant as a page's button sends it, in UTC; None for what is none, has no zone, or lies off the calendar."""
    try:
        instant = parse_datetime(text)
    except ValueError:
        return None
    if instant is None or instant.tzinfo is None or not FIRST_YEAR <= instant.year <= LAST_YEAR:
        return None
    return instant.astimezone(dt.UTC)


def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def to_local(instant: dt.datetime, zone_name: str) -> dt.datetime:
    return instant.astimezone(ZoneInfo(zone_name))


def local_date(instant: dt.datetime, zone_name: str) -> dt.date:
    return to_local(instant, zone_name).date()


def from_local(day: dt.date, wall: dt.time, zone_name: str) -> dt.datetime:
    """The instant of a wall time; the first of the two where clocks go back. Raises NonexistentTime in a gap."""
    local = dt.datetime.combine(day, wall, tzinfo=ZoneInfo(zone_name))
    instant = local.astimezone(dt.UTC)
    if instant.astimezone(ZoneInfo(zone_name)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise NonexistentTime(f"{wall:%H:%M} does not exist on {day:%d %b %Y} in {zone_name}: clocks go forward.")
    return instant


def day_bounds(day: dt.date, zone_name: str) -> tuple[dt.datetime, dt.datetime]:
    """First instant of the local day and of the next one: 23, 24 or 25 hours apart."""
    local_zone = ZoneInfo(zone_name)
    first = dt.datetime.combine(day, dt.time.min, tzinfo=local_zone)
    following = dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min, tzinfo=local_zone)
    return first.astimezone(dt.UTC), following.astimezone(dt.UTC)


def quarter_of(instant: dt.datetime) -> int:
    """Number of the quarter-hour since the UTC epoch that the instant lies in."""
    return int(instant.timestamp()) // QUARTER_SECONDS


def quarter_start(quarter: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(quarter * QUARTER_SECONDS, tz=dt.UTC)


def quarters_between(start: dt.datetime, end: dt.datetime) -> range:
    """Every quarter-hour that [start, end) touches."""
    return range(quarter_of(start), -(-int(end.timestamp()) // QUARTER_SECONDS))
