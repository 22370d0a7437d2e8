import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infusions.doses import volume

START = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)
LIMIT = Decimal("300")


@dataclass(frozen=True)
class Rate:
    at: dt.datetime
    rate_ml_per_h: Decimal
    kind: str = ""


def after(minutes) -> dt.datetime:
    return START + dt.timedelta(minutes=minutes)


def rates(*pairs) -> list[Rate]:
    """(minutes after the start, mL/h) in order."""
    return [Rate(after(minutes), Decimal(rate)) for minutes, rate in pairs]


# 70 kg, 10% product: 0.5, 1, 2, 4, 8 mg/kg/min are 21, 42, 84, 168, 336 mL/h.
CLIMB = rates((0, "21"), (30, "42"), (60, "84"), (90, "168"), (120, "336"))


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-5, "0"),
        (0, "0"),
        (1, "0.35"),
        (30, "10.5"),
        (60, "31.5"),
        (90, "73.5"),
        (120, "157.5"),
        (145, "297.5"),
        (146, "300"),
        (600, "300"),
    ],
)
def test_volume_given_adds_up_the_rates(minutes, expected):
    assert volume.volume_given_ml(CLIMB, after(minutes), LIMIT) == Decimal(expected)


def test_volume_given_stands_still_in_a_pause():
    paused = rates((0, "60"), (10, "0"), (40, "30"))
    given_by_minute = {minute: volume.volume_given_ml(paused, after(minute), LIMIT) for minute in (10, 25, 40, 50)}
    assert given_by_minute == {10: Decimal("10"), 25: Decimal("10"), 40: Decimal("10"), 50: Decimal("15")}


def test_reached_at_is_the_second_of_the_last_millilitre():
    assert volume.reached_at(CLIMB, after(145), LIMIT) is None
    # 2.5 mL are left at minute 145: 26.8 s at 336 mL/h, up to a whole second.
    assert volume.reached_at(CLIMB, after(600), LIMIT) == after(145) + dt.timedelta(seconds=27)


@pytest.mark.parametrize(("minutes", "expected"), [(-1, "0"), (0, "21"), (29, "21"), (30, "42"), (500, "336")])
def test_rate_at_is_the_rate_that_ran_then(minutes, expected):
    assert volume.rate_at(CLIMB, after(minutes)) == Decimal(expected)


histories = st.lists(
    st.tuples(st.integers(0, 90), st.decimals("0", "500", places=1, allow_nan=False, allow_infinity=False)),
    min_size=1,
    max_size=8,
)


def history(pairs) -> list[Rate]:
    made, instant = [], START
    for gap, rate in pairs:
        instant += dt.timedelta(minutes=gap)
        made.append(Rate(instant, rate))
    return made


@settings(max_examples=80)
@given(pairs=histories, first=st.integers(0, 900), more=st.integers(0, 300), limit=st.decimals("1", "900", places=2))
def test_volume_given_never_falls_nor_passes_the_limit(pairs, first, more, limit):
    made = history(pairs)
    before = volume.volume_given_ml(made, after(first), limit)
    later = volume.volume_given_ml(made, after(first + more), limit)
    assert Decimal(0) <= before <= later <= limit


@settings(max_examples=80)
@given(pairs=histories, now=st.integers(0, 900), limit=st.decimals("1", "900", places=2))
def test_volume_given_lies_between_the_slowest_and_the_fastest_rate(pairs, now, limit):
    made = history(pairs)
    hours = Decimal(max(0, now - pairs[0][0])) / 60
    fastest = max(rate for _, rate in pairs)
    assert volume.volume_given_ml(made, after(now), limit) <= fastest * hours + volume.CENTILITRE


@settings(max_examples=80)
@given(pairs=histories, limit=st.decimals("1", "900", places=2))
def test_reached_at_agrees_with_the_volume_given(pairs, limit):
    made, now = history(pairs), after(1500)
    reached = volume.reached_at(made, now, limit)
    if reached is None:
        assert volume.volume_given_ml(made, now, limit) <= limit
    else:
        assert volume.volume_given_ml(made, reached, limit) == limit
        assert volume.volume_given_ml(made, reached - dt.timedelta(seconds=2), limit) < limit
