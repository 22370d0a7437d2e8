"""Hands out the places of each nurse's ratio once it is known who is with whom. Pure.

Which place a visit has is bookkeeping that nobody sees, so it may change for any visit that has not begun.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infusions.scheduling.lanes import place_lanes
from infusions.scheduling.seating import Seating
from infusions.scheduling.seating_puzzle import Puzzle, Stay


@dataclass(frozen=True)
class Guest:
    """A visit with a nurse: `own` is the place it holds with her now, `limit` how many places it may choose from."""

    key: int
    whole: int
    limit: int
    own: int | None


def hand_out_places(puzzle: Puzzle, nurses: Seating) -> dict[int, int] | None:
    """The place of each mover, as few of them new as is easy; None where handing out one by one fails.

    Visits that begin in order always find a place while fewer than the ratio are there, unless somebody who comes later
    holds his place already.
    """
    held: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))  # nurse -> place -> quarters
    for visit in puzzle.fixed:
        for place, lane in enumerate(place_lanes(visit.nurse_id)):
            held[visit.nurse_id][place] |= puzzle.takes(visit).get(lane, 0)
    guests: dict[int, list[Guest]] = defaultdict(list)
    places: dict[int, int] = {}
    for key, stay in puzzle.stays.items():
        choice = nurses.chosen[key]
        (nurse_id,) = choice.seat
        if stay.at_home:  # takes the nurse wholly, which the solver has seen to
            places[key] = 0
        elif choice.keeps_place:
            places[key] = puzzle.visits[key].ratio_place
            held[nurse_id][places[key]] |= stay.whole
        else:
            guests[nurse_id].append(_guest(puzzle, stay, nurse_id))
    for nurse_id, with_her in guests.items():
        found = _keep_and_add(with_her, held[nurse_id]) or _one_by_one(with_her, held[nurse_id])
        if found is None:
            return None
        places |= found
    return places


def _guest(puzzle: Puzzle, stay: Stay, nurse_id: int) -> Guest:
    visit = puzzle.visits.get(stay.key)
    own = visit.ratio_place if visit is not None and visit.nurse_id == nurse_id else None
    limit = puzzle.limits(stay)[nurse_id]
    return Guest(stay.key, stay.whole, limit, own if own is not None and own < limit else None)


def _keep_and_add(guests: list[Guest], held: Mapping[int, int]) -> dict[int, int] | None:
    """Whoever is with her already keeps his place."""
    return _one_by_one(sorted(guests, key=lambda guest: guest.own is None), held, in_order=False)


def _one_by_one(guests: Iterable[Guest], held: Mapping[int, int], *, in_order: bool = True) -> dict[int, int] | None:
    taken = dict(held)
    found: dict[int, int] = {}
    for guest in sorted(guests, key=lambda guest: guest.whole & -guest.whole) if in_order else guests:
        tried = [*([guest.own] if guest.own is not None else []), *range(guest.limit)]
        place = next((one for one in tried if not taken.get(one, 0) & guest.whole), None)
        if place is None:
            return None
        taken[place] = taken.get(place, 0) | guest.whole
        found[guest.key] = place
    return found
