"""Which starts fit: one whole-window integer per lane, one bit per quarter of an hour. Pure: no rows, no clock.

Bit 0 is the window's first quarter. A start fits where the chair is free for the whole visit, the patient is, and one
nurse on shift has a free place throughout and free hands at both ends. Shifting and anding whole integers answers that
for every quarter of the window at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import NamedTuple

from infusions.facility.models import MAX_RATIO, Setting, Site
from infusions.scheduling.lanes import chair_lane, hands_lane, patient_lane, place_lane, place_lanes

USABLE = 8  # quarters: a gap of two hours in a chair still takes a short visit


@dataclass(frozen=True)
class Need:
    """What a visit takes, in quarters of an hour; `travel` lies before and after a visit at home."""

    length: int
    start_hands: int = 2
    end_hands: int = 1
    travel: int = 0
    at_home: bool = False


def need_of(site: Site, setting: str, minutes: int) -> Need:
    """What a visit of so many minutes takes at this site."""
    length = _quarters(minutes)
    return Need(
        length=length,
        start_hands=min(_quarters(site.start_hands_minutes), length),
        end_hands=min(_quarters(site.end_hands_minutes), length),
        travel=_quarters(site.travel_minutes) if setting == Setting.HOME else 0,
        at_home=setting == Setting.HOME,
    )


def _quarters(minutes: int) -> int:
    return -(-minutes // 15)


class ShiftSpan(NamedTuple):
    """A nurse works from quarter `first` up to `stop`, with at most `ratio` patients at once."""

    nurse_id: int
    first: int
    stop: int
    ratio: int = 1


@dataclass(frozen=True)
class Seat:
    """Who and what a visit gets; no chair at home."""

    nurse_id: int
    place: int
    chair_id: int | None = None


@dataclass(frozen=True)
class Picture:
    """A window as it is booked. All quarters count from its first; `chairs` and `shifts` in order of preference."""

    size: int
    patient_id: int
    opening: tuple[range, ...] = ()
    chairs: tuple[int, ...] = ()
    shifts: tuple[ShiftSpan, ...] = ()
    busy: Mapping[int, int] = field(default_factory=dict)  # lane -> bitmap of taken quarters
    outages: Mapping[int, int] = field(default_factory=dict)  # chair id -> bitmap of quarters out of service

    @cached_property
    def everything(self) -> int:
        return (1 << self.size) - 1

    def free(self, lane: int, *, except_for: int = 0) -> int:
        return self.everything & ~(self.busy.get(lane, 0) | except_for)

    def free_chair(self, chair_id: int) -> int:
        return self.free(chair_lane(chair_id), except_for=self.outages.get(chair_id, 0))

    @cached_property
    def shifts_by_nurse(self) -> dict[int, list[ShiftSpan]]:
        by_nurse: dict[int, list[ShiftSpan]] = {}
        for shift in self.shifts:
            by_nurse.setdefault(shift.nurse_id, []).append(shift)
        return by_nurse

    @cached_property
    def nurse_ids(self) -> tuple[int, ...]:
        return tuple(self.shifts_by_nurse)


@dataclass(frozen=True)
class Fits:
    """Bitmaps of starts that satisfy one condition each; `starts` satisfies all of them."""

    allowed: int
    open: int
    patient: int
    chairs: Mapping[int, int]  # chair id -> starts
    on_shift: int  # some nurse works throughout
    hands: int  # and has free hands at both ends
    places: int  # or works throughout and has a free place
    nurses: Mapping[int, Mapping[int, int]]  # nurse id -> place -> starts
    any_chair: int
    any_nurse: int
    starts: int


def fill(first: int, stop: int) -> int:
    """Bits first up to stop."""
    return ((1 << (stop - first)) - 1) << first if stop > first else 0


def union(bitmaps: Iterable[int]) -> int:
    return reduce(or_, bitmaps, 0)


def runs(free: int, length: int) -> int:
    """Quarters from which `length` quarters in a row are free."""
    got = 1
    while got < length:
        step = min(got, length - got)
        free &= free >> step
        got += step
    return free


def starts_within(spans: Iterable[range], length: int, before: int = 0, after: int = 0) -> int:
    """Starts of a visit that lies in one of the spans, with so many quarters to spare before and after it."""
    return union(fill(max(span.start + before, 0), span.stop - after - length + 1) for span in spans)


def fitting(picture: Picture, need: Need, allowed: int | None = None) -> Fits:
    """Every start of the window that fits; `allowed` limits where a visit may start at all."""
    allowed = picture.everything if allowed is None else allowed & picture.everything
    patient = runs(picture.free(patient_lane(picture.patient_id)), need.length) & allowed
    if need.at_home:
        opened, chairs, any_chair = allowed, {}, allowed
    else:
        opened = starts_within(picture.opening, need.length) & allowed
        chairs = {chair_id: runs(picture.free_chair(chair_id), need.length) & opened for chair_id in picture.chairs}
        any_chair = union(chairs.values())
    nurse_fits = _nurses_at_home if need.at_home else _nurses_in_facility
    on_shift, hands, places, nurses = nurse_fits(picture, need, allowed)
    any_nurse = union(starts for by_place in nurses.values() for starts in by_place.values())
    return Fits(
        allowed=allowed,
        open=opened,
        patient=patient,
        chairs=chairs,
        on_shift=on_shift,
        hands=hands,
        places=places,
        nurses=nurses,
        any_chair=any_chair,
        any_nurse=any_nurse,
        starts=opened & patient & any_chair & any_nurse,
    )


def _nurses_in_facility(picture: Picture, need: Need, allowed: int) -> tuple[int, int, int, dict]:
    on_shift = any_hands = any_place = 0
    nurses: dict[int, dict[int, int]] = {}
    for nurse_id, shifts in picture.shifts_by_nurse.items():
        within = starts_within((range(shift.first, shift.stop) for shift in shifts), need.length) & allowed
        free_hands = picture.free(hands_lane(nurse_id))
        hands = runs(free_hands, need.start_hands) if need.start_hands else picture.everything
        if need.end_hands:
            hands &= runs(free_hands, need.end_hands) >> max(need.length - need.end_hands, 0)
        nurses[nurse_id] = {}
        ratios = {shift.ratio for shift in shifts}
        for place in range(min(max(ratios), MAX_RATIO)):
            roomy = within
            if place >= min(ratios):
                spans = (range(shift.first, shift.stop) for shift in shifts if shift.ratio > place)
                roomy = starts_within(spans, need.length) & allowed
            free = runs(picture.free(place_lane(nurse_id, place)), need.length) & roomy
            any_place |= free
            nurses[nurse_id][place] = free & hands
        on_shift |= within
        any_hands |= within & hands
    return on_shift, any_hands, any_place, nurses


def _nurses_at_home(picture: Picture, need: Need, allowed: int) -> tuple[int, int, int, dict]:
    """Away from start - travel until end + travel, wholly: no other patient, and all of it within the shift."""
    on_shift = 0
    nurses: dict[int, dict[int, int]] = {}
    for nurse_id, shifts in picture.shifts_by_nurse.items():
        spans = (range(shift.first, shift.stop) for shift in shifts)
        within = starts_within(spans, need.length, before=need.travel, after=need.travel) & allowed
        busy = union(picture.busy.get(lane, 0) for lane in (hands_lane(nurse_id), *place_lanes(nurse_id)))
        away = runs(picture.everything & ~busy, need.length + 2 * need.travel) << need.travel
        nurses[nurse_id] = {0: away & within}
        on_shift |= within
    starts = union(by_place[0] for by_place in nurses.values())
    return on_shift, starts, starts, nurses


def seats(
    picture: Picture,
    need: Need,
    fits: Fits,
    start: int,
    *,
    nurse_ids: Iterable[int | None] = (),
    chair_ranks: Mapping[int, int] | None = None,
) -> Iterator[Seat]:
    """Every chair and nurse for a start, best first: one of `nurse_ids` or the idlest, the chair that loses least.

    `chair_ranks`: chairs of a lower rank come before all of a higher one.
    """
    chairs = [None] if need.at_home else _chairs_by_merit(picture, need, fits, start, chair_ranks or {})
    for nurse_id, place in _nurses_by_merit(picture, need, fits, start, list(nurse_ids)):
        for chair_id in chairs:
            yield Seat(nurse_id, place, chair_id)


def _nurses_by_merit(picture: Picture, need: Need, fits: Fits, start: int, preferred: list[int]) -> list:
    during = fill(start, start + need.length)

    def merit(free: tuple[int, int]) -> tuple:
        nurse_id, place = free
        load = sum((picture.busy.get(lane, 0) & during).bit_count() for lane in place_lanes(nurse_id))
        rank = preferred.index(nurse_id) if nurse_id in preferred else len(preferred)
        return rank, load, picture.nurse_ids.index(nurse_id), place

    free = [
        (nurse_id, next(place for place, starts in by_place.items() if starts >> start & 1))
        for nurse_id, by_place in fits.nurses.items()
        if any(starts >> start & 1 for starts in by_place.values())
    ]
    return sorted(free, key=merit)


def _chairs_by_merit(picture: Picture, need: Need, fits: Fits, start: int, ranks: Mapping[int, int]) -> list[int]:
    """Free chairs: of the best kind, with the least lost to gaps too short for a visit, the smallest gap around it."""
    span = next(span for span in picture.opening if span.start <= start < span.stop)
    end = start + need.length

    def merit(chair_id: int) -> tuple[int, int, int]:
        taken = picture.everything & ~picture.free_chair(chair_id)
        earlier = (taken & fill(span.start, start)).bit_length() or span.start
        later = (taken & fill(end, span.stop)) >> end
        until = (later & -later).bit_length() - 1 if later else span.stop - end
        gaps = start - earlier, until
        return ranks.get(chair_id, 0), sum(gap for gap in gaps if gap < USABLE), sum(gaps)

    return sorted((chair_id for chair_id, starts in fits.chairs.items() if starts >> start & 1), key=merit)
