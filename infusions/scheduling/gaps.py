"""What a stretch of free chair time is worth, and so what a visit costs by where in it it lies. Pure.

A gap is worth the quarters that visits of the usual lengths can be expected to fill of it: nothing below the shortest,
then less than its length, as what is left beside a visit is often too short for another. A visit in the middle of an
empty chair leaves two gaps that are worth less than the one before; a visit that fills a gap exactly loses nothing.
"""

from __future__ import annotations

from infusions.scheduling.bitmaps import Fits, Need, Picture, fill, union

USUAL = range(8, 25)  # quarters: visits of two to six hours
LONGEST = 100  # quarters of the longest local day
TENTHS = 10


def _worth() -> list[int]:
    """Tenths of a quarter that visits fill of a gap: the mean over the lengths that fit, the rest of the gap included.

    The fewer lengths fit, the longer the gap waits for one that does: that share counts half.
    """
    worth: list[int] = []
    for gap in range(LONGEST + 1):
        fitting = [length for length in USUAL if length <= gap]
        filled = sum(TENTHS * length + worth[gap - length] for length in fitting)
        worth.append(filled * (len(USUAL) + len(fitting)) // (2 * len(USUAL) * len(fitting)) if fitting else 0)
    return worth


WORTH = _worth()
# A visit that takes the whole of a gap loses less than nothing; prices begin at the best that can happen.
BEST = max(TENTHS * gap - WORTH[gap] for gap in range(8, LONGEST))


def loss(before: int, length: int, after: int) -> int:
    """What the chair loses besides the visit itself, in tenths of a quarter; negative where the visit fits well."""
    whole = before + length + after
    return WORTH[min(whole, LONGEST)] - TENTHS * length - WORTH[min(before, LONGEST)] - WORTH[min(after, LONGEST)]


def day_losses(picture: Picture, need: Need, fits: Fits, first: int, stop: int) -> dict[int, int]:
    """For each start of a day, the least that any free chair loses by it. Chairs with equal gaps are reckoned once."""
    day = fill(first, stop)
    open_quarters = union(fill(span.start, span.stop) for span in picture.opening if span.start < stop) & day
    gaps: set[tuple[int, int]] = set()
    for chair_id, starts in fits.chairs.items():
        if starts & day:
            gaps.update(_gaps((picture.free_chair(chair_id) & open_quarters) >> first, need.length))
    losses: dict[int, int] = {}
    for begin, end in gaps:
        for start in range(begin, end - need.length + 1):
            lost = loss(start - begin, need.length, end - start - need.length)
            if lost < losses.get(start + first, LONGEST * TENTHS):
                losses[start + first] = lost
    return losses


def _gaps(free: int, least: int) -> list[tuple[int, int]]:
    """The runs of set bits that are long enough."""
    found, at = [], 0
    while free:
        skipped = (free & -free).bit_length() - 1
        free >>= skipped
        length = (~free & (free + 1)).bit_length() - 1
        if length >= least:
            found.append((at + skipped, at + skipped + length))
        free >>= length
        at += skipped + length
    return found


def filled_gaps(picture: Picture, need: Need, fits: Fits) -> int:
    """Starts at which the visit takes the whole of a gap in some chair."""
    open_quarters = union(fill(span.start, span.stop) for span in picture.opening)
    found = 0
    for chair_id, starts in fits.chairs.items():
        free = picture.free_chair(chair_id) & open_quarters
        found |= starts & ~(free << 1) & ~(free >> need.length)
    return found
