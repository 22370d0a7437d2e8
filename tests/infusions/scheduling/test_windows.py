import datetime as dt

import pytest

from infusions.scheduling.windows import DrugWindow, course_began, drug_window, neighbours, rest_of_course


def march(day: int) -> dt.date:
    return dt.date(2026, 3, 1) + dt.timedelta(days=day - 1)


@pytest.mark.parametrize(
    ("dose_window", "expected"),
    [
        # Nothing given or booked: four weeks from today.
        (None, DrugWindow(march(2), march(2), march(30))),
        # 28 +/- 4 days: in the middle it is due.
        ((march(20), march(28)), DrugWindow(march(24), march(20), march(28), march(20))),
        # The window has begun.
        ((dt.date(2026, 2, 26), march(6)), DrugWindow(march(2), march(2), march(6), dt.date(2026, 2, 26))),
        # Overdue: from today on, two weeks.
        (
            (dt.date(2026, 2, 10), dt.date(2026, 2, 18)),
            DrugWindow(dt.date(2026, 2, 14), march(2), march(16), dt.date(2026, 2, 10), is_overdue=True),
        ),
        # The order ends inside the window.
        ((march(86), march(94)), DrugWindow(march(90), march(86), march(92), march(86))),
    ],
)
def test_the_window_follows_from_the_interval_today_and_the_order(dose_window, expected):
    window = drug_window(
        today=march(2), starts_on=dt.date(2026, 1, 1), valid_until=dt.date(2026, 5, 31), dose_window=dose_window
    )
    assert window == expected


def test_an_order_that_starts_later_is_not_looked_for_before():
    window = drug_window(today=march(2), starts_on=march(10), valid_until=march(90), dose_window=None)
    assert (window.first, window.last) == (march(10), march(38))


def test_a_window_after_the_end_of_the_order_has_no_days():
    window = drug_window(today=march(2), starts_on=march(1), valid_until=march(15), dose_window=(march(20), march(28)))
    assert window.days == []


@pytest.mark.parametrize(
    ("held", "course_days", "expected"),
    [
        ([], 3, None),
        ([1], 1, None),
        ([1], 3, 2),
        ([1, 2], 3, 3),
        ([1, 2, 3], 3, None),
        ([1, 29], 2, 30),
        ([1, 2, 29, 30], 2, None),
    ],
)
def test_a_course_that_was_begun_goes_on_the_next_day(held, course_days, expected):
    found = rest_of_course([march(day) for day in held], course_days)
    assert found == (march(expected) if expected else None)


def test_neighbours_are_the_nearest_days_before_and_after():
    held = [march(1), march(10), march(20)]
    assert neighbours(march(12), held) == (march(10), march(20))
    assert neighbours(march(10), held) == (march(10), march(20))
    assert neighbours(march(25), held) == (march(20), None)
    assert neighbours(march(3), []) == (None, None)


@pytest.mark.parametrize(
    ("day", "held", "course_days", "expected"),
    [
        (5, [], 3, 5),
        (5, [4, 5], 1, 5),
        (5, [3, 4, 5], 3, 3),
        (5, [2, 3, 4, 5], 3, 3),
        (5, [3, 5], 3, 5),
        (5, [3, 4], 3, 3),
    ],
)
def test_a_day_of_a_course_is_counted_from_the_first_one(day, held, course_days, expected):
    assert course_began(march(day), {march(one) for one in held}, course_days) == march(expected)
