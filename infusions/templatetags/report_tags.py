"""How the figures of reports are written."""

from decimal import Decimal

from django import template

register = template.Library()
FULL = Decimal(100)


@register.filter
def percent(value: Decimal | None) -> str:
    """12.5%; a dash where there is nothing to be a share of."""
    return "–" if value is None else f"{value}%"


@register.filter
def bar_width(value: Decimal) -> str:
    """Of a bar that is 100 wide: more than all is still a full bar. Text, so that no language puts a comma in it."""
    return str(min(value, FULL))
