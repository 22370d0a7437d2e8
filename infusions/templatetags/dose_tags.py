"""Words of the chairside pages: how long until something is due, and numbers that a script counts on."""

import datetime as dt

from django import template

from infusions.doses.due import Due
from infusions.doses.history import signs_text

register = template.Library()
MINUTE = dt.timedelta(minutes=1)


@register.filter
def epoch(instant: dt.datetime) -> int:
    """Seconds since 1970, for the script that ticks."""
    return int(instant.timestamp()) if instant else 0


@register.filter
def clock_text(due: Due, now: dt.datetime) -> str:
    """in 12 min - now - for 3 min - 7 min late."""
    left = due.at - now
    if left >= MINUTE:
        return f"in {span(left)}"
    if left > -MINUTE:
        return "now"
    return f"{span(-left)} late" if now > due.latest else f"for {span(-left)}"


def span(length: dt.timedelta) -> str:
    hours, minutes = divmod(length // MINUTE, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


@register.filter
def signs(vital_signs) -> str:
    return signs_text(vital_signs)


@register.filter
def given_at(course, now: dt.datetime):
    return course.given_ml(now)


@register.filter
def percent_at(course, now: dt.datetime) -> int:
    return course.given_percent(now)


@register.filter
def ends_at(course, now: dt.datetime) -> dt.datetime | None:
    """When it will be all in, if every step is made on time."""
    return course.projected_end(now)
