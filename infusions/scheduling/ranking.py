"""Which of the starts that fit are best. Pure: bitmaps and whole numbers in, starts out.

Four merits are priced in like coin, 0 for nothing to wish for and 100 and more for what is bad: how evenly the day is
loaded, what is left of the chairs, what the patient would like, how near the due day. A site weighs them.
Within the result starts are spread over days: a scheduler wants a choice of days before one of quarter-hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from infusions.scheduling.bitmaps import Fits, Need, Picture
from infusions.scheduling.gaps import BEST, TENTHS, day_losses, filled_gaps
from infusions.scheduling.load import Load, lateness

APPROVAL_PRICE = 1_000_000
A_DAY = 12  # the price of each day from the due day
ANOTHER_OF_THE_DAY = 18  # so much worse must the best of another day be, before a second of the same day comes first
CALMER = 20  # so much less crowded than the day's busiest start is one that is said to level the day
CHAIR_PRICE = 6  # for each quarter of chair time lost
# What a wish that is not met costs.
DAY_WISH, TIME_WISH, NURSE_WISH, KIND_WISH, SAME_NURSE = 40, 40, 30, 20, 15


class Weights(NamedTuple):
    """What a site makes of the merits; 0 leaves one out."""

    level: int = 3
    chairs: int = 2
    wishes: int = 3
    due: int = 3


class Price(NamedTuple):
    level: int
    chairs: int
    wishes: int
    due: int

    def weighed(self, weights: Weights) -> int:
        return sum(price * weight for price, weight in zip(self, weights, strict=True))


class Wish(NamedTuple):
    """The starts that meet a wish of the patient, and what it costs to miss it."""

    name: str
    starts: int
    price: int


class Ranked(NamedTuple):
    start: int
    price: Price
    levels: bool  # clearly calmer than the day's busiest start


@dataclass(frozen=True)
class DaySlice:
    """The bits of one local day, how many days it lies from the due day, and whether it needs an approval."""

    first: int
    stop: int
    from_due: int
    needs_approval: bool = False
    midnight: int = 0  # may lie before the window


@dataclass(frozen=True)
class Part:
    """The starts of the days on which a visit takes equally long, and what their prices follow from."""

    picture: Picture
    need: Need
    fits: Fits
    days: Sequence[DaySlice]
    load: Load | None = None
    wishes: Sequence[Wish] = ()

    @cached_property
    def fills_gap(self) -> int:
        """Starts at which the visit takes the whole of a gap in some chair."""
        return filled_gaps(self.picture, self.need, self.fits)

    def prices(self, day: DaySlice) -> list[tuple[int, Price]]:
        """The starts of a day with their prices."""
        width = (1 << (day.stop - day.first)) - 1
        losses = day_losses(self.picture, self.need, self.fits, day.first, day.stop)
        due = A_DAY * abs(day.from_due)
        return [
            (start, Price(self._level(start), self._chairs(start, losses), self._missed(start), due))
            for start in (day.first + bit for bit in set_bits(self.fits.starts >> day.first & width))
        ]

    def crowding(self, start: int) -> int:
        """How busy the hours of the visit would be; nothing at home."""
        return self.load.price(start, self.need) if self.load else 0

    def _level(self, start: int) -> int:
        late = lateness(self.picture, start, self.need) if self.load else 0
        return self.crowding(start) + late

    def _chairs(self, start: int, losses: Mapping[int, int]) -> int:
        """Nothing at home."""
        return max(0, losses[start] + BEST) * CHAIR_PRICE // TENTHS if losses else 0

    def _missed(self, start: int) -> int:
        return sum(wish.price for wish in self.wishes if not wish.starts >> start & 1)


def best_starts(parts: Iterable[Part], weights: Weights, limit: int | None) -> list[Ranked]:
    """At most `limit` starts, best first; all that fit when the limit is None. Equal ones: the earlier day and hour."""
    days = [(_least(day, weights), day.first, day, part) for part in parts for day in part.days]
    days.sort(key=lambda one: one[:2])
    found: list[tuple[int, int, int, Ranked]] = []
    for least, first, day, part in days:
        if limit is not None and len(found) >= limit and least > found[limit - 1][0]:
            break  # days come in the order of the least that they can cost: no later one gets among the best
        in_order = _rank_day(part, day, weights, least - _least_due(day, weights))
        for nth, (price, ranked) in enumerate(in_order if limit is None else in_order[:limit]):
            found.append((price + nth * ANOTHER_OF_THE_DAY, abs(day.from_due), first, ranked))
        found.sort(key=lambda one: one[:3])
    return [ranked for *_, ranked in (found if limit is None else found[:limit])]


def nearest_starts(parts: Iterable[Part], asked: int, hour: int, limit: int | None) -> list[Ranked]:
    """Starts close to `asked`, `hour` quarters after midnight, that does not do: on its own day the last before it and
    the first from it on, on each other day the one nearest to the same hour. None that would need an approval."""
    found: list[tuple[int, int, Ranked]] = []
    for part in parts:
        for day in part.days:
            priced = {} if day.needs_approval else dict(part.prices(day))
            starts = list(priced)
            if not starts:
                continue
            if day.first <= asked < day.stop:
                chosen = [*[s for s in starts if s < asked][-1:], *[s for s in starts if s >= asked][:1]]
            else:
                chosen = [min(starts, key=lambda s, midnight=day.midnight: (abs(s - midnight - hour), s))]
            found += [(abs(s - asked), s, Ranked(s, priced[s], False)) for s in chosen]
    return [ranked for _, _, ranked in sorted(found)[:limit]]


def _least_due(day: DaySlice, weights: Weights) -> int:
    return A_DAY * abs(day.from_due) * weights.due


def _least(day: DaySlice, weights: Weights) -> int:
    return _least_due(day, weights) + (APPROVAL_PRICE if day.needs_approval else 0)


def _rank_day(part: Part, day: DaySlice, weights: Weights, fixed: int) -> list[tuple[int, Ranked]]:
    priced = part.prices(day)
    crowding = {start: part.crowding(start) for start, _ in priced}
    calmest, busiest = min(crowding.values(), default=0), max(crowding.values(), default=0)
    return sorted(
        (
            price.weighed(weights) + fixed + _odd_hour(start - day.midnight),
            Ranked(start, price, crowding[start] <= calmest + 5 and crowding[start] + CALMER <= busiest),
        )
        for start, price in priced
    )


def _odd_hour(quarter: int) -> int:
    """A full hour before a half before a quarter, where nothing else tells them apart."""
    return 0 if quarter % 4 == 0 else 1 if quarter % 2 == 0 else 2


def set_bits(bitmap: int) -> Iterable[int]:
    while bitmap:
        lowest = bitmap & -bitmap
        yield lowest.bit_length() - 1
        bitmap ^= lowest
