"""What a patient would like, as the starts that meet it and as words. Pure apart from reading attributes of chairs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from infusions.facility.models import WEEKDAYS, ChairKind
from infusions.facility.queries import wall_instant
from infusions.scheduling.availability import Availability
from infusions.scheduling.bitmaps import Fits, fill, union
from infusions.scheduling.queries import Known, Wishes
from infusions.scheduling.ranking import DAY_WISH, KIND_WISH, NURSE_WISH, SAME_NURSE, TIME_WISH, DaySlice, Wish

NOON = dt.time(12)


def wishes_of(known: Known, seen: Availability, fits: Fits, slices: Mapping[dt.date, DaySlice]) -> list[Wish]:
    """Each wish with the starts that meet it. The nurse of the last visit is wished for where no other is named."""
    wishes, found = known.wishes, []
    if wishes.weekdays:
        days = union(fill(one.first, one.stop) for day, one in slices.items() if day.weekday() in wishes.weekdays)
        found.append(Wish("day", days, DAY_WISH))
    if wishes.earliest or wishes.latest:
        hours = union(_hours(wishes, day, one, seen) for day, one in slices.items())
        found.append(Wish("time", hours, TIME_WISH))
    nurse_id = wishes.nurse_id or known.course.last_nurse_id
    if nurse_id:
        by_place = fits.nurses.get(nurse_id, {})
        name, price = ("nurse", NURSE_WISH) if wishes.nurse_id else ("same-nurse", SAME_NURSE)
        found.append(Wish(name, union(by_place.values()), price))
    if wishes.chair_kind and fits.chairs:
        of_kind = (s for pk, s in fits.chairs.items() if seen.chairs[pk].kind == wishes.chair_kind)
        found.append(Wish("kind", union(of_kind), KIND_WISH))
    return found


def _hours(wishes: Wishes, day: dt.date, one: DaySlice, seen: Availability) -> int:
    zone = seen.site.time_zone
    first = seen.bit(wall_instant(day, wishes.earliest, zone)) if wishes.earliest else one.first
    last = seen.bit(wall_instant(day, wishes.latest, zone)) if wishes.latest else one.stop
    return fill(max(first, one.first), min(last + 1, one.stop))


def chair_ranks(seen: Availability, wishes: Wishes) -> dict[int, int]:
    """Chairs of the kind wished for first; without a wish recliners: beds stay free for who needs them."""
    wanted = wishes.chair_kind or ChairKind.RECLINER
    return {pk: int(chair.kind != wanted) for pk, chair in seen.chairs.items()}


def wished_in_words(met: set[str], wishes: Wishes, local: dt.datetime) -> list[str]:
    """ "Tuesday morning as wished", "bed as wished"."""
    words = []
    day = WEEKDAYS[local.weekday()][1] if "day" in met else ""
    part = ("morning" if local.time() < NOON else "afternoon") if "time" in met else ""
    if day or part:
        words.append(f"{' '.join(filter(None, (day, part)))} as wished")
    if "nurse" in met:
        words.append("the nurse asked for")
    if "same-nurse" in met:
        words.append("same nurse as last time")
    if "kind" in met:
        kind = ChairKind(wishes.chair_kind).label.lower()
        words.append(f"{kind} as {'needed' if wishes.needs_chair_kind else 'wished'}")
    return words
