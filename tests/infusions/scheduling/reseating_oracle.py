"""Whether a visit can be seated, asked in another way than the program does: all chairs, nurses and places at once.

Straight from the plain day; shares nothing with infusions.scheduling but the words.
"""

from collections import defaultdict
from dataclasses import replace

from ortools.sat.python import cp_model

from tests.infusions.scheduling.reseating_days import LENGTH, PlainDay, PlainVisit, lanes_of_plain

PLACES = 6
NEW = 0


def newcomer(start: int, length: int, home: bool) -> PlainVisit:
    return PlainVisit(NEW, start, length, None if home else -1, -1, -1)


def possible(day: PlainDay, wanted: PlainVisit, *, kind: str = "") -> bool:
    """Whether any assignment seats it."""
    if not wanted.at_home and not (wanted.start >= 0 and wanted.start + wanted.length <= LENGTH):
        return False
    kinds = {kind} if kind else set(day.chairs.values())
    if not wanted.at_home and not any(chair_is_good(day, chair, wanted, kinds) for chair in day.chairs):
        return False
    if not any(nurse_is_good(day, nurse, 0, wanted) for nurse in range(1, 5)):
        return False
    model = cp_model.CpModel()
    users: dict = defaultdict(list)
    for visit in day.visits:
        if day.stays(visit):
            for lane in lanes_of_plain(visit):
                users[lane].append(1)
        else:
            _put(model, users, day, visit, {day.chairs[visit.chair]} if not visit.at_home else set(), stay=True)
    _put(model, users, day, wanted, kinds, stay=False)
    for using in users.values():
        if len(using) > 1:
            model.add(sum(using) <= 1)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(model)
    assert status in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE)
    return status != cp_model.INFEASIBLE


def _put(model, users, day, visit, kinds, *, stay):
    """One chair that is in service throughout, one place of a nurse on shift throughout; or what it has."""
    chairs = {c for c in day.chairs if chair_is_good(day, c, visit, kinds)} | ({visit.chair} if stay else set())
    places = {(n, p) for n in range(1, 5) for p in range(PLACES) if nurse_is_good(day, n, p, visit)}
    if stay:
        places.add((visit.nurse, visit.place))
    seats = [] if visit.at_home else [(chair, model.new_bool_var("")) for chair in chairs]
    if not visit.at_home:
        model.add(sum(taken for _, taken in seats) == 1)
    for chair, taken in seats:
        for quarter in visit.away:
            users["chair", chair, quarter].append(taken)
    cared = [(nurse, place, model.new_bool_var("")) for nurse, place in places]
    model.add(sum(taken for *_, taken in cared) == 1)
    for nurse, place, taken in cared:
        for lane in lanes_of_plain(replace(visit, nurse=nurse, place=place)):
            if lane[0] != "chair":
                users[lane].append(taken)


def chair_is_good(day: PlainDay, chair: int, visit: PlainVisit, kinds) -> bool:
    in_service = chair not in day.retired and not day.outages.get(chair, set()) & set(visit.away)
    return not visit.at_home and in_service and day.chairs[chair] in kinds


def nurse_is_good(day: PlainDay, nurse: int, place: int, visit: PlainVisit) -> bool:
    """On shift over the whole visit, and this many patients are allowed on that shift."""
    if visit.at_home and place:
        return False
    return any(
        nurse == one and home == visit.at_home and first <= visit.away[0] and visit.away[-1] < stop and place < ratio
        for one, first, stop, ratio, home in day.shifts
    )


def faults(day: PlainDay, wanted: PlainVisit | None, changes: dict[int, tuple[int | None, int, int]]) -> list[str]:
    """What is wrong with a plan: `changes` says the new chair, nurse and place of visits by their key."""
    found, seen = [], {}
    after = [*day.visits, *([wanted] if wanted else [])]
    for visit in after:
        if visit.key in changes:
            chair, nurse, place = changes[visit.key]
            new = replace(visit, chair=chair, nurse=nurse, place=place)
            found += _unlawful(day, visit, new)
            visit = new
        elif visit is wanted and not (
            nurse_is_good(day, visit.nurse, visit.place, visit)
            and (visit.at_home or chair_is_good(day, visit.chair, visit, set(day.chairs.values())))
        ):
            found.append("the wanted visit sits where it may not")
        for lane in lanes_of_plain(visit):
            if lane in seen:
                found.append(f"{visit.key} and {seen[lane]} share {lane}")
            seen[lane] = visit.key
    return found


def _unlawful(day: PlainDay, old: PlainVisit, new: PlainVisit) -> list[str]:
    found = []
    if day.stays(old):
        found.append(f"{old.key} was to stay")
    if new.chair != old.chair and not chair_is_good(day, new.chair, old, {day.chairs[old.chair]}):
        found.append(f"{old.key} got a chair that is not in service or of another kind")
    if (new.nurse, new.place) != (old.nurse, old.place) and not nurse_is_good(day, new.nurse, new.place, old):
        found.append(f"{old.key} got a nurse who is not there")
    return found
