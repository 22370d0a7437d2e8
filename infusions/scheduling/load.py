"""How busy each quarter of a window is: nurses' hands and patients in chairs against what the shifts bear. Pure.

The price of one more visit is convex: the square of how full the quarter would be. So the first visits of a
day spread over it by themselves, and nothing is piled on the busiest hour while another is idle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from infusions.scheduling.bitmaps import Need, Picture
from infusions.scheduling.lanes import chair_lane, hands_lane

FULL = 200  # the price of a quarter that would be full
ADDED_AT_ONCE = 255  # bitmaps summed with one byte a quarter
# For each of the last quarters before closing that a visit takes: an overrun would keep people after hours.
LATE_QUARTERS, LATE_PRICE = 3, 15


@dataclass(frozen=True)
class Load:
    """Prices of one more pair of hands and of one more patient, summed up from the window's first quarter."""

    hands: Sequence[int]
    patients: Sequence[int]

    def price(self, start: int, need: Need) -> int:
        """What a visit adds to the crowding of its day: its hands and its place, each averaged, halved."""
        stop = start + need.length
        handling = need.start_hands + need.end_hands
        hands = self.hands[start + need.start_hands] - self.hands[start]
        hands += self.hands[stop] - self.hands[stop - need.end_hands]
        patients = self.patients[stop] - self.patients[start]
        return (hands // handling if handling else 0) // 2 + patients // need.length // 2


def load_of(picture: Picture) -> Load:
    """The load of a window in a facility. A nurse on the road has one patient at a time: nothing to level there."""
    nurses, places = staffing(picture)
    hands = counts((picture.busy.get(hands_lane(nurse_id), 0) for nurse_id in picture.nurse_ids), picture.size)
    patients = counts((picture.busy.get(chair_lane(chair_id), 0) for chair_id in picture.chairs), picture.size)
    return Load(_summed(hands, nurses), _summed(patients, places))


def staffing(picture: Picture) -> tuple[list[int], list[int]]:
    """For each quarter how many nurses are on the floor, and how many patients they may have together."""
    nurses, places = [0] * (picture.size + 1), [0] * (picture.size + 1)
    for _, first, stop, ratio in picture.shifts:
        if first < stop:
            nurses[first] += 1
            nurses[stop] -= 1
            places[first] += ratio
            places[stop] -= ratio
    return list(accumulate(nurses))[:-1], list(accumulate(places))[:-1]


def counts(bitmaps: Iterable[int], size: int) -> list[int]:
    """In how many of the bitmaps each quarter is set: bits are widened to bytes, so that all are added at once."""
    zeros = int.from_bytes(b"0" * size, "big")
    totals: list[int] = [0] * size
    together = number = 0
    for bitmap in bitmaps:
        if bitmap:
            together += int.from_bytes(format(bitmap, f"0{size}b").encode(), "big") - zeros
            number += 1
        if number == ADDED_AT_ONCE:
            totals = [a + b for a, b in zip(totals, together.to_bytes(size, "little"), strict=True)]
            together = number = 0
    if not number:
        return totals
    added = together.to_bytes(size, "little")
    return [a + b for a, b in zip(totals, added, strict=True)] if any(totals) else list(added)


def _summed(taken: list[int], there: list[int]) -> list[int]:
    prices: dict[tuple[int, int], int] = {}
    for pair in set(zip(taken, there, strict=True)):
        busy, all_of_them = pair
        prices[pair] = FULL * (busy + 1) ** 2 // all_of_them**2 if all_of_them else FULL
    return [0, *accumulate([prices[pair] for pair in zip(taken, there, strict=True)])]


def lateness(picture: Picture, start: int, need: Need) -> int:
    """The price of ending shortly before closing."""
    stop = start + need.length
    closing = next((span.stop for span in picture.opening if span.start <= start < span.stop), stop + LATE_QUARTERS)
    return max(0, stop - (closing - LATE_QUARTERS)) * LATE_PRICE
