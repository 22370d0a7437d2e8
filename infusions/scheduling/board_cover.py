"""Why a visit on the board is uncovered: its nurse not on shift, its chair unusable, the site closed. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from infusions.facility.models import Setting
from infusions.scheduling.board_ground import Ground, Span
from infusions.scheduling.states import UPCOMING, State


def uncovered_because(visit, ground: Ground, now: dt.datetime) -> list[str]:
    """In words, for a visit that is still to begin; nothing for one that is covered, has begun or is over.

    The same conditions as cover.causes_of, asked of what the board has read already.
    """
    if visit.end <= now or (visit.state not in UPCOMING and visit.state != State.ARRIVED):
        return []
    found = []
    travel = dt.timedelta(minutes=visit.travel_minutes)
    start, end = visit.start - travel, visit.end + travel
    shifts = ground.shifts_by_nurse.get((visit.nurse_id, visit.setting), ())
    if visit.setting == Setting.HOME and not visit.visits_homes:
        found.append(f"{visit.nurse_name} no longer visits homes")
    elif not covers([span for *span, ratio in shifts if ratio > visit.ratio_place], start, end):
        has_shift = covers([span for *span, _ in shifts], start, end)
        found.append(f"{visit.nurse_name} {'has too many patients' if has_shift else 'is not on shift'}")
    if visit.setting == Setting.HOME:
        return found
    if visit.chair_id not in ground.chair_ids:
        found.append(f"{visit.chair_name} is no longer used")
    elif any(out.start < visit.end and visit.start < out.end for out in ground.outages.get(visit.chair_id, ())):
        found.append(f"{visit.chair_name} is out of service")
    if not any(opens <= visit.start and visit.end <= closes for opens, closes in ground.openings):
        found.append("outside opening hours" if ground.spans else "the center is closed")
    return found


def covers(spans: Iterable[Span], start: dt.datetime, end: dt.datetime) -> bool:
    """Whether the spans, which may follow each other without a gap, hold the whole of [start, end)."""
    spans = list(spans)
    if len(spans) == 1:
        return spans[0][0] <= start and end <= spans[0][1]
    reached = start
    for begins, ends in sorted(spans):
        if begins <= reached:
            reached = max(reached, ends)
    return reached >= end
