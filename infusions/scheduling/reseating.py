"""Seats a visit that no free chair or nurse could take, by giving others another chair or nurse at their own times.

Exact: when there is any way, it is found, with few changes; when there is none, that is proven. Visits that have begun,
are pinned or past stay where they are; each keeps the kind of its chair. Chairs and nurses are decided separately, so
the number of changed visits is the least for chairs and the least for nurses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from infusions.facility.models import Chair, ChairKind, Nurse, Setting, Site
from infusions.scheduling.bitmaps import Seat
from infusions.scheduling.models import Appointment
from infusions.scheduling.seating import WANTED, Part, Room, Seating, settle_easily
from infusions.scheduling.seating_day import DayRows, read_days
from infusions.scheduling.seating_parts import chair_part, nurse_part, place_part
from infusions.scheduling.seating_places import hand_out_places
from infusions.scheduling.seating_puzzle import Puzzle, Wanted
from infusions.scheduling.seating_solver import Undecided, solve

__all__ = ["Reseating", "SeatChange", "Undecided", "Wanted", "reseat", "reseat_as", "reseat_day", "reseat_in"]


@dataclass(frozen=True)
class SeatChange:
    """The seat that a visit would get; the one it has is on the appointment."""

    appointment: Appointment
    chair: Chair | None
    nurse: Nurse
    place: int

    @property
    def is_visible(self) -> bool:
        """Another chair or nurse. Another place of the same nurse is bookkeeping: apply it, do not show it."""
        return self.changes_chair or self.changes_nurse

    @property
    def changes_chair(self) -> bool:
        return self.chair is not None and self.chair.pk != self.appointment.chair_id

    @property
    def changes_nurse(self) -> bool:
        return self.nurse.pk != self.appointment.nurse_id


@dataclass(frozen=True)
class Reseating:
    """`seat` of the wanted visit, what changes for others, and the uncovered visits for which there is no seat."""

    seat: Seat | None
    changes: tuple[SeatChange, ...]
    unseated: tuple[Appointment, ...] = ()

    @property
    def visible(self) -> tuple[SeatChange, ...]:
        return tuple(change for change in self.changes if change.is_visible)


def reseat_day(
    *,
    site: Site,
    setting: str = Setting.FACILITY,
    day: dt.date,
    wanted: Wanted | None = None,
    uncovered: Sequence[Appointment] = (),
    now: dt.datetime,
    longer: Mapping[int, dt.datetime] | None = None,
) -> Reseating | None:
    """Seat `wanted`, and as many of `uncovered` as can be, each at its own time on the local day; six queries.

    `longer`: row number -> later end of visits that overrun; whoever they push off a seat is seated like an uncovered
    visit. None: `wanted` has no seat whatever is changed. Raises Undecided when the time was over before an answer.
    """
    rows = read_days(
        site=site,
        days=[day],
        now=now,
        patient_id=wanted.patient_id if wanted else None,
        leave_out=[wanted.moving] if wanted and wanted.moving else [],
        longer=longer,
    )[day]
    return reseat(rows, wanted, uncovered)


def reseat(rows: DayRows, wanted: Wanted | None = None, uncovered: Sequence[Appointment] = ()) -> Reseating | None:
    """The same for a day that was read already."""
    return reseat_in(Puzzle(rows, [visit.pk for visit in uncovered]).seeking(wanted), uncovered)


def reseat_in(puzzle: Puzzle, uncovered: Sequence[Appointment] = ()) -> Reseating | None:
    """The same, where several starts of a day are asked about and share a puzzle."""
    if puzzle.wanted is not None and not puzzle.wanted_is_possible():
        return None
    found = _seat_everybody(puzzle)
    return None if found is None else _plan(puzzle, found, uncovered)


def reseat_as(
    rows: DayRows,
    seats: Mapping[int, tuple[int | None, int]],
    wanted: Wanted | None = None,
    uncovered: Sequence[Appointment] = (),
) -> Reseating | None:
    """The plan in which exactly these visits get this chair and this nurse (row numbers); None where that is unlawful.

    The wanted visit's seat by WANTED. So what a page showed is looked at again without deciding it again.
    """
    puzzle = Puzzle(rows, [visit.pk for visit in uncovered]).seeking(wanted)
    if not seats.keys() <= puzzle.stays.keys() or (wanted is not None and not puzzle.wanted_is_possible()):
        return None
    chair = rows.chairs.get(seats[WANTED][0]) if WANTED in seats else None
    parts = [chair_part(puzzle, kind, with_wanted=bool(chair and chair.kind == kind)) for kind in puzzle.kinds]
    chairs = [_as_told(part, {key: chair for key, (chair, _) in seats.items()}) for part in parts]
    nurses = _as_told(nurse_part(puzzle), {key: nurse for key, (_, nurse) in seats.items()})
    if nurses is None or None in chairs:
        return None
    places = hand_out_places(puzzle, nurses) or _places_by_solver(puzzle, nurses)
    if places is None:
        return None
    return _plan(puzzle, _found([*chairs, nurses], places), uncovered)


def _places_by_solver(puzzle: Puzzle, nurses: Seating) -> dict[int, int] | None:
    """For nurses who are settled, where handing out place after place has failed."""
    part = place_part(puzzle)
    told = {key: choice.seat[0] for key, choice in nurses.chosen.items()}
    movers = (
        replace(mover, choices=tuple(choice for choice in mover.choices if choice.seat[0] == told[mover.key]))
        for mover in part.movers
    )
    solved = solve([replace(part, movers=tuple(movers))])
    return None if solved is None else {key: choice.seat[1] for key, choice in solved[0].chosen.items()}


def _as_told(part: Part, seats: Mapping[int, int | None]) -> Seating | None:
    """Everybody stays but those who are told; None where somebody may not have his seat, or two would share one."""
    chosen = {}
    for mover in part.movers:
        told = [choice for choice in mover.choices if choice.seat[0] == seats.get(mover.key) and choice.settled]
        choice = mover.now if mover.key not in seats else next(iter(told), None)
        if choice is None:
            return None
        chosen[mover.key] = choice
    room = Room(part, chosen.values())
    return None if any(room.overfull(lane) for lane in room.levels) else Seating(chosen)


def _plan(puzzle: Puzzle, found: _Found, uncovered: Sequence[Appointment]) -> Reseating:
    seat = None
    if puzzle.wanted is not None:
        seat = Seat(found.nurses[WANTED], found.places[WANTED], found.chairs.get(WANTED))
    changes = [_change(puzzle, key, found) for key in puzzle.movers]
    return Reseating(
        seat,
        tuple(change for change in changes if change.is_visible or change.place != change.appointment.ratio_place),
        _unseated(puzzle, found.unsettled, uncovered),
    )


@dataclass(frozen=True)
class _Found:
    """By row number; the wanted visit by WANTED."""

    chairs: Mapping[int, int]
    nurses: Mapping[int, int]
    places: Mapping[int, int]
    unsettled: set[int]


def _seat_everybody(puzzle: Puzzle) -> _Found | None:
    solved = _settle(puzzle, nurse_part(puzzle))
    if solved is None:
        return None
    places = hand_out_places(puzzle, solved[-1])
    if places is None:
        solved = _settle(puzzle, place_part(puzzle))
        if solved is None:
            return None
        places = {key: choice.seat[1] for key, choice in solved[-1].chosen.items()}
    return _found(solved, places)


def _found(solved: list[Seating], places: Mapping[int, int]) -> _Found:
    *kinds, nurses = solved
    return _Found(
        chairs={key: choice.seat[0] for kind in kinds for key, choice in kind.chosen.items()},
        nurses={key: choice.seat[0] for key, choice in nurses.chosen.items()},
        places=places,
        unsettled=set().union(*(seating.unsettled for seating in solved)),
    )


def _settle(puzzle: Puzzle, nurse_part: Part) -> list[Seating] | None:
    """Each part by itself, the nurses last; all together when a visit may be settled in one and not in another."""
    nurses = _settle_part(nurse_part)
    if nurses is None:
        return None
    if puzzle.wanted is None or puzzle.wanted.need.at_home:
        return _settle_all(puzzle, nurse_part, nurses, wanted_kind=None)
    # The wanted visit takes whichever kind of chair costs least; the one its patient needs, if any.
    # Recliners before the others: beds stay free for who needs them.
    possible = [kind for kind in puzzle.kinds if puzzle.wanted.chair_kind in ("", kind)]
    possible.sort(key=lambda kind: kind != ChairKind.RECLINER)
    easy = {kind: settle_easily(chair_part(puzzle, kind, with_wanted=True)) for kind in possible}
    if found := {kind: seating for kind, seating in easy.items() if seating is not None}:
        possible = [min(found, key=lambda kind: found[kind].cost)]  # another kind would take two changes or more
    return _best(_settle_all(puzzle, nurse_part, nurses, wanted_kind=kind) for kind in possible)


def _settle_all(puzzle: Puzzle, nurse_part: Part, nurses: Seating, *, wanted_kind) -> list[Seating] | None:
    parts = [chair_part(puzzle, kind, with_wanted=kind == wanted_kind) for kind in puzzle.kinds]
    found = []
    for part in parts:
        if (seating := _settle_part(part)) is None:
            return None
        found.append(seating)
    if any(one.unsettled for one in (*found, nurses)):
        return solve([*parts, nurse_part])
    return [*found, nurses]


def _best(tried: Iterable[list[Seating] | None]) -> list[Seating] | None:
    """The one that leaves fewest unsettled, then with the fewest changes; nothing beats one without any."""
    best, least = None, None
    for seatings in tried:
        if seatings is None:
            continue
        unsettled = set().union(*(one.unsettled for one in seatings))
        price = len(unsettled), sum(one.cost for one in seatings)
        if least is None or price < least:
            best, least = seatings, price
        if price == (0, 0):
            break
    return best


def _settle_part(part: Part) -> Seating | None:
    easy = settle_easily(part)
    if easy is not None:
        return easy
    if not all(mover.choices for mover in part.movers):
        return None
    solved = solve([part])
    return None if solved is None else solved[0]


def _change(puzzle: Puzzle, key: int, found: _Found) -> SeatChange:
    visit = puzzle.visits[key]
    nurse = visit.nurse if found.nurses[key] == visit.nurse_id else puzzle.rows.nurses[found.nurses[key]]
    return SeatChange(visit, puzzle.rows.chairs.get(found.chairs.get(key, visit.chair_id)), nurse, found.places[key])


def _unseated(puzzle: Puzzle, unsettled: set[int], uncovered: Sequence[Appointment]) -> tuple[Appointment, ...]:
    """With those that were not even asked, because they have begun, are pinned, or lie outside opening hours."""
    not_asked = {visit.pk: visit for visit in uncovered if visit.pk not in puzzle.uncovered}
    pushed = {visit.pk: visit for visit in puzzle.fixed if puzzle.is_pushed_off(visit)}
    left = {**not_asked, **pushed, **{key: puzzle.visits[key] for key in unsettled}}
    return tuple(sorted(left.values(), key=lambda visit: (visit.start, visit.pk)))
