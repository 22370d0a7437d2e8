"""Turns a day into the parts that seating decides: the chairs of each kind, and the nurses. Pure: rows in, parts out.

Nurses are asked twice at most. First a lane counts patients: so many at once as the ratio allows. Only if the places
cannot be handed out after that, which needs a place that somebody holds for ever, each place is a seat of its own.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from infusion_center.core import clock
from infusions.facility.models import MAX_RATIO, Setting
from infusions.scheduling.bitmaps import Need
from infusions.scheduling.lanes import chair_lane, hands_lane, name_lane, patient_lane, place_lane, place_lanes
from infusions.scheduling.models import Appointment
from infusions.scheduling.seating import CHANGE, CHANGE_ARRIVED, WANTED, Choice, Mover, Part, Room, Take
from infusions.scheduling.seating_day import DayRows
from infusions.scheduling.states import State


@dataclass(frozen=True)
class Wanted:
    """A visit only thought of. `chair_kind` where its patient needs one; a chair or nurse where somebody points at it.

    `moving`: row number of the visit that would move there, and so does not stand in its own way.
    """

    start: dt.datetime
    need: Need
    patient_id: int
    chair_kind: str = ""
    chair_id: int | None = None
    nurse_id: int | None = None
    moving: int | None = None


@dataclass(frozen=True)
class Stay:
    """What re-seating asks of one visit: when it is, and when it needs hands."""

    key: int
    at_home: bool
    whole: int  # in the chair; at home from leaving until she is back
    hands: int


class Puzzle:
    """The day with everybody who may change, and who must: the wanted visit, the uncovered, those hit by an overrun."""

    def __init__(self, rows: DayRows, wanted: Wanted | None = None, uncovered: Collection[int] = ()):
        self.rows, self.wanted = rows, wanted
        self._takes: dict[int, dict[int, int]] = {}
        self.visits = {visit.pk: visit for visit in rows.visits}
        asked = {pk for pk in uncovered if pk in self.visits}
        self.uncovered = {pk for pk in asked if rows.may_be_seated(self.visits[pk]) and self._is_open(self.visits[pk])}
        movers = {pk for pk, visit in self.visits.items() if rows.may_change(visit)}
        self.movers = sorted(movers | self.uncovered, key=lambda pk: (self.visits[pk].start, pk))

    def takes(self, visit: Appointment) -> dict[int, int]:
        if visit.pk not in self._takes:
            self._takes[visit.pk] = self.rows.takes(visit)
        return self._takes[visit.pk]

    def _is_open(self, visit: Appointment) -> bool:
        if visit.is_home:
            return True
        whole = self.rows.bits(clock.quarters_between(visit.start, visit.end))
        return any(_covers(span, whole) for span in self.rows.opening)

    @cached_property
    def wanted_bits(self) -> int:
        first = clock.quarter_of(self.wanted.start)
        return self.rows.bits(range(first, first + self.wanted.need.length))

    def wanted_is_possible(self) -> bool:
        """The patient is free, and for a chair the site is open: nothing that re-seating could change."""
        lane = patient_lane(self.wanted.patient_id)
        busy = 0
        for visit in (*self.rows.visits, *self.rows.elsewhere):
            if visit.patient_id == self.wanted.patient_id:
                busy |= self.takes(visit).get(lane, 0)
        opened = self.wanted.need.at_home or any(_covers(span, self.wanted_bits) for span in self.rows.opening)
        return opened and not busy & self.wanted_bits

    @cached_property
    def stays(self) -> dict[int, Stay]:
        found = {pk: self._stay_of(self.visits[pk]) for pk in self.movers}
        if self.wanted is not None:
            found[WANTED] = self._stay_wanted()
        return found

    def _stay_of(self, visit: Appointment) -> Stay:
        takes = self.takes(visit)
        hands = takes.get(hands_lane(visit.nurse_id), 0)
        return Stay(visit.pk, visit.is_home, takes[place_lane(visit.nurse_id, visit.ratio_place)], hands)

    def _stay_wanted(self) -> Stay:
        need, first = self.wanted.need, clock.quarter_of(self.wanted.start)
        stop = first + need.length
        bits = self.rows.bits
        if need.at_home:
            away = bits(range(first - need.travel, stop + need.travel))
            return Stay(WANTED, True, away, away)
        hands = bits(range(first, first + need.start_hands)) | bits(range(stop - need.end_hands, stop))
        return Stay(WANTED, False, self.wanted_bits, hands)

    def cost_of(self, key: int) -> int:
        if key == WANTED:
            return 0
        return CHANGE_ARRIVED if self.visits[key].state == State.ARRIVED else CHANGE

    def fixed(self) -> list[Appointment]:
        changing = set(self.movers)
        return [visit for visit in (*self.rows.visits, *self.rows.elsewhere) if visit.pk not in changing]

    @cached_property
    def _overrun(self) -> dict[int, int]:
        """Of each lane the quarters that visits will take longer than booked."""
        found: dict[int, int] = defaultdict(int)
        for visit in self.rows.visits:
            for lane, quarters in self.rows.takes_longer(visit).items():
                found[lane] |= quarters
        return found

    def is_pushed_off(self, visit: Appointment) -> bool:
        """A visit that stays where it is, although one that overruns is still there."""
        if visit.pk in self.rows.longer or visit.end <= self.rows.now:
            return False
        return any(quarters & self._overrun.get(lane, 0) for lane, quarters in self.takes(visit).items())

    @cached_property
    def kinds(self) -> list[str]:
        return sorted({chair.kind for chair in self.rows.chairs.values()})

    def chair_part(self, kind: str) -> Part:
        """Every visit in a chair of the kind; the wanted one is added where it may take this kind."""
        chairs = [chair for chair in self.rows.chairs.values() if chair.kind == kind]
        lanes = {chair_lane(chair.pk) for chair in chairs}
        fixed = [
            Take(lane, quarters)
            for visit in self.fixed()
            for lane, quarters in self.takes(visit).items()
            if lane in lanes
        ]
        usable = {chair.pk: self.rows.outages.get(chair.pk, 0) for chair in chairs if chair.is_active}
        movers = []
        for key, stay in self.stays.items():
            if stay.at_home or (key != WANTED and self.visits[key].chair_id not in self.rows.chairs):
                continue
            if key != WANTED and self.rows.chairs[self.visits[key].chair_id].kind != kind:
                continue
            movers.append(self._chair_mover(stay, usable))
        return _with_hits(Part(tuple(movers), tuple(fixed)))

    def _chair_mover(self, stay: Stay, usable: dict[int, int]) -> Mover:
        def choice(chair_id: int, **more) -> Choice:
            return Choice((chair_id,), (Take(chair_lane(chair_id), stay.whole),), **more)

        good = [chair_id for chair_id, outage in usable.items() if not outage & stay.whole]
        if stay.key == WANTED:
            named = self.wanted.chair_id
            return Mover(WANTED, tuple(choice(chair_id) for chair_id in good if named in (None, chair_id)))
        own = self.visits[stay.key].chair_id
        cost = self.cost_of(stay.key)
        now = choice(own, settled=own in good or stay.key not in self.uncovered)
        return Mover(stay.key, (now, *(choice(one, cost=cost) for one in good if one != own)), now)

    def nurse_part(self) -> Part:
        """Who has how many patients; their places are handed out afterwards."""
        counted = {nurse_id: sorted({s.ratio for s in spans}) for nurse_id, spans in self.rows.shifts.items()}
        capacity = {(nurse_id, ratio): ratio for nurse_id, ratios in counted.items() for ratio in ratios}
        nurse_ids = {*counted, *(visit.nurse_id for visit in (*self.rows.visits, *self.rows.elsewhere))}
        capacity |= {("room", nurse_id): MAX_RATIO for nurse_id in nurse_ids}
        fixed = [take for visit in self.fixed() for take in self._counted_takes(visit, counted)]
        movers = [self._nurse_mover(stay, counted) for stay in self.stays.values()]
        return _with_hits(Part(tuple(movers), tuple(fixed), capacity))

    def _nurse_mover(self, stay: Stay, counted: dict[int, list[int]]) -> Mover:
        def choice(nurse_id: int, limit: int, cost: int) -> Choice:
            takes = [Take(hands_lane(nurse_id), stay.hands)]
            takes.append(Take(("room", nurse_id), stay.whole, MAX_RATIO if stay.at_home else 1))
            if not stay.at_home:
                takes += [Take((nurse_id, ratio), stay.whole) for ratio in counted[nurse_id] if ratio >= limit]
            return Choice((nurse_id,), tuple(takes), cost)

        good = self.limits(stay)
        if stay.key == WANTED:
            return Mover(WANTED, tuple(choice(nurse_id, limit, 0) for nurse_id, limit in good.items()))
        visit = self.visits[stay.key]
        others = [choice(one, limit, self.cost_of(stay.key)) for one, limit in good.items() if one != visit.nurse_id]
        if self.sits_well(visit, good):
            now = choice(visit.nurse_id, good[visit.nurse_id], 0)
            return Mover(stay.key, (now, *others), now)
        takes = tuple(self._counted_takes(visit, counted))
        now = Choice((visit.nurse_id,), takes, settled=stay.key not in self.uncovered, keeps_place=True)
        if visit.nurse_id in good:
            # The same nurse, another of her places: nobody sees a change.
            others.insert(0, choice(visit.nurse_id, good[visit.nurse_id], 1))
        return Mover(stay.key, (now, *others), now)

    def sits_well(self, visit: Appointment, limits: dict[int, int]) -> bool:
        return visit.ratio_place < limits.get(visit.nurse_id, 0) or (visit.is_home and visit.nurse_id in limits)

    def limits(self, stay: Stay) -> dict[int, int]:
        """The nurses on shift for the whole of it, each with how many patients she may have then; the idlest first."""
        setting = Setting.HOME if stay.at_home else Setting.FACILITY
        named = self.wanted.nurse_id if stay.key == WANTED else None
        found: dict[int, int] = {}
        for nurse_id, spans in self.rows.shifts.items():
            ratios = [s.ratio for s in spans if s.setting == setting and _covers(range(s.first, s.stop), stay.whole)]
            if ratios and named in (None, nurse_id):
                found[nurse_id] = min(max(ratios), MAX_RATIO)
        return dict(sorted(found.items(), key=lambda item: self._load(item[0], stay.whole)))

    def _load(self, nurse_id: int, during: int) -> int:
        return sum((taken & during).bit_count() for taken in self._taken_of.get(nurse_id, ()))

    @cached_property
    def _taken_of(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for visit in (*self.rows.visits, *self.rows.elsewhere):
            takes = self.takes(visit)
            found[visit.nurse_id] += [taken for lane, taken in takes.items() if lane in place_lanes(visit.nurse_id)]
        return found

    def _counted_takes(self, visit: Appointment, counted: dict[int, list[int]]) -> Iterator[Take]:
        """Of a visit that keeps its very place: it counts wherever that place does."""
        takes = self.takes(visit)
        nurse_id = visit.nurse_id
        whole = takes[place_lane(nurse_id, visit.ratio_place)]
        yield Take(hands_lane(nurse_id), takes.get(hands_lane(nurse_id), 0))
        yield Take(("room", nurse_id), whole, MAX_RATIO if visit.is_home else 1)
        if not visit.is_home:
            yield from (
                Take((nurse_id, ratio), whole) for ratio in counted.get(nurse_id, ()) if ratio > visit.ratio_place
            )

    def place_part(self) -> Part:
        """The nurses again, each place of each of them a seat."""
        fixed = [
            Take(lane, quarters)
            for visit in self.fixed()
            for lane, quarters in self.takes(visit).items()
            if name_lane(lane).kind in ("hands", "place")
        ]
        return _with_hits(Part(tuple(self._place_mover(stay) for stay in self.stays.values()), tuple(fixed)))

    def _place_mover(self, stay: Stay) -> Mover:
        def choice(nurse_id: int, place: int, **more) -> Choice:
            lanes = place_lanes(nurse_id) if stay.at_home else [place_lane(nurse_id, place)]
            takes = (Take(hands_lane(nurse_id), stay.hands), *(Take(lane, stay.whole) for lane in lanes))
            return Choice((nurse_id, place), takes, **more)

        good = self.limits(stay)
        seats = [(n, place) for n, limit in good.items() for place in range(1 if stay.at_home else limit)]
        if stay.key == WANTED:
            return Mover(WANTED, tuple(choice(*seat) for seat in seats))
        visit = self.visits[stay.key]
        own = (visit.nurse_id, visit.ratio_place)
        now = choice(*own, settled=self.sits_well(visit, good) or stay.key not in self.uncovered)
        cost = {visit.nurse_id: 1}
        others = (choice(*seat, cost=cost.get(seat[0], self.cost_of(stay.key))) for seat in seats if seat != own)
        return Mover(stay.key, (now, *others), now)


def _covers(span: range, bits: int) -> bool:
    return bool(bits) and (bits & -bits).bit_length() - 1 >= span.start and bits.bit_length() <= span.stop


def _with_hits(part: Part) -> Part:
    """Visits that an overrun pushes off their seats are unsettled: they may keep it only for want of a better one."""
    room = Room(part, (mover.now for mover in part.movers if mover.now))
    over = {lane: full for lane in room.levels if (full := room.overfull(lane))}
    if not over:
        return part

    def hit(mover: Mover) -> Mover:
        if mover.now is None or not any(take.quarters & over.get(take.lane, 0) for take in mover.now.takes):
            return mover
        takes = tuple(replace(take, quarters=take.quarters & ~over.get(take.lane, 0)) for take in mover.now.takes)
        staying = Choice(mover.now.seat, takes, settled=False, keeps_place=True)
        others = tuple(choice for choice in mover.choices if choice.settled)
        return Mover(mover.key, (*others, staying), staying)

    return replace(part, movers=tuple(hit(mover) for mover in part.movers))
