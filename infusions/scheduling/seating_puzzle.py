"""A day and what is asked of it: who may change, who must be seated, who works during each visit. Pure: rows in."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from functools import cached_property

from infusion_center.core import clock
from infusions.facility.models import MAX_RATIO, Setting
from infusions.scheduling.bitmaps import Need
from infusions.scheduling.lanes import hands_lane, patient_lane, place_lane, place_lanes
from infusions.scheduling.models import Appointment
from infusions.scheduling.seating import CHANGE, CHANGE_ARRIVED, WANTED, Part
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

    def __init__(self, rows: DayRows, uncovered: Collection[int] = ()):
        self.rows = rows
        self.wanted: Wanted | None = None
        self.parts: dict[str, Part] = {}  # as seating_parts built them, without the wanted visit
        self._takes: dict[int, dict[int, int]] = {}
        self.visits = {visit.pk: visit for visit in rows.visits}
        asked = {pk for pk in uncovered if pk in self.visits}
        self.uncovered = {pk for pk in asked if rows.may_be_seated(self.visits[pk]) and self._is_open(self.visits[pk])}
        movers = {pk for pk, visit in self.visits.items() if rows.may_change(visit)}
        self.movers = sorted(movers | self.uncovered, key=lambda pk: (self.visits[pk].start, pk))
        self.stays = {pk: self._stay_of(self.visits[pk]) for pk in self.movers}

    def seeking(self, wanted: Wanted | None) -> Puzzle:
        """The same day, asked for a visit; what was worked out about the others is shared."""
        if wanted is None:
            return self
        asked = copy(self)
        asked.wanted = wanted
        asked.stays = {**self.stays, WANTED: asked._stay_wanted()}
        return asked

    def takes(self, visit: Appointment) -> dict[int, int]:
        if visit.pk not in self._takes:
            self._takes[visit.pk] = self.rows.takes(visit)
        return self._takes[visit.pk]

    def _is_open(self, visit: Appointment) -> bool:
        if visit.is_home:
            return True
        whole = self.rows.bits(clock.quarters_between(visit.start, visit.end))
        return any(covers(span, whole) for span in self.rows.opening)

    def wanted_is_possible(self) -> bool:
        """The patient is free, and for a chair the site is open: nothing that re-seating could change."""
        need, first = self.wanted.need, clock.quarter_of(self.wanted.start)
        whole = self.rows.bits(range(first, first + need.length))
        lane, busy = patient_lane(self.wanted.patient_id), 0
        for visit in (*self.rows.visits, *self.rows.elsewhere):
            if visit.patient_id == self.wanted.patient_id:
                busy |= self.takes(visit).get(lane, 0)
        opened = need.at_home or any(covers(span, whole) for span in self.rows.opening)
        return opened and not busy & whole

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
        return Stay(WANTED, False, bits(range(first, stop)), hands)

    def cost_of(self, key: int) -> int:
        return CHANGE_ARRIVED if self.visits[key].state == State.ARRIVED else CHANGE

    @cached_property
    def fixed(self) -> list[Appointment]:
        changing = set(self.movers)
        return [visit for visit in (*self.rows.visits, *self.rows.elsewhere) if visit.pk not in changing]

    @cached_property
    def kinds(self) -> list[str]:
        return sorted({chair.kind for chair in self.rows.chairs.values()})

    def limits(self, stay: Stay) -> dict[int, int]:
        """The nurses on shift for the whole of it, each with how many patients she may have then; the idlest first."""
        setting = Setting.HOME if stay.at_home else Setting.FACILITY
        named = self.wanted.nurse_id if stay.key == WANTED else None
        found: dict[int, int] = {}
        for nurse_id, spans in self.rows.shifts.items():
            ratios = [s.ratio for s in spans if s.setting == setting and covers(range(s.first, s.stop), stay.whole)]
            if ratios and named in (None, nurse_id):
                found[nurse_id] = min(max(ratios), MAX_RATIO)
        return dict(sorted(found.items(), key=lambda item: self._load(item[0], stay.whole)))

    def _load(self, nurse_id: int, during: int) -> int:
        return sum((taken & during).bit_count() for taken in self._taken_of.get(nurse_id, ()))

    @cached_property
    def _taken_of(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for visit in (*self.rows.visits, *self.rows.elsewhere):
            takes, places = self.takes(visit), set(place_lanes(visit.nurse_id))
            found[visit.nurse_id] += [taken for lane, taken in takes.items() if lane in places]
        return found

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


def covers(span: range, bits: int) -> bool:
    return bool(bits) and (bits & -bits).bit_length() - 1 >= span.start and bits.bit_length() <= span.stop
