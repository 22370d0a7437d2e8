"""Fills days with visits so that no two share a chair, a nurse's hands or a place: whole days as integers.

Pure: no rows, no clock. Bit 0 is the quarter-hour in which the day begins.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from infusions.scheduling.bitmaps import fill, runs, union

START_HANDS, END_HANDS = 2, 1  # quarters, as sites have them by default


@dataclass(frozen=True)
class Spot:
    """Where a visit lies on its day: quarters from the day's first one, chair and nurse by their place in the list."""

    start: int
    length: int
    nurse: int
    ratio_place: int = 0
    chair: int | None = None


@dataclass
class NurseDay:
    hands: int
    places: list[int]


@dataclass
class ChairDay:
    """One open day: what of each chair and each nurse is still free."""

    dice: random.Random
    size: int
    chairs: list[int] = field(default_factory=list)
    nurses: list[NurseDay] = field(default_factory=list)
    used: int = 0

    @classmethod
    def empty(cls, dice: random.Random, size: int, chairs: int, nurses: int, ratio: int) -> ChairDay:
        whole = fill(0, size)
        return cls(dice, size, [whole] * chairs, [NurseDay(whole, [whole] * ratio) for _ in range(nurses)])

    @property
    def fullness(self) -> float:
        return self.used / (self.size * len(self.chairs))

    def place(self, length: int) -> Spot | None:
        """The earliest start in some chair that a nurse can be found for, sometimes a later one; None if none fits."""
        by_nurse = [self._starts_of(nurse, length) for nurse in self.nurses]
        any_nurse = union(by_nurse)
        for chair in self.dice.sample(range(len(self.chairs)), k=len(self.chairs)):
            starts = runs(self.chairs[chair], length) & any_nurse
            if starts:
                return self._take(self._choose(starts), length, chair, by_nurse)
        return None

    def _starts_of(self, nurse: NurseDay, length: int) -> int:
        hands = runs(nurse.hands, START_HANDS) & runs(nurse.hands, END_HANDS) >> (length - END_HANDS)
        return hands & union(runs(place, length) for place in nurse.places) if hands else 0

    def _choose(self, starts: int) -> int:
        first = (starts & -starts).bit_length() - 1
        later = starts >> (first + 1)
        # Patients do not always want the first start: some gaps stay.
        if later and self.dice.random() < 0.2:
            return first + 1 + (later & -later).bit_length() - 1
        return first

    def _take(self, start: int, length: int, chair: int, by_nurse: Sequence[int]) -> Spot:
        able = [number for number, starts in enumerate(by_nurse) if starts >> start & 1]
        nurse = max(able, key=lambda number: self.nurses[number].hands.bit_count())
        during = fill(start, start + length)
        day = self.nurses[nurse]
        place = next(number for number, free in enumerate(day.places) if free & during == during)
        self.chairs[chair] &= ~during
        day.places[place] &= ~during
        day.hands &= ~(fill(start, start + START_HANDS) | fill(start + length - END_HANDS, start + length))
        self.used += length
        return Spot(start, length, nurse, place, chair)


@dataclass
class RoadDay:
    """A day of home nurses: one patient after the other, with the way before and after each."""

    size: int
    nurses: int
    travel: int = 2
    free_from: list[int] = field(default_factory=list)

    def place(self, length: int) -> Spot | None:
        self.free_from = self.free_from or [0] * self.nurses
        for nurse in sorted(range(self.nurses), key=self.free_from.__getitem__):
            start = self.free_from[nurse] + self.travel
            if start + length + self.travel <= self.size:
                self.free_from[nurse] = start + length + self.travel
                return Spot(start, length, nurse)
        return None
