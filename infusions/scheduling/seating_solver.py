"""Finds the seating with the fewest changes, or proves that there is none: one boolean per visit and seat (CP-SAT).

Times are fixed, so a lane is a plain sum per quarter of an hour; no interval variables. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

from infusions.scheduling.seating import Part, Room, Seating

# An unsettled visit outweighs any number of changes.
UNSETTLED = 1_000_000
# Work first, not seconds: the same day gives the same answer on a busy machine. Days of 110 visits need less than one.
MOST_WORK = 8.0
MOST_SECONDS = 15.0
SEED = 1


class Undecided(Exception):
    """The time was over before there was a seating or a proof that there is none."""


def solve(parts: Sequence[Part]) -> list[Seating] | None:
    """One seating for each part: as few unsettled visits as there can be, then as few changes. None: it cannot be done.

    A visit that is unsettled in one of the parts is not seated, so a visit seated in only some of them counts as none.
    Raises Undecided.
    """
    from ortools.sat.python import cp_model  # late: it takes most of a second to load, and few requests need it

    model = cp_model.CpModel()
    variables = [_choose(model, part) for part in parts]
    for part, chosen in zip(parts, variables, strict=True):
        for taken, limit in _limits(part, chosen):
            if limit == 1 and all(weight == 1 for _, weight in taken):
                model.add_at_most_one(variable for variable, _ in taken)
            else:
                model.add(sum(weight * variable for variable, weight in taken) <= limit)
    _hint_as_it_is(model, parts, variables)
    model.minimize(_cost(model, parts, variables))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    # Cuts from cliques: without them a full day of nurses is not decided in ten seconds, with them in a fifth of one.
    solver.parameters.linearization_level = 2
    solver.parameters.random_seed = SEED
    solver.parameters.max_deterministic_time = MOST_WORK
    solver.parameters.max_time_in_seconds = MOST_SECONDS
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise Undecided(solver.status_name(status))
    return [
        Seating({key: choice for (key, choice), variable in chosen.items() if solver.boolean_value(variable)})
        for chosen in variables
    ]


def _hint_as_it_is(model, parts: Sequence[Part], variables: list[dict]) -> None:
    for part, chosen in zip(parts, variables, strict=True):
        now = {mover.key: mover.now for mover in part.movers}
        for (key, choice), variable in chosen.items():
            model.add_hint(variable, choice == now[key])


def _choose(model, part: Part) -> dict:
    """A boolean for each choice that the fixed visits leave room for; each mover takes exactly one."""
    room = Room(part)
    chosen = {}
    for mover in part.movers:
        possible = [choice for choice in mover.choices if room.fits(choice)]
        own = {(mover.key, choice): model.new_bool_var("") for choice in possible}
        model.add_exactly_one(own.values())
        chosen |= own
    return chosen


def _limits(part: Part, chosen: dict) -> Iterator[tuple[list, int]]:
    """Who may want a lane in a quarter, and how many of them may have it; what follows from another is left out."""
    room = Room(part)
    by_lane: dict[Hashable, list] = defaultdict(list)
    for (_, choice), variable in chosen.items():
        for take in choice.takes:
            by_lane[take.lane].append((take.quarters, variable, take.weight))
    for lane, takes in by_lane.items():
        capacity, levels = part.capacity.get(lane, 1), room.levels.get(lane, [])
        # It is tightest where a visit begins.
        begins = 0
        for quarters in (*levels, *(quarters for quarters, _, _ in takes)):
            begins |= quarters & ~(quarters << 1)
        while begins:
            quarter = begins & -begins
            begins ^= quarter
            taken = [(variable, weight) for quarters, variable, weight in takes if quarters & quarter]
            limit = capacity - sum(1 for level in levels if level & quarter)
            if sum(weight for _, weight in taken) > max(limit, 0):
                yield taken, max(limit, 0)


def _cost(model, parts: Sequence[Part], variables: list[dict]):
    terms = [choice.cost * variable for chosen in variables for (_, choice), variable in chosen.items() if choice.cost]
    unsettled: dict[int, list] = defaultdict(list)
    for chosen in variables:
        for (key, choice), variable in chosen.items():
            if not choice.settled:
                unsettled[key].append(variable)
    for staying in unsettled.values():
        missed = model.new_bool_var("")
        for variable in staying:
            model.add_implication(variable, missed)
        terms.append(UNSETTLED * missed)
    return sum(terms)
