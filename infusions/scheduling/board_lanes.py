"""The rows of the day board: chairs, nurses on the road, and each nurse with her load and the places of her ratio."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from infusion_center.core import clock
from infusions.facility.models import Setting, Site
from infusions.scheduling.board_ground import Ground, ShiftRow
from infusions.scheduling.board_layout import Axis, Bar, Cell, painted, rows_of
from infusions.scheduling.board_load import Counter, Load, by_hour


@dataclass(frozen=True)
class BoardRow:
    """A chair, or a nurse on the road. `is_more`: another row of the same one, where visits overlap.

    `public_id` is empty where nothing can be moved to the row: a chair that is no longer used.
    """

    name: str
    note: str
    cells: list[Cell]
    public_id: str = ""
    is_more: bool = False


@dataclass(frozen=True)
class NurseRows:
    """A nurse in one setting: her hours in words, how many patients by the hour, and a row for each place."""

    name: str
    note: str
    public_id: str
    at_home: bool
    load: list[Load]
    places: list[list[Cell]] = field(default_factory=list)

    @property
    def peak(self) -> Load | None:
        return max(self.load, key=lambda load: (load.taken - load.of, load.taken), default=None)


def chair_rows(ground: Ground, axis: Axis, bars) -> list[BoardRow]:
    """Chairs in use, and those no longer used that still hold a visit."""
    held: dict[int, list[Bar]] = defaultdict(list)
    names: dict[int, tuple[str, str, str]] = {chair.pk: chair[1:] for chair in ground.chairs}
    for card, bar in bars:
        if card.visit.chair_id is not None:
            held[card.visit.chair_id].append(bar)
            names.setdefault(card.visit.chair_id, ("", card.visit.chair_name, "No longer used"))
    usual = painted(axis, [("free", ground.openings)])
    rows = []
    for pk, (public_id, name, kind) in names.items():
        outages = [(out.start, out.end) for out in ground.outages.get(pk, ())]
        strip = painted(axis, [("out", outages), ("free", ground.openings)]) if outages else usual
        for number, cells in enumerate(rows_of(axis, held[pk], strip)):
            rows.append(BoardRow(name, kind, cells, public_id, is_more=number > 0))
    return rows


def home_rows(axis: Axis, bars) -> list[BoardRow]:
    """One row for each nurse with home visits on the day; her hours are shown in the nurses' view."""
    nurses: dict[int, list] = defaultdict(list)
    for card, bar in bars:
        if card.visit.is_home:
            nurses[card.visit.nurse_id].append((card, bar))
    whole_day = painted(axis, [], default="free")
    return [
        BoardRow(own[0][0].visit.nurse_name, "On the road", cells, is_more=number > 0)
        for own in nurses.values()
        for number, cells in enumerate(rows_of(axis, [bar for _, bar in own], whole_day))
    ]


def nurse_rows(site: Site, ground: Ground, axis: Axis, bars) -> list[NurseRows]:
    """Each nurse on shift, and each who has a visit without one; those on the road come last."""
    shifts: dict[tuple, list[ShiftRow]] = defaultdict(list)
    for shift in ground.shifts:
        shifts[(shift.setting, shift.name, shift.public_id)].append(shift)
    own: dict[tuple, list] = defaultdict(list)
    for card, bar in bars:
        own[(card.visit.setting, card.visit.nurse_name, card.visit.nurse_public_id)].append((card, bar))
    return [_one_nurse(site, key, shifts.get(key, []), own.get(key, []), axis) for key in sorted({*shifts, *own})]


def _one_nurse(site: Site, key: tuple, shifts: list[ShiftRow], own: list, axis: Axis) -> NurseRows:
    setting, name, public_id = key
    at_home = setting == Setting.HOME
    spans = [(shift.start, shift.end) for shift in shifts]
    shades = [("free", spans)]
    if at_home:
        shades.insert(0, ("travel", [_away(card.visit) for card, _ in own]))
    strip = painted(axis, shades)
    places: dict[int, list[Bar]] = defaultdict(list)
    for card, bar in own:
        places[card.visit.ratio_place].append(bar)
    count = max([1, *(shift.ratio for shift in shifts), *(place + 1 for place in places)])
    taken = Counter(axis).add_visits(card.visit for card, _ in own)
    capacity = Counter(axis)
    for shift in shifts:
        capacity.add_spans([(shift.start, shift.end)], shift.ratio)
    return NurseRows(
        name=name,
        note=" and ".join(f"{_wall(start, site)}–{_wall(end, site)}" for start, end in spans) or "Not on shift",
        public_id=public_id,
        at_home=at_home,
        load=by_hour(taken, capacity),
        places=[row for place in range(count) for row in rows_of(axis, places[place], strip)],
    )


def _away(visit) -> tuple[dt.datetime, dt.datetime]:
    travel = dt.timedelta(minutes=visit.travel_minutes)
    return visit.start - travel, visit.end + travel


def _wall(instant: dt.datetime, site: Site) -> str:
    local = clock.to_local(instant, site.time_zone)
    return f"{local:%H:%M}" if site.uses_24h_clock else f"{local:%I:%M %p}".lstrip("0")
