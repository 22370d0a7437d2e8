"""What a visit should have, and when: the promises in plain arithmetic, for comparison with what was done."""

import datetime as dt
from zoneinfo import ZoneInfo

NINE, FIVE, EIGHT = dt.time(9), dt.time(17), dt.time(20)
ANNOUNCEMENT = ("confirmation", "moved")


def expected_kinds(site) -> list[tuple[str, ...]]:
    """For each message that a visit ahead should have, the kinds that fulfil it."""
    evening = [("hydration",)] if site.sends_hydration_mail else []
    return [ANNOUNCEMENT, *((f"days_{days}",) for days in site.reminder_days), *evening]


def due_at(kind: str, start: dt.datetime, zone: str) -> dt.datetime | None:
    """Nine in the morning, so many days before the visit, by the patient's calendar; None if it goes at once.

    What is said for the evening before: five in the afternoon.
    """
    if kind == "hydration":
        return evening_before(start, zone, FIVE)
    if not kind.startswith("days_"):
        return None
    day = start.astimezone(ZoneInfo(zone)).date() - dt.timedelta(days=int(kind[5:]))
    return dt.datetime.combine(day, NINE, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def evening_before(start: dt.datetime, zone: str, wall: dt.time) -> dt.datetime:
    day = start.astimezone(ZoneInfo(zone)).date() - dt.timedelta(days=1)
    return dt.datetime.combine(day, wall, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)


def latest_at(kind: str, start: dt.datetime, zone: str) -> dt.datetime:
    """From then on the reminder would be wrong, or of no use."""
    if kind == "hydration":
        return evening_before(start, zone, EIGHT)
    if not kind.startswith("days_"):
        return start
    days = int(kind[5:])
    return start - (dt.timedelta(days=days - 1) if days > 1 else dt.timedelta(hours=4))


def is_night(instant: dt.datetime, zone: str, site) -> bool:
    wall = instant.astimezone(ZoneInfo(zone)).time()
    return wall >= as_time(site.quiet_from) or wall < as_time(site.quiet_until)


def awake_at(instant: dt.datetime, zone: str, site) -> dt.datetime:
    """The instant itself, or the first quarter-hour after it that is not at night."""
    while is_night(instant, zone, site):
        instant += dt.timedelta(minutes=15) - dt.timedelta(
            minutes=instant.minute % 15, seconds=instant.second, microseconds=instant.microsecond
        )
    return instant


def as_time(value) -> dt.time:
    return dt.time.fromisoformat(value) if isinstance(value, str) else value
