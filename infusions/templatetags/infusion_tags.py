"""Template words used on every page: times in the zone of the site, doses and rates with their units."""

import datetime as dt
from decimal import Decimal

from django import template

from infusion_center.core import clock

register = template.Library()


@register.filter
def local(instant: dt.datetime, zone_name: str) -> dt.datetime:
    """The instant as a wall time without zone, so that |date prints it as it is."""
    return clock.to_local(instant, zone_name).replace(tzinfo=None) if instant else instant


@register.filter
def wall_time(instant: dt.datetime, site) -> str:
    """14:30 or 2:30 PM, in the site's zone and manner."""
    if not instant:
        return ""
    local_time = clock.to_local(instant, site.time_zone)
    return local_time.strftime("%H:%M") if site.uses_24h_clock else local_time.strftime("%I:%M %p").lstrip("0")


@register.filter
def plain(number: Decimal) -> str:
    """A Decimal without trailing zeros: 30, 2.5."""
    return f"{number.normalize():f}" if isinstance(number, Decimal) else str(number)


@register.filter
def duration(minutes: int) -> str:
    """95 -> 1 h 35 min."""
    hours, rest = divmod(int(minutes), 60)
    return f"{hours} h {rest:02d} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"


@register.filter
def age(patient, now: dt.datetime) -> int:
    return patient.age_on(clock.local_date(now, patient.time_zone))


@register.filter
def allows(permissions: set, name: str) -> bool:
    """{% if frame_permissions|allows:"BOOK_APPOINTMENT" %}"""
    return name in permissions
