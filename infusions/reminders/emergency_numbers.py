"""Whom to call in an emergency, by the country of the site. One small table; elsewhere no number is better than a
wrong one."""

from __future__ import annotations

# ITU-T E.161.1: 112 and 911 are the numbers for countries without one of their own; these have told theirs.
NUMBERS = {"US": "911", "CA": "911", "MX": "911", "GB": "999", "IE": "112", "CH": "112", "NO": "112", "IS": "112"}
EUROPEAN_UNION = (
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"  # Directive (EU) 2018/1972
).split()
NUMBERS |= dict.fromkeys(EUROPEAN_UNION, "112")


def emergency_number(country: str) -> str:
    """Empty where it is not known: then the page says "your emergency number"."""
    return NUMBERS.get(country.upper(), "")
