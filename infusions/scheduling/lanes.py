"""Lanes as numbers, and which of them a visit takes in which quarters of an hour. Pure: reads attributes, no rows.

A lane holds at most one visit at a time: a chair, a patient, a nurse's hands (starting, finishing), or a place of her
ratio. Its number is the object's id times 16 plus what it is, so all lanes of one nurse lie side by side.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from infusion_center.core.clock import QUARTER_SECONDS
from infusions.facility.models import MAX_RATIO, Setting

LANES_PER_OBJECT = 16
CHAIR, PATIENT, HANDS, FIRST_PLACE = 0, 1, 2, 3
NEVER = 2**62


class LaneKind(StrEnum):
    CHAIR = "chair"
    PATIENT = "patient"
    HANDS = "hands"
    PLACE = "place"


@dataclass(frozen=True)
class LaneName:
    """What a lane's number stands for; `place` only for the places of a nurse's ratio."""

    kind: LaneKind
    object_id: int
    place: int | None = None


class Visit(Protocol):
    """What the lanes of a visit follow from; an Appointment has it, and so has a visit that is only thought of."""

    setting: str
    start: dt.datetime
    end: dt.datetime
    patient_id: int
    chair_id: int | None
    nurse_id: int
    ratio_place: int
    travel_minutes: int
    start_hands_minutes: int
    end_hands_minutes: int
    finished_at: dt.datetime | None


def chair_lane(chair_id: int) -> int:
    return chair_id * LANES_PER_OBJECT + CHAIR


def patient_lane(patient_id: int) -> int:
    return patient_id * LANES_PER_OBJECT + PATIENT


def hands_lane(nurse_id: int) -> int:
    return nurse_id * LANES_PER_OBJECT + HANDS


def place_lane(nurse_id: int, place: int) -> int:
    if not 0 <= place < MAX_RATIO:
        raise ValueError(f"a nurse has the places 0 to {MAX_RATIO - 1}, not {place}")
    return nurse_id * LANES_PER_OBJECT + FIRST_PLACE + place


def place_lanes(nurse_id: int) -> list[int]:
    return [place_lane(nurse_id, place) for place in range(MAX_RATIO)]


def name_lane(lane: int) -> LaneName:
    object_id, kind = divmod(lane, LANES_PER_OBJECT)
    if kind >= FIRST_PLACE:
        return LaneName(LaneKind.PLACE, object_id, kind - FIRST_PLACE)
    return LaneName((LaneKind.CHAIR, LaneKind.PATIENT, LaneKind.HANDS)[kind], object_id)


def lanes_of(visit: Visit) -> list[tuple[int, range]]:
    """Each lane with the quarter-hours (UTC epoch // 900) that the visit takes of it; a lane may come twice.

    In a chair: chair, patient and one place of the nurse for the whole visit, her hands at its start and at its end.
    At home: the patient for the visit, the nurse wholly from leaving until she is back. A visit that ended early
    gives back what it no longer needs; one that overran never takes more than was booked.
    """
    start, end = int(visit.start.timestamp()), int(visit.end.timestamp())
    used_until = NEVER if visit.finished_at is None else int(visit.finished_at.timestamp())
    nurse_id = visit.nurse_id
    if visit.setting == Setting.HOME:
        travel = visit.travel_minutes * 60
        away = _quarters(start - travel, end + travel, used_until + travel)
        nurse = [hands_lane(nurse_id), *place_lanes(nurse_id)]
        whole = _quarters(start, end, used_until)
        return [(patient_lane(visit.patient_id), whole), *((lane, away) for lane in nurse)]
    whole = _quarters(start, end, used_until)
    beginning = min(start + visit.start_hands_minutes * 60, end)
    finishing = max(end - visit.end_hands_minutes * 60, start)
    hands = hands_lane(nurse_id)
    return [
        (chair_lane(visit.chair_id), whole),
        (patient_lane(visit.patient_id), whole),
        (place_lane(nurse_id, visit.ratio_place), whole),
        (hands, _quarters(start, beginning, used_until)),
        (hands, _quarters(finishing, end, used_until)),
    ]


def claims_for(visit: Visit) -> list[tuple[int, int]]:
    """Sorted (lane, quarter) pairs, each once. Always inserted in this order, so that two bookings never deadlock."""
    return sorted({(lane, quarter) for lane, quarters in lanes_of(visit) for quarter in quarters})


def _quarters(start: int, end: int, used_until: int) -> range:
    """The quarter-hours that [start, end) touches, in seconds of the epoch, as far as they were used."""
    if end > used_until:
        end = max(start, used_until)
    return range(start // QUARTER_SECONDS, -(-end // QUARTER_SECONDS))
