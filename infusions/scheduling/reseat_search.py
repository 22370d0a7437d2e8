"""Finds starts that fit once others are re-seated: first where that is thinkable, by bitmaps, then each by the solver.

A start is thinkable where at every quarter some chair, some free hands and some place are left, whoever has them. That
is needed, and seldom not enough; only the solver's answer is offered.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from infusions.facility.models import MAX_RATIO
from infusions.scheduling.availability import Availability
from infusions.scheduling.bitmaps import Fits, Need, Picture, fill, runs, starts_within, union
from infusions.scheduling.drawing import visit_of
from infusions.scheduling.lanes import hands_lane, lanes_of, place_lane, place_lanes
from infusions.scheduling.models import Appointment
from infusions.scheduling.ranking import DaySlice, Part, set_bits
from infusions.scheduling.reseating import Reseating, Undecided, reseat_in
from infusions.scheduling.seating_day import read_days
from infusions.scheduling.seating_puzzle import Puzzle, Wanted

DAYS_READ = 3
# On one day every start is looked at, as long as a person waits; of several days these many.
STARTS_OF_MANY_DAYS = 8
SECONDS = 2.0


@dataclass(frozen=True)
class Found:
    """`starts`: bit, part and plan of each start that fits after re-seating; `unasked`: days where some may."""

    starts: list[tuple[int, Part, Reseating]] = field(default_factory=list)
    unasked: list[dt.date] = field(default_factory=list)
    chairs: Mapping[int, object] = field(default_factory=dict)
    nurses: Mapping[int, object] = field(default_factory=dict)


def find_by_reseating(
    seen: Availability,
    parts: list[Part],
    slices: Mapping[dt.date, DaySlice],
    *,
    room: int,
    moving: Appointment | None,
    now: dt.datetime,
) -> Found:
    """At most `room` more starts, those nearest the due day first. Seven queries; none where nothing is thinkable."""
    thinkable = [(part, thinkable_starts(seen, part.need, part.fits)) for part in parts]
    every = union(bits for _, bits in thinkable)
    days = [day for day, one in slices.items() if every & fill(one.first, one.stop)]
    days.sort(key=lambda day: (slices[day].needs_approval, abs(slices[day].from_due), day))
    if room <= 0:
        direct = union(part.fits.starts for part in parts)
        return Found(unasked=[day for day in days if not direct & fill(slices[day].first, slices[day].stop)])
    if not days:
        return Found()
    return _ask(seen, thinkable, slices, days, room, moving, now)


def _ask(seen, thinkable, slices, days, room, moving, now) -> Found:
    asked, unasked = days[:DAYS_READ], days[DAYS_READ:]
    patient_id = seen.picture.patient_id
    leave_out = [moving.pk] if moving else []
    read = read_days(site=seen.site, days=asked, now=now, patient_id=patient_id, leave_out=leave_out)
    found, until, left = [], time.monotonic() + SECONDS, None if len(days) == 1 else STARTS_OF_MANY_DAYS
    chairs, nurses = {}, {}
    for day in asked:
        puzzle = Puzzle(read[day])
        chairs |= read[day].chairs
        nurses |= read[day].nurses
        for start, part in _starts_on(thinkable, slices[day]):
            if len(found) >= room or left == 0 or time.monotonic() > until:
                unasked.append(day)
                break
            left = None if left is None else left - 1
            wanted = Wanted(seen.instant(start), part.need, patient_id, seen.chair_kind)
            if plan := _plan(puzzle, wanted):
                found.append((start, part, plan))
    return Found(found, sorted(unasked), chairs, nurses)


def _plan(puzzle: Puzzle, wanted: Wanted) -> Reseating | None:
    """An undecided start is left out of the options; whoever points at it is told that it is undecided."""
    try:
        return reseat_in(puzzle.seeking(wanted))
    except Undecided:
        return None


def _starts_on(thinkable: list[tuple[Part, int]], one: DaySlice) -> list[tuple[int, Part]]:
    """Full hours first, then halves."""
    during = fill(one.first, one.stop)
    starts = [(start, part) for part, bits in thinkable for start in set_bits(bits & during)]
    return sorted(starts, key=lambda found: (_roundness(found[0] - one.midnight), found[0]))


def _roundness(quarters: int) -> int:
    return 0 if quarters % 4 == 0 else 1 if quarters % 2 == 0 else 2


def thinkable_starts(seen: Availability, need: Need, fits: Fits) -> int:
    """Starts that do not fit as it is but may after re-seating; none that could is missing."""
    picture = seen.picture
    if not fits.open & fits.patient & fits.on_shift & ~fits.starts:
        return 0
    spared = _taken_by_the_other_setting(seen, need)
    if need.at_home:
        nurses = _some_nurse_away(picture, need, spared)
    else:
        chairs = union(runs_of_kind for runs_of_kind in _runs_by_kind(seen, need))
        nurses = chairs & _some_hands(picture, need, spared) & _some_place(picture, need, spared)
    return nurses & fits.open & fits.patient & fits.on_shift & fits.allowed & ~fits.starts


def _runs_by_kind(seen: Availability, need: Need) -> Iterable[int]:
    free: dict[str, int] = {}
    for chair_id in seen.picture.chairs:
        kind = seen.chairs[chair_id].kind
        free[kind] = free.get(kind, 0) | seen.picture.free_chair(chair_id)
    return (runs(quarters, need.length) for quarters in free.values())


def _some_hands(picture: Picture, need: Need, spared: Mapping[int, int]) -> int:
    free = union(_free(picture, hands_lane(nurse_id), spared) & there for nurse_id, _, there in _on_the_floor(picture))
    first = runs(free, need.start_hands) if need.start_hands else picture.everything
    last = runs(free, need.end_hands) >> (need.length - need.end_hands) if need.end_hands else picture.everything
    return first & last


def _some_place(picture: Picture, need: Need, spared: Mapping[int, int]) -> int:
    free = union(
        _free(picture, place_lane(nurse_id, place), spared) & there
        for nurse_id, ratio, there in _on_the_floor(picture)
        for place in range(min(ratio, MAX_RATIO))
    )
    return runs(free, need.length)


def _on_the_floor(picture: Picture) -> list[tuple[int, int, int]]:
    """Each nurse, each ratio of hers, and the quarters in which she works by it: a window holds hundreds of shifts."""
    there: dict[tuple[int, int], list[int]] = {}
    for shift in picture.shifts:
        there.setdefault((shift.nurse_id, shift.ratio), []).append(fill(shift.first, shift.stop))
    return [(nurse_id, ratio, union(spans)) for (nurse_id, ratio), spans in there.items()]


def _some_nurse_away(picture: Picture, need: Need, spared: Mapping[int, int]) -> int:
    free = 0
    for nurse_id, shifts in picture.shifts_by_nurse.items():
        idle = picture.everything
        for lane in (hands_lane(nurse_id), *place_lanes(nurse_id)):
            idle &= _free(picture, lane, spared)
        free |= idle & union(fill(shift.first, shift.stop) for shift in shifts)
    spans = (range(shift.first, shift.stop) for shift in picture.shifts)
    within = starts_within(spans, need.length, before=need.travel, after=need.travel)
    return (runs(free, need.length + 2 * need.travel) << need.travel) & within


def _free(picture: Picture, lane: int, spared: Mapping[int, int]) -> int:
    return picture.free(lane) | spared.get(lane, 0)


def _taken_by_the_other_setting(seen: Availability, need: Need) -> dict[int, int]:
    """A nurse who also works in the other setting may be spared from there: what its visits take of her lanes."""
    ours = set(seen.picture.shifts_by_nurse)
    found: dict[int, int] = {}
    for row in seen.rows:
        at_home, nurse_id = row[2] is None, row[3]
        if at_home == need.at_home or nurse_id not in ours:
            continue
        for lane, quarters in lanes_of(visit_of(row)):
            first, stop = quarters.start - seen.origin, quarters.stop - seen.origin
            found[lane] = found.get(lane, 0) | fill(max(first, 0), min(stop, seen.picture.size))
    return found
