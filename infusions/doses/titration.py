"""Pure: which planned rate step comes next and when, from the plan and the rates that really ran.

A step is due when the current rate has run for its planned minutes, pauses not counted. After slowing, the next step is
the first one faster than the current rate, so the climb starts again from where the nurse went back to. Staying lets
the current rate run for its minutes once more.
Source: fact sheet 1b (steps held for their minutes before the next) and 5 (after a reaction, slower).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from infusions.doses.models import RateKind
from infusions.doses.volume import Rate, current_rate, exact_ml, last_running_rate, ml_in, reached_at, time_for


@dataclass(frozen=True)
class Step:
    """One planned step, numbered from 1; the rate is what is set on the pump."""

    number: int
    rate_ml_per_h: Decimal
    mg_per_kg_per_min: Decimal
    minutes: int
    volume_ml: Decimal


@dataclass(frozen=True)
class NextStep:
    step: Step
    at: dt.datetime


def step_running(steps: Sequence[Step], rate_ml_per_h: Decimal) -> Step:
    """The fastest step that is not faster than the rate; the first one for anything slower."""
    return next((step for step in reversed(steps) if step.rate_ml_per_h <= rate_ml_per_h), steps[0])


def step_below(steps: Sequence[Step], rate_ml_per_h: Decimal) -> Step | None:
    """The fastest step that is slower than the rate."""
    return next((step for step in reversed(steps) if step.rate_ml_per_h < rate_ml_per_h), None)


def step_above(steps: Sequence[Step], rate_ml_per_h: Decimal) -> Step | None:
    return next((step for step in steps if step.rate_ml_per_h > rate_ml_per_h), None)


def next_step(steps: Sequence[Step], rates: Sequence[Rate]) -> NextStep | None:
    """The step to come and from when on it may be made; None while paused and at the last step."""
    rate = current_rate(rates)
    above = step_above(steps, rate)
    if not rate or above is None:
        return None
    held = dt.timedelta(minutes=step_running(steps, rate).minutes)
    return NextStep(above, rates[-1].at + held - _held_before(rates))


def _held_before(rates: Sequence[Rate]) -> dt.timedelta:
    """How long the current rate ran before its last row: before a pause that ended at the same rate."""
    held, rate = dt.timedelta(), current_rate(rates)
    for earlier, later in zip(reversed(rates[:-1]), reversed(rates[1:]), strict=True):
        if later.kind == RateKind.HOLD:  # the step was put off: its minutes begin anew
            break
        if earlier.rate_ml_per_h == rate:
            held += later.at - earlier.at
        elif earlier.rate_ml_per_h:
            break
    return held


def planned_rate(steps: Sequence[Step], rates: Sequence[Rate], now: dt.datetime, early: dt.timedelta) -> Decimal:
    """The fastest rate that the plan has reached by now; the next step counts from `early` before its time."""
    coming = next_step(steps, rates)
    if coming is not None and now >= coming.at - early:
        return coming.step.rate_ml_per_h
    return max(step_running(steps, current_rate(rates)).rate_ml_per_h, last_running_rate(rates))


def projected_end(
    steps: Sequence[Step], rates: Sequence[Rate], now: dt.datetime, limit_ml: Decimal
) -> dt.datetime | None:
    """When the volume will be in if every step is made on time (a late one now); None while paused."""
    if (reached := reached_at(rates, now, limit_ml)) is not None:
        return reached
    rate, coming, instant = current_rate(rates), next_step(steps, rates), now
    if not rate:
        return None
    left = limit_ml - exact_ml(rates, now)
    step_at, above = (coming.at, coming.step) if coming else (None, None)
    while above is not None:
        length = max(step_at - instant, dt.timedelta())
        if ml_in(rate, length) >= left:
            break
        left -= ml_in(rate, length)
        instant += length
        rate, step_at = above.rate_ml_per_h, instant + dt.timedelta(minutes=above.minutes)
        above = step_above(steps, rate)
    return instant + time_for(left, rate)
