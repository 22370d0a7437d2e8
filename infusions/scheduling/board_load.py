"""How much of the chairs and of the nurses' places is taken in each quarter-hour or hour. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from infusion_center.core import clock
from infusions.facility.models import Setting
from infusions.scheduling.board_layout import Axis
from infusions.scheduling.lanes import lanes_of


class Load(NamedTuple):
    """The fullest quarter of some neighbouring ones: how many are taken, of how many."""

    span: int
    taken: int
    of: int

    @property
    def is_full(self) -> bool:
        return self.taken >= self.of and self.taken > 0

    @property
    def is_over(self) -> bool:
        return self.taken > self.of

    @property
    def percent(self) -> int:
        return min(100, self.taken * 100 // self.of) if self.of else 100 * bool(self.taken)

    @property
    def rest(self) -> int:
        """Where the bar of a picture begins, from the top."""
        return 100 - self.percent


class Counter:
    """Numbers by the quarters of an axis."""

    def __init__(self, axis: Axis):
        self.axis = axis
        self.numbers = [0] * len(axis.columns)

    def add(self, quarters: range, number: int = 1) -> None:
        for quarter in range(max(quarters.start, self.axis.first), min(quarters.stop, self.axis.stop)):
            self.numbers[quarter - self.axis.first] += number

    def add_visits(self, visits: Iterable) -> Counter:
        """The quarters in which the visits hold their chair, or their nurse's place."""
        for visit in visits:
            self.add(held_quarters(visit))
        return self

    def add_spans(self, spans: Iterable, number: int = 1) -> Counter:
        for start, end in spans:
            self.add(clock.quarters_between(start, end), number)
        return self


def held_quarters(visit) -> range:
    """As claimed: a visit that ended early gives its chair and its place back."""
    return lanes_of(visit)[0][1]


def hands_quarters(visit) -> list[range]:
    """When the nurse's hands are with the patient: at the start and at the end; at home all the time."""
    lanes = lanes_of(visit)
    return [quarters for _, quarters in lanes[3:]] if visit.setting == Setting.FACILITY else [lanes[0][1]]


def by_hour(taken: Counter, capacity: Counter) -> list[Load]:
    """One for each hour of the axis: a quarter with more taken than there is, else the fullest of what there is."""
    found = []
    for span in taken.axis.hour_spans:
        part = slice(span.start - taken.axis.first, span.stop - taken.axis.first)
        pairs = list(zip(taken.numbers[part], capacity.numbers[part], strict=True))
        over = [(count, of) for count, of in pairs if count > of]
        most = max(over) if over else (max(count for count, _ in pairs), max(of for _, of in pairs))
        found.append(Load(len(span), *most))
    return found
