"""Public holidays of a country and region, from the holidays package. Pure: no rows, no clock."""

from __future__ import annotations

import datetime as dt

import holidays


def public_holidays(country: str, region: str, year: int) -> list[tuple[dt.date, str]]:
    """Day and name, in order, days on which one is observed included. Unknown country or region: ValueError."""
    try:
        found = holidays.country_holidays(country, subdiv=region or None, years=year)
    except NotImplementedError as unknown:
        place = f"{country} {region}".strip()
        raise ValueError(f"No public holidays are known for {place}.") from unknown
    return sorted((day, name[:80]) for day, name in found.items() if day.year == year)
