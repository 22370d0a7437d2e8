"""Who could sit where: visits with the seats each may take, what a seat takes of which lane, what is left. Pure.

A part of a day is what is decided together: the chairs of one kind, or the nurses. Times are fixed, so chairs and
nurses are separate questions. The easy answers - nobody else changes, or one visit does - are found here by bitmaps;
the rest is seating_solver's.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

WANTED = 0  # the key of the visit that is only thought of; no row has this number
# One changed visit more always costs more than which visits they are.
CHANGE, CHANGE_ARRIVED = 1000, 1001


@dataclass(frozen=True)
class Take:
    """What a visit takes of a lane: a bitmap of quarters, and how many of the lane's places."""

    lane: Hashable
    quarters: int
    weight: int = 1


@dataclass(frozen=True)
class Choice:
    """One seat that a visit may have. Not `settled`: it only stays there because nothing better was found.

    `keeps_place`: with its nurse it stays in the very place that it holds, lawful or not.
    """

    seat: tuple[int, ...]  # (chair,), (nurse,) or (nurse, place)
    takes: tuple[Take, ...]
    cost: int = 0
    settled: bool = True
    keeps_place: bool = False


@dataclass(frozen=True)
class Mover:
    """A visit that may be re-seated. `now` is where it sits; None for one that is only thought of."""

    key: int
    choices: tuple[Choice, ...]
    now: Choice | None = None

    @property
    def is_unsettled(self) -> bool:
        return self.now is None or not self.now.settled


@dataclass(frozen=True)
class Part:
    """Movers, what visits that stay take, and how many may take each lane at once."""

    movers: tuple[Mover, ...]
    fixed: tuple[Take, ...] = ()
    capacity: Mapping[Hashable, int] = field(default_factory=dict)  # 1 where a lane is not named

    def with_mover(self, mover: Mover) -> Part:
        return replace(self, movers=(*self.movers, mover))


@dataclass(frozen=True)
class Seating:
    """The choice of every mover of a part, by its key."""

    chosen: Mapping[int, Choice]

    @property
    def cost(self) -> int:
        return sum(choice.cost for choice in self.chosen.values())

    @property
    def unsettled(self) -> set[int]:
        return {key for key, choice in self.chosen.items() if not choice.settled}


class Room:
    """How full each lane is: `levels[n]` is the bitmap of quarters that more than n places are taken in."""

    def __init__(self, part: Part, seated: Iterable[Choice] = ()):
        self.capacity = part.capacity
        self.levels: dict[Hashable, list[int]] = {}
        for take in part.fixed:
            self._add(take)
        for choice in seated:
            self.add(choice)

    def add(self, choice: Choice) -> None:
        for take in choice.takes:
            self._add(take)

    def remove(self, choice: Choice) -> None:
        for take in choice.takes:
            for _ in range(take.weight):
                gone = take.quarters
                levels = self.levels[take.lane]
                for level in reversed(range(len(levels))):
                    here = levels[level] & gone
                    levels[level] ^= here
                    gone ^= here

    def fits(self, choice: Choice) -> bool:
        return not any(take.quarters & self.full(take.lane, take.weight) for take in choice.takes)

    def full(self, lane: Hashable, weight: int = 1) -> int:
        """Quarters in which the lane has no room for `weight` more."""
        level = self.capacity.get(lane, 1) - weight
        levels = self.levels.get(lane, ())
        return levels[level] if level < len(levels) else 0

    def overfull(self, lane: Hashable) -> int:
        return self.full(lane, 0)

    def _add(self, take: Take) -> None:
        levels = self.levels.setdefault(take.lane, [])
        for _ in range(take.weight):
            more = take.quarters
            for level, there in enumerate(levels):
                levels[level] = there | more
                more &= there
            if more:
                levels.append(more)


def settle_easily(part: Part) -> Seating | None:
    """A seating in which every unsettled visit sits and nobody else, or one other visit at most, has changed.

    Whoever is unsettled changes anyway, so the first is the best there is; and so is the second, once the first failed
    for a single unsettled visit. None: seating_solver must look.
    """
    settled = [mover for mover in part.movers if not mover.is_unsettled]
    unsettled = sorted((mover for mover in part.movers if mover.is_unsettled), key=lambda mover: len(mover.choices))
    chosen = {mover.key: mover.now for mover in settled}
    room = Room(part, chosen.values())
    if (found := _seat_all(room, unsettled)) is not None:
        return Seating(chosen | found)
    if len(unsettled) == 1 and (found := _seat_by_one_change(room, unsettled[0], settled)):
        return Seating(chosen | found)
    return None


def _seat_all(room: Room, unsettled: list[Mover]) -> dict[int, Choice] | None:
    found: dict[int, Choice] = {}
    for mover in unsettled:
        choice = next((one for one in mover.choices if one.settled and room.fits(one)), None)
        if choice is None:
            for taken in found.values():
                room.remove(taken)
            return None
        room.add(choice)
        found[mover.key] = choice
    return found


def _seat_by_one_change(room: Room, mover: Mover, settled: list[Mover]) -> dict[int, Choice] | None:
    for choice, other in _one_in_the_way(mover, settled):
        room.remove(other.now)
        if room.fits(choice):
            room.add(choice)
            for instead in other.choices:
                if instead.seat != other.now.seat and room.fits(instead):
                    return {mover.key: choice, other.key: instead}
            room.remove(choice)
        room.add(other.now)
    return None


def _one_in_the_way(mover: Mover, settled: list[Mover]) -> Iterator[tuple[Choice, Mover]]:
    for choice in mover.choices:
        if not choice.settled:
            continue
        wanted = {take.lane: take.quarters for take in choice.takes}
        for other in settled:
            if len(other.choices) > 1 and any(wanted.get(t.lane, 0) & t.quarters for t in other.now.takes):
                yield choice, other
