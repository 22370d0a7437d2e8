import datetime as dt
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infusions.scheduling.lanes import (
    MAX_RATIO,
    LaneKind,
    LaneName,
    chair_lane,
    claims_for,
    hands_lane,
    name_lane,
    patient_lane,
    place_lane,
    place_lanes,
)

NINE = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
QUARTER_OF_NINE = int(NINE.timestamp()) // 900


@dataclass(frozen=True)
class Thought:
    """A visit that is only thought of."""

    setting: str = "facility"
    start: dt.datetime = NINE
    end: dt.datetime = NINE + dt.timedelta(hours=2)
    patient_id: int = 7
    chair_id: int | None = 3
    nurse_id: int = 5
    ratio_place: int = 1
    travel_minutes: int = 0
    start_hands_minutes: int = 30
    end_hands_minutes: int = 15
    finished_at: dt.datetime | None = None


HOME = Thought(setting="home", chair_id=None, ratio_place=0, travel_minutes=30)


def claims(lane: int, *quarters: int) -> set[tuple[int, int]]:
    """Quarters counted from nine o'clock."""
    return {(lane, QUARTER_OF_NINE + quarter) for quarter in quarters}


def test_a_visit_in_a_chair_takes_chair_patient_place_and_the_hands_at_both_ends():
    assert set(claims_for(Thought())) == (
        claims(chair_lane(3), *range(8))
        | claims(patient_lane(7), *range(8))
        | claims(place_lane(5, 1), *range(8))
        | claims(hands_lane(5), 0, 1, 7)
    )


def test_a_visit_at_home_takes_the_nurse_wholly_with_her_travel():
    expected = claims(patient_lane(7), *range(8))
    for lane in [hands_lane(5), *place_lanes(5)]:
        expected |= claims(lane, *range(-2, 10))
    assert set(claims_for(HOME)) == expected


def test_hands_of_a_short_visit_are_taken_once():
    short = Thought(end=NINE + dt.timedelta(minutes=30))
    assert [claim for claim in claims_for(short) if claim[0] == hands_lane(5)] == sorted(claims(hands_lane(5), 0, 1))


def test_a_visit_shorter_than_the_hands_takes_them_no_longer_than_it_lasts():
    short = Thought(end=NINE + dt.timedelta(minutes=15))
    assert {quarter for _, quarter in claims_for(short)} == {QUARTER_OF_NINE}


def test_a_quarter_that_is_only_touched_is_taken():
    odd = Thought(start=NINE + dt.timedelta(minutes=5), end=NINE + dt.timedelta(minutes=61))
    assert [q - QUARTER_OF_NINE for lane, q in claims_for(odd) if lane == chair_lane(3)] == [0, 1, 2, 3, 4]


def test_a_visit_that_ended_early_gives_back_the_rest():
    ended = Thought(finished_at=NINE + dt.timedelta(minutes=50))
    assert set(claims_for(ended)) == (
        claims(chair_lane(3), *range(4))
        | claims(patient_lane(7), *range(4))
        | claims(place_lane(5, 1), *range(4))
        | claims(hands_lane(5), 0, 1)
    )


def test_a_home_visit_that_ended_early_still_needs_the_way_back():
    ended = replace(HOME, finished_at=NINE + dt.timedelta(minutes=60))
    assert [q - QUARTER_OF_NINE for lane, q in claims_for(ended) if lane == hands_lane(5)] == list(range(-2, 6))
    assert [q - QUARTER_OF_NINE for lane, q in claims_for(ended) if lane == patient_lane(7)] == list(range(4))


@pytest.mark.parametrize("visit", [Thought(), HOME])
def test_a_visit_that_overran_takes_no_more_than_was_booked(visit):
    assert claims_for(replace(visit, finished_at=visit.end + dt.timedelta(hours=1))) == claims_for(visit)


def test_a_visit_finished_before_its_booked_start_takes_nothing():
    assert claims_for(Thought(finished_at=NINE - dt.timedelta(minutes=20))) == []


def test_a_place_beyond_the_greatest_ratio_does_not_exist():
    with pytest.raises(ValueError):
        place_lane(5, MAX_RATIO)


@settings(deadline=None)  # a busy machine is no defect
@given(object_id=st.integers(min_value=1, max_value=2**55))
def test_every_lane_is_named_by_its_number(object_id):
    names = {
        chair_lane(object_id): LaneName(LaneKind.CHAIR, object_id),
        patient_lane(object_id): LaneName(LaneKind.PATIENT, object_id),
        hands_lane(object_id): LaneName(LaneKind.HANDS, object_id),
        **{place_lane(object_id, place): LaneName(LaneKind.PLACE, object_id, place) for place in range(MAX_RATIO)},
    }
    assert {lane: name_lane(lane) for lane in names} == names
    assert len(names) == 3 + MAX_RATIO
    assert max(names) < 2**63


moments = st.integers(min_value=0, max_value=24 * 60).map(lambda minutes: NINE + dt.timedelta(minutes=minutes))
lengths = st.integers(min_value=1, max_value=600).map(lambda minutes: dt.timedelta(minutes=minutes))


@settings(deadline=None)  # a busy machine is no defect
@given(start=moments, length=lengths, finished=st.none() | moments, home=st.booleans())
def test_claims_are_sorted_and_once_each_and_lie_within_the_time_booked(start, length, finished, home):
    visit = replace(HOME if home else Thought(), start=start, end=start + length, finished_at=finished)
    made = claims_for(visit)
    travel = dt.timedelta(minutes=visit.travel_minutes).total_seconds()
    assert made == sorted(set(made))
    for _, quarter in made:
        assert start.timestamp() - travel - 900 < quarter * 900 < visit.end.timestamp() + travel
