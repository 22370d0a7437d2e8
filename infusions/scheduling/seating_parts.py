"""The parts that seating decides: the chairs of each kind, and the nurses. Pure.

Nurses are asked twice at most. First a lane counts patients: so many at once as the ratio allows. Only if the places
cannot be handed out after that, which needs a place that somebody holds for ever, each place is a seat of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from infusions.facility.models import MAX_RATIO
from infusions.scheduling.lanes import chair_lane, hands_lane, name_lane, place_lane, place_lanes
from infusions.scheduling.models import Appointment
from infusions.scheduling.seating import WANTED, Choice, Mover, Part, Room, Take
from infusions.scheduling.seating_puzzle import Puzzle, Stay


def _kept(puzzle: Puzzle, name: str, build: Callable[[], Part]) -> Part:
    """Built once for a day, however many starts are asked about."""
    if name not in puzzle.parts:
        puzzle.parts[name] = _with_hits(build())
    return puzzle.parts[name]


def _with_hits(part: Part) -> Part:
    """Visits that an overrun pushes off their seats are unsettled: they may keep it only for want of a better one."""
    room = Room(part, (mover.now for mover in part.movers if mover.now))
    over = {lane: full for lane in room.levels if (full := room.overfull(lane))}
    if not over:
        return part

    def hit(mover: Mover) -> Mover:
        if not any(take.quarters & over.get(take.lane, 0) for take in mover.now.takes):
            return mover
        takes = tuple(replace(take, quarters=take.quarters & ~over.get(take.lane, 0)) for take in mover.now.takes)
        staying = Choice(mover.now.seat, takes, settled=False, keeps_place=True)
        others = tuple(choice for choice in mover.choices if choice.settled)
        return Mover(mover.key, (*others, staying), staying)

    return replace(part, movers=tuple(hit(mover) for mover in part.movers))


# Chairs


def chair_part(puzzle: Puzzle, kind: str, *, with_wanted: bool) -> Part:
    """Every visit in a chair of the kind, and the wanted one if it is to have such a chair."""
    part = _kept(puzzle, f"chairs {kind}", lambda: _build_chairs(puzzle, kind))
    if not with_wanted:
        return part
    stay, named = puzzle.stays[WANTED], puzzle.wanted.chair_id
    chairs = [chair_id for chair_id in _good_chairs(puzzle, kind, stay) if named in (None, chair_id)]
    return part.with_mover(Mover(WANTED, tuple(_chair_choice(chair_id, stay) for chair_id in chairs)))


def _build_chairs(puzzle: Puzzle, kind: str) -> Part:
    lanes = {chair_lane(chair.pk) for chair in puzzle.rows.chairs.values() if chair.kind == kind}
    fixed = [take for take in _fixed_takes(puzzle) if take.lane in lanes]
    sitting = [stay for key, stay in puzzle.stays.items() if key != WANTED and not stay.at_home]
    of_kind = [stay for stay in sitting if chair_lane(puzzle.visits[stay.key].chair_id) in lanes]
    return Part(tuple(_chair_mover(puzzle, kind, stay) for stay in of_kind), tuple(fixed))


def _fixed_takes(puzzle: Puzzle) -> Iterator[Take]:
    for visit in puzzle.fixed:
        yield from (Take(lane, quarters) for lane, quarters in puzzle.takes(visit).items())


def _chair_mover(puzzle: Puzzle, kind: str, stay: Stay) -> Mover:
    good, own = _good_chairs(puzzle, kind, stay), puzzle.visits[stay.key].chair_id
    now = replace(_chair_choice(own, stay), settled=own in good or stay.key not in puzzle.uncovered)
    cost = puzzle.cost_of(stay.key)
    return Mover(stay.key, (now, *(_chair_choice(one, stay, cost) for one in good if one != own)), now)


def _good_chairs(puzzle: Puzzle, kind: str, stay: Stay) -> list[int]:
    """In service throughout."""
    rows = puzzle.rows
    usable = (chair.pk for chair in rows.chairs.values() if chair.kind == kind and chair.is_active)
    return [chair_id for chair_id in usable if not rows.outages.get(chair_id, 0) & stay.whole]


def _chair_choice(chair_id: int, stay: Stay, cost: int = 0) -> Choice:
    return Choice((chair_id,), (Take(chair_lane(chair_id), stay.whole),), cost)


# Nurses


def nurse_part(puzzle: Puzzle) -> Part:
    """Who has how many patients; their places are handed out afterwards."""
    counted = {nurse_id: sorted({s.ratio for s in spans}) for nurse_id, spans in puzzle.rows.shifts.items()}
    part = _kept(puzzle, "nurses", lambda: _build_nurses(puzzle, counted))
    if puzzle.wanted is None:
        return part
    stay = puzzle.stays[WANTED]
    choices = (_nurse_choice(stay, nurse_id, limit, counted, 0) for nurse_id, limit in puzzle.limits(stay).items())
    return part.with_mover(Mover(WANTED, tuple(choices)))


def _build_nurses(puzzle: Puzzle, counted: Mapping[int, list[int]]) -> Part:
    capacity = {(nurse_id, ratio): ratio for nurse_id, ratios in counted.items() for ratio in ratios}
    nurse_ids = {*counted, *(visit.nurse_id for visit in (*puzzle.rows.visits, *puzzle.rows.elsewhere))}
    capacity |= {("room", nurse_id): MAX_RATIO for nurse_id in nurse_ids}
    fixed = tuple(take for visit in puzzle.fixed for take in _counted_takes(puzzle, visit, counted))
    stays = (stay for key, stay in puzzle.stays.items() if key != WANTED)
    return Part(tuple(_nurse_mover(puzzle, stay, counted) for stay in stays), fixed, capacity)


def _nurse_choice(stay: Stay, nurse_id: int, limit: int, counted: Mapping[int, list[int]], cost: int) -> Choice:
    takes = [Take(hands_lane(nurse_id), stay.hands)]
    takes.append(Take(("room", nurse_id), stay.whole, MAX_RATIO if stay.at_home else 1))
    if not stay.at_home:
        takes += [Take((nurse_id, ratio), stay.whole) for ratio in counted[nurse_id] if ratio >= limit]
    return Choice((nurse_id,), tuple(takes), cost)


def _nurse_mover(puzzle: Puzzle, stay: Stay, counted: Mapping[int, list[int]]) -> Mover:
    visit, good, cost = puzzle.visits[stay.key], puzzle.limits(stay), puzzle.cost_of(stay.key)
    own = visit.nurse_id
    others = [_nurse_choice(stay, one, limit, counted, cost) for one, limit in good.items() if one != own]
    if _sits_well(visit, good):
        now = _nurse_choice(stay, own, good[own], counted, 0)
        return Mover(stay.key, (now, *others), now)
    takes = tuple(_counted_takes(puzzle, visit, counted))
    now = Choice((own,), takes, settled=stay.key not in puzzle.uncovered, keeps_place=True)
    if own in good:
        # The same nurse, another of her places: nobody sees a change.
        others.insert(0, _nurse_choice(stay, own, good[own], counted, 1))
    return Mover(stay.key, (now, *others), now)


def _sits_well(visit: Appointment, limits: Mapping[int, int]) -> bool:
    return visit.ratio_place < limits.get(visit.nurse_id, 0) or (visit.is_home and visit.nurse_id in limits)


def _counted_takes(puzzle: Puzzle, visit: Appointment, counted: Mapping[int, list[int]]) -> Iterator[Take]:
    """Of a visit that keeps its very place: it counts wherever that place does."""
    takes, nurse_id = puzzle.takes(visit), visit.nurse_id
    whole = takes[place_lane(nurse_id, visit.ratio_place)]
    yield Take(hands_lane(nurse_id), takes.get(hands_lane(nurse_id), 0))
    yield Take(("room", nurse_id), whole, MAX_RATIO if visit.is_home else 1)
    if not visit.is_home:
        above = (ratio for ratio in counted.get(nurse_id, ()) if ratio > visit.ratio_place)
        yield from (Take((nurse_id, ratio), whole) for ratio in above)


# Nurses again, each place of each of them a seat


def place_part(puzzle: Puzzle) -> Part:
    part = _kept(puzzle, "places", lambda: _build_places(puzzle))
    if puzzle.wanted is None:
        return part
    stay = puzzle.stays[WANTED]
    return part.with_mover(Mover(WANTED, tuple(_place_choice(stay, *seat) for seat in _place_seats(puzzle, stay))))


def _build_places(puzzle: Puzzle) -> Part:
    fixed = (take for take in _fixed_takes(puzzle) if name_lane(take.lane).kind in ("hands", "place"))
    movers = (_place_mover(puzzle, stay) for key, stay in puzzle.stays.items() if key != WANTED)
    return Part(tuple(movers), tuple(fixed))


def _place_seats(puzzle: Puzzle, stay: Stay) -> list[tuple[int, int]]:
    limits = puzzle.limits(stay).items()
    return [(nurse_id, place) for nurse_id, limit in limits for place in range(1 if stay.at_home else limit)]


def _place_choice(stay: Stay, nurse_id: int, place: int, cost: int = 0) -> Choice:
    lanes = place_lanes(nurse_id) if stay.at_home else [place_lane(nurse_id, place)]
    takes = (Take(hands_lane(nurse_id), stay.hands), *(Take(lane, stay.whole) for lane in lanes))
    return Choice((nurse_id, place), takes, cost)


def _place_mover(puzzle: Puzzle, stay: Stay) -> Mover:
    visit, cost = puzzle.visits[stay.key], puzzle.cost_of(stay.key)
    own = (visit.nurse_id, visit.ratio_place)
    settled = _sits_well(visit, puzzle.limits(stay)) or stay.key not in puzzle.uncovered
    now = replace(_place_choice(stay, *own), settled=settled)
    others = (
        _place_choice(stay, *seat, cost=1 if seat[0] == visit.nurse_id else cost)
        for seat in _place_seats(puzzle, stay)
        if seat != own
    )
    return Mover(stay.key, (now, *others), now)
