"""The bitmap search against a search that looks at every quarter of every lane by itself."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from infusions.scheduling.bitmaps import Need, Picture, Seat, ShiftSpan, fill, fitting, runs, seats
from infusions.scheduling.lanes import MAX_RATIO, chair_lane, hands_lane, patient_lane, place_lane, place_lanes

SIZE = 48
PATIENT, CHAIRS, NURSES = 9, (1, 2, 3), (5, 6)
LANES = [
    patient_lane(PATIENT),
    *map(chair_lane, CHAIRS),
    *(lane for nurse in NURSES for lane in (hands_lane(nurse), *place_lanes(nurse)[:3])),
]

bitmaps = st.integers(min_value=0, max_value=2**SIZE - 1)
# Sparse bitmaps: long visits hardly ever fit a random one.
sparse = st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(1, 6)), max_size=4).map(
    lambda spans: sum({1 << bit for first, length in spans for bit in range(first, min(first + length, SIZE))})
)
# Mostly long: where nothing fits, nothing is tested.
spans = st.tuples(st.integers(0, 12), st.integers(30, SIZE)).map(lambda pair: range(*pair)) | st.tuples(
    st.integers(0, SIZE), st.integers(0, SIZE)
).map(lambda pair: range(min(pair), max(pair)))
shifts = st.builds(
    lambda nurse, span, ratio: ShiftSpan(nurse, span.start, span.stop, ratio),
    st.sampled_from(NURSES),
    spans,
    st.integers(1, 3),
)
pictures = st.builds(
    Picture,
    size=st.just(SIZE),
    patient_id=st.just(PATIENT),
    opening=st.lists(spans, min_size=1, max_size=3).map(tuple),
    chairs=st.sampled_from([CHAIRS, CHAIRS[:1]]),
    shifts=st.lists(shifts, min_size=1, max_size=4).map(tuple),
    busy=st.dictionaries(st.sampled_from(LANES), sparse, max_size=8),
    outages=st.dictionaries(st.sampled_from(CHAIRS), sparse, max_size=1),
)
needs = st.builds(
    lambda length, start, end, travel, at_home: Need(length, min(start, length), min(end, length), travel, at_home),
    st.integers(1, 12),
    st.integers(0, 3),
    st.integers(0, 2),
    st.integers(0, 3),
    st.booleans(),
)


def is_free(picture: Picture, lane: int, quarters) -> bool:
    return all(0 <= q < picture.size and not picture.busy.get(lane, 0) >> q & 1 for q in quarters)


def slow_seats(picture: Picture, need: Need, start: int) -> set[Seat]:
    """Every seat that a visit may take at the start, by trying all of them quarter by quarter."""
    visit = range(start, start + need.length)
    if not is_free(picture, patient_lane(picture.patient_id), visit):
        return set()
    found = set()
    if need.at_home:
        away = range(start - need.travel, start + need.length + need.travel)
        for shift in picture.shifts:
            lanes = [hands_lane(shift.nurse_id), *place_lanes(shift.nurse_id)]
            if shift.first <= away.start and away.stop <= shift.stop and all(is_free(picture, n, away) for n in lanes):
                found.add(Seat(shift.nurse_id, 0, None))
        return found
    if not any(span.start <= visit.start and visit.stop <= span.stop for span in picture.opening):
        return set()
    hands = [*visit[: need.start_hands], *(visit[-need.end_hands :] if need.end_hands else [])]
    for chair, shift, place in product(picture.chairs, picture.shifts, range(MAX_RATIO)):
        out = any(picture.outages.get(chair, 0) >> q & 1 for q in visit)
        on_shift = shift.first <= visit.start and visit.stop <= shift.stop and place < shift.ratio
        free = (
            is_free(picture, chair_lane(chair), visit)
            and is_free(picture, hands_lane(shift.nurse_id), hands)
            and is_free(picture, place_lane(shift.nurse_id, place), visit)
        )
        if not out and on_shift and free:
            found.add(Seat(shift.nurse_id, place, chair))
    return found


@settings(deadline=None)
@given(free=bitmaps, length=st.integers(1, SIZE + 2))
def test_runs_finds_every_quarter_from_which_enough_are_free(free, length):
    slow = {bit for bit in range(SIZE) if all(free >> bit + n & 1 for n in range(length))}
    assert {bit for bit in range(SIZE) if runs(free, length) >> bit & 1} == slow


@settings(max_examples=300, deadline=None)
@given(picture=pictures, need=needs, allowed=bitmaps)
def test_fitting_finds_exactly_the_starts_that_a_slow_search_finds(picture, need, allowed):
    slow = {start for start in range(SIZE) if allowed >> start & 1 and slow_seats(picture, need, start)}
    assert {start for start in range(SIZE) if fitting(picture, need, allowed).starts >> start & 1} == slow


@settings(max_examples=200, deadline=None)
@given(picture=pictures, need=needs)
def test_every_seat_offered_is_free_and_every_free_chair_and_nurse_is_offered(picture, need):
    fits = fitting(picture, need)
    for start in range(SIZE):
        if fits.starts >> start & 1:
            offered, free = list(seats(picture, need, fits, start)), slow_seats(picture, need, start)
            assert set(offered) <= free
            assert len(offered) == len(set(offered))
            assert {(s.nurse_id, s.chair_id) for s in offered} == {(s.nurse_id, s.chair_id) for s in free}


def test_the_chair_that_loses_least_comes_first():
    picture = Picture(
        size=SIZE,
        patient_id=PATIENT,
        opening=(range(40),),
        chairs=CHAIRS,
        shifts=(ShiftSpan(5, 0, 40, 3),),
        busy={chair_lane(2): fill(0, 8) | fill(20, 40), chair_lane(3): fill(0, 8)},
    )
    need = Need(12)
    assert [seat.chair_id for seat in seats(picture, need, fitting(picture, need), 8)] == [2, 3, 1]


def test_the_nurse_asked_for_comes_before_the_idlest():
    picture = Picture(
        size=SIZE,
        patient_id=PATIENT,
        opening=(range(40),),
        chairs=CHAIRS[:1],
        shifts=(ShiftSpan(5, 0, 40, 3), ShiftSpan(6, 0, 40, 3)),
        busy={place_lane(5, 0): fill(0, 40)},
    )
    need = Need(4)
    fits = fitting(picture, need)
    assert [seat.nurse_id for seat in seats(picture, need, fits, 0)] == [6, 5]
    assert [seat.nurse_id for seat in seats(picture, need, fits, 0, nurse_ids=[None, 5])] == [5, 6]


def test_two_shifts_that_touch_are_not_one():
    picture = Picture(
        size=SIZE,
        patient_id=PATIENT,
        opening=(range(40),),
        chairs=CHAIRS,
        shifts=(ShiftSpan(5, 0, 10, 2), ShiftSpan(5, 10, 20, 2)),
    )
    assert fitting(picture, Need(8)).starts == fill(0, 3) | fill(10, 13)
