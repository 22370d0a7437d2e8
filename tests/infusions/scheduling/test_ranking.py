"""The order of the starts that fit, compared as a whole on days small enough to be reckoned by hand."""

import random

from infusions.scheduling.bitmaps import Need, Picture, ShiftSpan, fill, fitting
from infusions.scheduling.gaps import day_losses, loss
from infusions.scheduling.lanes import chair_lane, hands_lane, patient_lane, place_lane
from infusions.scheduling.load import counts, load_of, staffing
from infusions.scheduling.ranking import DaySlice, Part, Weights, Wish, best_starts

PATIENT, NURSE, OTHER = 9, 5, 6
NONE = Weights(0, 0, 0, 0)
THREE_DAYS = [DaySlice(0, 8, -1), DaySlice(8, 16, 0, midnight=8), DaySlice(16, 24, 1, midnight=16)]


def a_part(days, *, size=24, length=1, busy=None, wishes=(), levelled=False, opening=None, nurses=1):
    picture = Picture(
        size=size,
        patient_id=PATIENT,
        opening=opening or (range(size),),
        chairs=(1, 2),
        shifts=tuple(ShiftSpan(nurse, 0, size, 4) for nurse in (NURSE, OTHER)[:nurses]),
        busy=busy or {},
    )
    need = Need(length, min(2, length), min(1, length))
    fits = fitting(picture, need)
    load = load_of(picture) if levelled else None
    return Part(picture, need, fits, days, load, wishes)


def order_of(part, weights=NONE, limit=None):
    return [ranked.start for ranked in best_starts([part], weights, limit)]


def test_starts_are_spread_over_the_days_nearest_the_due_day_first():
    assert order_of(a_part(THREE_DAYS), Weights(0, 0, 0, 3), 6) == [8, 12, 0, 16, 10, 4]


def test_without_any_weight_the_days_come_in_their_order_and_full_hours_first():
    assert order_of(a_part(THREE_DAYS[:1], size=8)) == [0, 4, 2, 6, 1, 3, 5, 7]


def test_all_starts_are_ranked_when_there_is_no_limit_and_the_limited_are_the_first_of_them():
    dice = random.Random(5)
    for weights in (Weights(), NONE, Weights(10, 0, 0, 1)):
        busy = {chair_lane(1): dice.getrandbits(24), hands_lane(NURSE): dice.getrandbits(24) & dice.getrandbits(24)}
        part = a_part(THREE_DAYS, busy=busy, levelled=True, wishes=[Wish("day", dice.getrandbits(24), 40)])
        whole = order_of(part, weights)
        assert sorted(whole) == [start for start in range(24) if part.fits.starts >> start & 1]
        for limit in (1, 3, 7, 20):
            assert order_of(part, weights, limit) == whole[:limit]


def test_a_day_that_needs_an_approval_comes_last():
    days = [DaySlice(0, 8, 0, needs_approval=True), DaySlice(8, 16, 9, midnight=8)]
    ranked = order_of(a_part(days, size=16), Weights())
    assert [start // 8 for start in ranked] == [1] * 8 + [0] * 8


def test_the_day_is_levelled_away_from_busy_hands():
    busy = {hands_lane(NURSE): fill(0, 4), place_lane(NURSE, 0): fill(0, 4)}
    part = a_part([DaySlice(0, 8, 0)], size=8, length=2, busy=busy, levelled=True, nurses=2, opening=(range(40),))
    assert order_of(part, Weights(3, 0, 0, 0)) == [4, 6, 5, 3, 0, 2, 1]
    assert order_of(part, NONE) == [0, 4, 2, 6, 1, 3, 5]


def test_the_last_start_of_the_day_is_no_better_for_leaving_no_gap_after_it():
    part = a_part([DaySlice(0, 40, 0)], size=40, length=12, levelled=True)
    ranked = order_of(part, Weights(3, 2, 0, 0))
    assert ranked[0] == 0
    assert ranked.index(28) > 3


def slow_loss(part, start):
    """The least that a free chair loses, found by walking from quarter to quarter."""
    picture, length, found = part.picture, part.need.length, []
    for chair in picture.chairs:
        free = [not picture.busy.get(chair_lane(chair), 0) >> q & 1 for q in range(picture.size)]
        if all(free[start : start + length]):
            before = next((n for n in range(start) if not free[start - 1 - n]), start)
            after = free[start + length :]
            found.append(loss(before, length, after.index(False) if False in after else len(after)))
    return min(found)


def test_what_a_chair_loses_is_the_same_walked_quarter_by_quarter():
    dice = random.Random(11)
    for _ in range(30):
        busy = {
            chair_lane(chair): dice.getrandbits(60) & dice.getrandbits(60) & dice.getrandbits(60) for chair in (1, 2)
        }
        part = a_part([DaySlice(20, 60, 0)], size=60, length=dice.choice([1, 3, 8]), busy=busy, opening=(range(60),))
        starts = [start for start in range(20, 60) if part.fits.starts >> start & 1]
        assert [start for start, _ in part.prices(part.days[0])] == starts
        within = day_losses(part.picture, part.need, part.fits, 0, 60)
        assert within == {start: slow_loss(part, start) for start in within}


def test_a_start_that_fills_a_gap_comes_before_one_that_leaves_scraps():
    """Chair 1 is free 4-12 and from 20 on, chair 2 not at all: a visit of eight fills the first gap exactly."""
    busy = {chair_lane(1): fill(0, 4) | fill(12, 20), chair_lane(2): fill(0, 40)}
    part = a_part([DaySlice(0, 40, 0)], size=40, length=8, busy=busy)
    ranked = order_of(part, Weights(0, 2, 0, 0))
    # Then the edges of the long gap, at last the starts in its middle that leave two scraps.
    assert (ranked[:3], set(ranked[-3:])) == ([4, 20, 32], {25, 26, 27})
    assert order_of(part, NONE)[:3] == [4, 20, 24]
    assert loss(0, 8, 0) < loss(0, 8, 12) < loss(4, 8, 8) < loss(6, 8, 6)


def test_wishes_count_by_their_price_and_not_at_all_without_weight():
    wishes = [Wish("day", fill(4, 8), 40), Wish("nurse", fill(0, 2) | fill(6, 8), 30)]
    part = a_part([DaySlice(0, 8, 0)], size=8, wishes=wishes)
    assert order_of(part, Weights(0, 0, 3, 0)) == [6, 7, 4, 5, 0, 1, 2, 3]
    assert order_of(part, NONE) == [0, 4, 2, 6, 1, 3, 5, 7]


def test_patients_of_others_are_counted_quarter_by_quarter_however_many_there_are():
    dice = random.Random(3)
    bitmaps = [dice.getrandbits(50) for _ in range(600)]
    assert counts(bitmaps, 50) == [sum(bitmap >> bit & 1 for bitmap in bitmaps) for bit in range(50)]
    assert counts([], 3) == [0, 0, 0]


def test_staffing_adds_up_nurses_and_their_ratios():
    shifts = (ShiftSpan(NURSE, 0, 3, 4), ShiftSpan(OTHER, 2, 5, 2), ShiftSpan(7, 4, 4, 1))
    nurses, places = staffing(Picture(size=6, patient_id=PATIENT, shifts=shifts))
    assert (nurses, places) == ([1, 1, 2, 1, 1, 0], [4, 4, 6, 2, 2, 0])


def test_the_price_of_a_visit_grows_with_the_square_of_how_full_its_quarters_are():
    busy = {hands_lane(NURSE): fill(0, 8), chair_lane(1): fill(0, 8), patient_lane(PATIENT): 0}
    load = load_of(a_part([], size=16, busy=busy, nurses=2).picture)
    need = Need(4, 2, 1)
    # Two nurses of four places each: hands 1 of 2 become 2 of 2, patients 1 of 8 become 2 of 8.
    assert load.price(0, need) == 200 // 2 + (200 * 4 // 64) // 2
    assert load.price(8, need) == 50 // 2 + (200 // 64) // 2
