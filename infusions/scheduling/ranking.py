"""Which of the starts that fit are best. Pure: bitmaps in, starts out.

Near the due day first, yet spread over days: a scheduler wants a choice of days before a choice of quarter-hours.
Within a day: the nurse the patient knows, no gap left in a chair, a full hour; the earlier of equals.
"""

from collections.abc import Iterable
from dataclasses import dataclass

APPROVAL_PENALTY = 1000


@dataclass(frozen=True)
class DaySlice:
    """The bits of one local day, how many days it lies from the due day, and whether it needs an approval."""

    first: int
    stop: int
    from_due: int
    needs_approval: bool = False


@dataclass(frozen=True)
class Merits:
    """Bitmaps of starts that have something for them."""

    same_nurse: int = 0
    snug_before: int = 0
    snug_after: int = 0
    full_hour: int = 0
    half_hour: int = 0


def set_bits(bitmap: int) -> Iterable[int]:
    while bitmap:
        lowest = bitmap & -bitmap
        yield lowest.bit_length() - 1
        bitmap ^= lowest


def best_starts(starts: int, days: Iterable[DaySlice], merits: Merits, limit: int | None) -> list[int]:
    """At most `limit` starts, best first; all that fit when the limit is None."""
    ranked = []
    for day in days:
        width = (1 << (day.stop - day.first)) - 1
        own = Merits(**{name: value >> day.first & width for name, value in vars(merits).items()})
        in_order = sorted(set_bits(starts >> day.first & width), key=lambda bit: _demerit(bit, own))
        penalty = abs(day.from_due) + (APPROVAL_PENALTY if day.needs_approval else 0)
        if limit is not None:
            in_order = in_order[:limit]
        ranked += [(penalty + nth, abs(day.from_due), day.first + bit) for nth, bit in enumerate(in_order)]
    ranked.sort()
    return [start for _, _, start in ranked[:limit]]


def _demerit(bit: int, merits: Merits) -> tuple:
    snug = (merits.snug_before >> bit & 1) + (merits.snug_after >> bit & 1)
    rounded = 2 * (merits.full_hour >> bit & 1) + (merits.half_hour >> bit & 1)
    return -(merits.same_nurse >> bit & 1), -snug, -rounded, bit
