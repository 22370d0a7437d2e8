"""Times calls against the floor of the same kind, turn by turn, so that a busy moment of the machine hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

WARM_UP = 3


@dataclass
class Row:
    """One line of the table. `kind` names its floor: in process, or http. `goal` is the highest ratio aimed at."""

    name: str
    kind: str
    call: Callable[..., object]
    goal: float | None = None
    is_floor: bool = False
    prepare: Callable[[], object] | None = None  # not timed; what it returns is handed to the call
    times: list[float] = field(default_factory=list)

    def run(self) -> float:
        """Seconds of one call."""
        prepared = [self.prepare()] if self.prepare else []
        started = time.perf_counter()
        self.call(*prepared)
        return time.perf_counter() - started

    @property
    def milliseconds(self) -> float:
        return statistics.median(self.times) * 1000


@dataclass(frozen=True)
class Result:
    """What is printed: a time with its ratio, a count with its limit, or both None and a remark."""

    phase: str
    name: str
    milliseconds: float | None = None
    ratio: float | None = None
    count: float | None = None
    goal: float | None = None
    note: str = ""

    @property
    def is_missed(self) -> bool:
        value = self.ratio if self.ratio is not None else self.count
        return self.goal is not None and value is not None and value > self.goal


def measure(phase: str, rows: Sequence[Row], rounds: int) -> list[Result]:
    """Each row once a round, all rows in every round; medians, and ratios to the floor of the row's kind."""
    for row in rows:
        for _ in range(WARM_UP):
            row.run()
    for _ in range(rounds):
        for row in rows:
            row.times.append(row.run())
    floors = {row.kind: row.milliseconds for row in rows if row.is_floor}
    return [
        Result(phase, f"{row.name}, {row.kind}", row.milliseconds, row.milliseconds / floors[row.kind], goal=row.goal)
        for row in rows
    ]
