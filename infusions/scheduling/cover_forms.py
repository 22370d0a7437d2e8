"""Parses which days the pages of uncovered visits are about, and what was ticked and picked on a proposal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from infusion_center.core import clock
from infusions.facility.models import Site


@dataclass(frozen=True)
class Span:
    """Local days of a site, first and last included; without them everything from now on."""

    site: Site
    first_day: dt.date | None
    last_day: dt.date | None

    @property
    def start(self) -> dt.datetime:
        """Long ago where no day is named: what is over is left out anyhow."""
        if self.first_day is None:
            return dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
        return clock.day_bounds(self.first_day, self.site.time_zone)[0]

    @property
    def end(self) -> dt.datetime | None:
        return clock.day_bounds(self.last_day, self.site.time_zone)[1] if self.last_day else None

    @property
    def query(self) -> str:
        days = {"from": self.first_day, "to": self.last_day}
        return urlencode({"site": self.site.public_id} | {name: day.isoformat() for name, day in days.items() if day})


def span_of(query: Mapping[str, str], site: Site) -> Span:
    """?day= one day, ?from= and ?to= several; what is no date counts as not said."""
    one = _day(query.get("day"))
    first, last = (one, one) if one else (_day(query.get("from")), _day(query.get("to")))
    if first and last and last < first:
        first, last = last, first
    return Span(site, first, last)


def _day(text: str | None) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if 2000 < day.year < 2200 else None


@dataclass(frozen=True)
class PlanForm:
    """`plan`: as it was shown, signed. `visit`: those ticked. `to-<visit>`: its new start, empty to leave it."""

    data: QueryDict

    def chosen(self) -> dict:
        """What apply_cover takes; a start that is no moment counts as not picked."""
        starts = {}
        for name, value in self.data.items():
            moment = clock.parse_instant(value) if name.startswith("to-") else None
            if moment is not None:
                starts[name.removeprefix("to-")] = moment
        return {
            "shown": self.data.get("plan", ""),
            "chosen": frozenset(self.data.getlist("visit")),
            "new_starts": starts,
        }
