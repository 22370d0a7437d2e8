"""Which of the starts that fit are best. Pure: bitmaps and whole numbers in, starts out.

Four merits are priced alike, 0 for nothing to wish for and about 100 for as bad as it gets: how evenly the day is
loaded, what is left of the chairs, what the patient would like, how near the due day. A site weighs them.
Within the result starts are spread over days: a scheduler wants a choice of days before one of quarter-hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from infusions.scheduling.bitmaps import USABLE, Fits, Need, Picture, fill, runs, union
from infusions.scheduling.load import Load, lateness

APPROVAL_PRICE = 1_000_000
A_DAY = 6  # the price of each day from the due day
ANOTHER_OF_THE_DAY = 18  # so much worse must the best of another day be, before a second of the same day comes first
GAP_PRICES = {"fills": 0, "whole": 15, "one": 40, "both": 60}
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
class Gaps:
    """Starts by what they leave of the best chair for them: nothing on both sides, only usable gaps, one scrap."""

    fills: int = 0
    whole: int = 0
    one: int = 0

    def price(self, start: int) -> int:
        kind = next((name for name in ("fills", "whole", "one") if getattr(self, name) >> start & 1), "both")
        return GAP_PRICES[kind]


@dataclass(frozen=True)
class Part:
    """The starts of the days on which a visit takes equally long, and what their prices follow from."""

    picture: Picture
    need: Need
    fits: Fits
    days: Sequence[DaySlice]
    load: Load | None = None
    gaps: Gaps | None = None
    wishes: Sequence[Wish] = ()

    def price(self, start: int, day: DaySlice) -> Price:
        level = 0
        if self.load is not None:
            level = self.load.price(start, self.need) + lateness(self.picture, start, self.need)
        chairs = 0 if self.gaps is None else self.gaps.price(start)
        missed = sum(wish.price for wish in self.wishes if not wish.starts >> start & 1)
        return Price(level, chairs, missed, A_DAY * abs(day.from_due))


def gaps_of(picture: Picture, need: Need, fits: Fits) -> Gaps:
    """A gap too short for any visit is lost; one at the edge of the day is a gap like any other."""
    fills = whole = one = 0
    open_quarters = union(fill(span.start, span.stop) for span in picture.opening)
    for chair_id, starts in fits.chairs.items():
        free = picture.free_chair(chair_id) & open_quarters
        usable = runs(free, USABLE)
        next_to, ends_at = ~(free << 1), ~(free >> need.length)
        before, after = next_to | usable << USABLE, ends_at | usable >> need.length
        fills |= starts & next_to & ends_at
        whole |= starts & before & after
        one |= starts & (before | after)
    return Gaps(fills, whole, one)


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
            width = (1 << (day.stop - day.first)) - 1
            starts = [day.first + bit for bit in set_bits(part.fits.starts >> day.first & width)]
            if day.needs_approval or not starts:
                continue
            if day.first <= asked < day.stop:
                chosen = [*[s for s in starts if s < asked][-1:], *[s for s in starts if s >= asked][:1]]
            else:
                chosen = [min(starts, key=lambda s, midnight=day.midnight: (abs(s - midnight - hour), s))]
            found += [(abs(s - asked), s, Ranked(s, part.price(s, day), False)) for s in chosen]
    return [ranked for _, _, ranked in sorted(found)[:limit]]


def _least_due(day: DaySlice, weights: Weights) -> int:
    return A_DAY * abs(day.from_due) * weights.due


def _least(day: DaySlice, weights: Weights) -> int:
    return _least_due(day, weights) + (APPROVAL_PRICE if day.needs_approval else 0)


def _rank_day(part: Part, day: DaySlice, weights: Weights, fixed: int) -> list[tuple[int, Ranked]]:
    width = (1 << (day.stop - day.first)) - 1
    starts = [day.first + bit for bit in set_bits(part.fits.starts >> day.first & width)]
    priced = [(start, part.price(start, day)) for start in starts]
    busiest = max((price.level for _, price in priced), default=0)
    calmest = min((price.level for _, price in priced), default=0)
    return sorted(
        (
            price.weighed(weights) + fixed + _odd_hour(start - day.midnight),
            Ranked(start, price, price.level <= calmest + 5 and busiest - price.level >= 15),
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
