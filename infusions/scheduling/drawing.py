"""Draws booked visits into one bitmap per lane. Pure: rows of plain numbers in, integers out.

What a visit takes is defined by lanes.lanes_of alone. A search draws thousands of visits, so the common ones are drawn
here by the same arithmetic written out; tests hold the two to each other.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from infusion_center.core.clock import QUARTER_SECONDS
from infusion_center.core.epoch import EpochSeconds, WholeEpochSeconds
from infusions.facility.models import Setting
from infusions.scheduling.lanes import CHAIR, FIRST_PLACE, HANDS, LANES_PER_OBJECT, PATIENT, lanes_of, patient_lane

# What is read of each visit, in this order.
ROW = (
    WholeEpochSeconds("start"),
    WholeEpochSeconds("end"),
    "chair_id",
    "nurse_id",
    "ratio_place",
    "patient_id",
    "start_hands_minutes",
    "end_hands_minutes",
    "travel_minutes",
    EpochSeconds("finished_at"),
)
BEFORE = 512  # quarters drawn before the window, for visits that reach into it
PIECE_BITS = 10
PIECE = (1 << PIECE_BITS) - 1
Drawn = dict[int, int]


class BookedVisit(NamedTuple):
    """A row as lanes_of takes it."""

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


def visit_of(row: tuple) -> BookedVisit:
    start, end, chair_id, nurse_id, place, patient_id, first, last, travel, finished = row
    setting = Setting.HOME if chair_id is None else Setting.FACILITY
    finished_at = None if finished is None else _instant(finished)
    return BookedVisit(
        *(setting, _instant(start), _instant(end), patient_id, chair_id, nurse_id, place),
        *(travel, first, last, finished_at),
    )


def _instant(second: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(second, tz=dt.UTC)


def draw_visits(rows: Iterable[tuple], origin: int, size: int, patient_id: int) -> Drawn:
    """Bitmaps of the quarters from `origin` on that the visits take, by lane; of patients only the one searched for.

    Drawn in pieces of some days each: shifting and adding to an integer as long as the window costs four times as much.
    """
    base = origin - BEFORE
    drawn: defaultdict[int, int] = defaultdict(int)
    pieces: defaultdict[int, Drawn] = defaultdict(lambda: defaultdict(int))
    shapes: dict[tuple[int, int, int], tuple[int, int]] = {}
    of_patient = patient_lane(patient_id)
    for row in rows:
        start, end, chair_id, nurse_id, place, patient, first, last, _, finished = row
        # Only visits in a chair, begun on the grid and not over, are drawn by shape.
        if chair_id is None or finished is not None or start % QUARTER_SECONDS:
            _draw_by_definition(drawn, row, base, of_patient)
            continue
        shape = end - start, first, last
        if shape not in shapes:
            shapes[shape] = _shape(*shape)
        whole, hands = shapes[shape]
        at = start // QUARTER_SECONDS - base
        piece = pieces[at >> PIECE_BITS]
        at &= PIECE
        whole <<= at
        nurse = nurse_id * LANES_PER_OBJECT
        piece[chair_id * LANES_PER_OBJECT + CHAIR] |= whole
        piece[nurse + FIRST_PLACE + place] |= whole
        piece[nurse + HANDS] |= hands << at
        if patient == patient_id:
            piece[of_patient] |= whole
    for number, piece in pieces.items():
        for lane, bitmap in piece.items():
            drawn[lane] |= bitmap << (number << PIECE_BITS)
    everything = (1 << size) - 1
    return {lane: bitmap >> BEFORE & everything for lane, bitmap in drawn.items()}


def _shape(seconds: int, first: int, last: int) -> tuple[int, int]:
    """Of a visit in a chair that starts on the grid: the quarters it takes, and those that take the nurse's hands."""
    stop = -(-seconds // QUARTER_SECONDS)
    beginning = -(-min(first * 60, seconds) // QUARTER_SECONDS)
    finishing = max(seconds - last * 60, 0) // QUARTER_SECONDS
    whole = (1 << stop) - 1
    hands_first, hands_last = (1 << beginning) - 1, whole >> finishing << finishing
    return whole, hands_first | hands_last


def _draw_by_definition(drawn: Drawn, row: tuple, base: int, of_patient: int) -> None:
    for lane, quarters in lanes_of(visit_of(row)):
        if lane % LANES_PER_OBJECT != PATIENT or lane == of_patient:
            at = quarters.start - base
            span = (1 << len(quarters)) - 1
            drawn[lane] |= span << at if at >= 0 else span >> -at
