import datetime as dt

import pytest

from infusion_center.core import clock
from infusion_center.core.rules import Severity
from infusions.orders.rules import dose_window, interval_problems, validity_problems
from tests.factories.orders import make_order
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
B, A, W = Severity.BLOCKER, Severity.APPROVAL, Severity.WARNING


def today():
    return clock.now().date()


def day(offset):
    return today() + dt.timedelta(days=offset)


def found(problems):
    return [(problem.code, problem.severity) for problem in problems]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("signed", []),
        ("draft", [("order-unsigned", B)]),
        ("held", [("order-held", B)]),
        ("stopped", [("order-stopped", B)]),
    ],
)
def test_only_a_signed_order_is_valid(status, expected):
    assert found(validity_problems(make_order(status=status), today())) == expected


@pytest.mark.parametrize(
    ("on", "given", "expected"),
    [
        (-11, 0, [("order-not-started", B)]),
        (-10, 0, []),
        (20, 2, []),
        (21, 0, [("order-expired", B)]),
        (0, 3, [("visits-used-up", B)]),
        (21, 3, [("order-expired", B), ("visits-used-up", B)]),
    ],
)
def test_an_order_is_valid_inside_its_dates_and_visits(on, given, expected):
    order = make_order(
        patient=make_patient(time_zone="UTC"),
        starts_on=day(-10),
        valid_until=day(20),
        visits_authorized=3,
        doses_given=given,
    )
    assert found(validity_problems(order, day(on))) == expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (23, [("dose-too-early", A)]),
        (24, []),
        (32, []),
        (33, [("dose-late", W)]),
    ],
)
def test_the_interval_is_counted_from_the_last_dose(on, expected):
    order = make_order(last_dose_on=day(0), doses_given=1)
    assert found(interval_problems(order, day(on))) == expected


def test_without_any_dose_every_day_keeps_the_interval():
    assert interval_problems(make_order(), day(0)) == []


def test_the_interval_can_be_counted_from_a_booked_visit():
    order = make_order(last_dose_on=day(0), doses_given=1)
    assert interval_problems(order, day(56), last_on=day(28)) == []
    assert found(interval_problems(order, day(28), last_on=day(28))) == [("dose-too-early", A)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1, (1, 5)),  # inside the course of two days the second day is due
        (2, (23, 31)),  # after it the interval counts from the course's first day
    ],
)
def test_a_course_of_days_has_its_own_rhythm(given, expected):
    order = make_order(days=2, last_dose_on=day(0), doses_given=given)
    assert dose_window(order) == tuple(day(offset) for offset in expected)
