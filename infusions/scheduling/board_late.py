"""Which visits will end later than planned, and which later ones are hit by that. Pure: reads what was fetched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from infusions.doses.course import Course, observation_of
from infusions.doses.models import DoseState
from infusions.doses.volume import time_for
from infusions.scheduling.states import ON_SITE, UPCOMING, State

# A few minutes are lost in every visit; the quarter-hours booked have room for them.
GRACE = dt.timedelta(minutes=5)


def late_until(visit, course: Course | None, now: dt.datetime) -> dt.datetime | None:
    """When a visit in progress will end, where that is after its planned end; None where it is in time."""
    if visit.state != State.IN_PROGRESS:
        return None
    end = max(expected_end(course, now) or now, now)
    return end if end > visit.end + GRACE else None


def ends_about(visit, course: Course | None, now: dt.datetime) -> dt.datetime | None:
    """When a visit in progress is thought to end as the pump runs, earlier than planned or later; None when unknown."""
    end = expected_end(course, now) if visit.state == State.IN_PROGRESS else None
    return max(end, now) if end else None


def expected_end(course: Course | None, now: dt.datetime) -> dt.datetime | None:
    """The end of the observation, as the pump runs; a paused pump is thought to go on now at its last rate."""
    if course is None:
        return None
    observation = observation_of(course.record)
    match course.state:
        case DoseState.INFUSING:
            infused = course.projected_end(now)
            return infused + observation if infused else None
        case DoseState.PAUSED if course.last_rate_ml_per_h:
            left = max(course.to_give_ml - course.given_ml(now), 0)
            return now + time_for(left, course.last_rate_ml_per_h) + observation
        case DoseState.OBSERVING:
            return course.record.ended_at + observation
    return None


def hit_by(visits: Sequence, late: Mapping[int, dt.datetime], ratios: Mapping[int, int]) -> dict[int, list]:
    """Visit's row -> the late visits that still need its chair, its nurse's hands or her last place when it begins.

    `late`: visit's row -> when it will end; `ratios`: nurse's row -> how many patients she may have at once.
    """
    hits: dict[int, list] = {}
    coming = [visit for visit in visits if _not_begun(visit)]
    for delayed in (visit for visit in visits if visit.pk in late):
        for other in coming:
            meets = delayed.end <= other.start < late[delayed.pk]
            if meets and _in_the_way(delayed, other, visits, late, ratios):
                hits.setdefault(other.pk, []).append(delayed)
    return hits


def _not_begun(visit) -> bool:
    return visit.state in UPCOMING or (visit.state in ON_SITE and visit.state != State.IN_PROGRESS)


def _in_the_way(delayed, other, visits: Iterable, late: Mapping, ratios: Mapping) -> bool:
    if delayed.chair_id is not None and delayed.chair_id == other.chair_id:
        return True
    if delayed.nurse_id != other.nurse_id:
        return False
    if delayed.is_home or other.is_home:
        return True
    until = late[delayed.pk]
    finishing = until - dt.timedelta(minutes=delayed.end_hands_minutes)
    begun = other.start + dt.timedelta(minutes=other.start_hands_minutes)
    if other.start < until and finishing < begun:
        return True
    return _load_at(other.start, other.nurse_id, visits, late) > ratios.get(other.nurse_id, 0)


def _load_at(instant: dt.datetime, nurse_id: int, visits: Iterable, late: Mapping) -> int:
    return sum(
        1
        for visit in visits
        if visit.nurse_id == nurse_id
        and visit.state not in {State.COMPLETED, State.STOPPED_EARLY, State.NO_SHOW}
        and visit.start <= instant < max(visit.end, late.get(visit.pk, visit.end))
    )
