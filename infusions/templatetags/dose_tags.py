"""Words of the chairside pages: how long until something is due, and numbers that a script counts on."""

import datetime as dt

from django import template

from infusions.doses.history import signs_text

register = template.Library()


@register.filter
def epoch(instant: dt.datetime) -> int:
    """Seconds since 1970, for the script that ticks."""
    return int(instant.timestamp()) if instant else 0


@register.filter
def until(instant: dt.datetime, now: dt.datetime) -> str:
    """in 12 min - now - 5 min late."""
    minutes = int((instant - now).total_seconds() // 60)
    if minutes >= 60:
        return f"in {minutes // 60} h {minutes % 60:02d} min"
    if minutes >= 1:
        return f"in {minutes} min"
    late = int((now - instant).total_seconds() // 60)
    if late < 1:
        return "now"
    return f"{late // 60} h {late % 60:02d} min late" if late >= 60 else f"{late} min late"


@register.filter
def signs(vital_signs) -> str:
    return signs_text(vital_signs)
