import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infusions.doses import titration
from infusions.doses.titration import NextStep, Step
from infusions.doses.volume import volume_given_ml
from tests.infusions.doses.test_volume import LIMIT, Rate, after, rates

LADDER = ("21", "42", "84", "168", "336")
STEPS = tuple(
    Step(number, Decimal(rate), Decimal(rate) / 42, 30, Decimal(rate) / 2)
    for number, rate in enumerate(LADDER, start=1)
)


@pytest.mark.parametrize(
    ("history", "step", "minute"),
    [
        ([(0, "21")], 2, 30),
        ([(0, "21"), (30, "42")], 3, 60),
        ([(0, "21"), (35, "42")], 3, 65),  # a late step moves all that follow
        ([(0, "21"), (10, "0"), (25, "21")], 2, 45),  # a pause does not count
        ([(0, "21"), (10, "0"), (25, "21"), (30, "0"), (40, "21")], 2, 55),
        ([(0, "21"), (30, "42"), (40, "0"), (60, "21")], 2, 90),  # slower after the pause: climb again
        ([(0, "21"), (30, "42"), (60, "84"), (70, "42")], 3, 100),  # slowed: the step is held anew
        ([(0, "21"), (30, "30")], 2, 60),  # between two steps
        ([(0, "10")], 1, 30),  # slower than the first
    ],
)
def test_next_step_comes_when_the_rate_was_held(history, step, minute):
    assert titration.next_step(STEPS, rates(*history)) == NextStep(STEPS[step - 1], after(minute))


@pytest.mark.parametrize("history", [[], [(0, "336")], [(0, "21"), (10, "0")]])
def test_next_step_is_none_before_the_start_at_the_top_and_while_paused(history):
    assert titration.next_step(STEPS, rates(*history)) is None


@pytest.mark.parametrize(
    ("history", "minute", "expected"),
    [
        ([(0, "21")], 10, "21"),
        ([(0, "21")], 28, "42"),  # two minutes early is on time
        ([(0, "21")], 45, "42"),  # never two steps at once
        ([(0, "15")], 10, "21"),  # slowed below the first step: back to it is free
        ([(0, "21"), (30, "42"), (40, "0")], 50, "42"),
    ],
)
def test_planned_rate_is_what_the_plan_has_reached(history, minute, expected):
    early = dt.timedelta(minutes=2)
    assert titration.planned_rate(STEPS, rates(*history), after(minute), early) == Decimal(expected)


@pytest.mark.parametrize(
    ("history", "now", "minutes", "seconds"),
    [
        ([(0, "21")], 0, 145, 27),  # the whole plan
        ([(0, "21"), (30, "42")], 45, 145, 27),  # on time so far
        ([(0, "21")], 40, 154, 50),  # ten minutes late: 14 mL are in, the rest as planned
        ([(0, "336")], 0, 53, 35),
        ([(0, "336")], 200, 53, 35),  # over: when it was reached
    ],
)
def test_projected_end_follows_the_rates_and_then_the_plan(history, now, minutes, seconds):
    end = titration.projected_end(STEPS, rates(*history), after(now), LIMIT)
    assert end == after(minutes) + dt.timedelta(seconds=seconds)


def test_projected_end_is_unknown_while_paused():
    assert titration.projected_end(STEPS, rates((0, "21"), (10, "0")), after(20), LIMIT) is None


@settings(max_examples=60)
@given(now=st.integers(0, 200), limit=st.decimals("5", "500", places=2))
def test_projected_end_is_when_the_volume_is_in_if_the_plan_is_kept(now, limit):
    made = rates((0, "21"))
    end = titration.projected_end(STEPS, made, after(now), limit)
    while (coming := titration.next_step(STEPS, made)) is not None:
        made.append(Rate(max(coming.at, after(now)), coming.step.rate_ml_per_h))
    assert volume_given_ml(made, end, limit) == limit
    assert volume_given_ml(made, end - dt.timedelta(seconds=2), limit) < limit
