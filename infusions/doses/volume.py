"""Pure arithmetic of a running infusion: how much has gone in by the clock, and when it will be all in.

A rate holds from its `at` until the next one; 0 is a pause. Volumes in mL, rates in mL/h, everything Decimal. The pump
is told the volume to give, so nothing here ever passes it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Protocol

HOUR_MICROSECONDS = Decimal(3_600_000_000)
ONE_MICROSECOND = dt.timedelta(microseconds=1)
CENTILITRE = Decimal("0.01")


class Rate(Protocol):
    """A RateChange, or anything that says from when on which rate runs; `kind` tells a step put off from others."""

    kind: str
    at: dt.datetime
    rate_ml_per_h: Decimal


def spans(rates: Sequence[Rate], until: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime, Decimal]]:
    """(start, end, rate) one after the other up to `until`; `rates` come in order of time."""
    for number, rate in enumerate(rates):
        following = rates[number + 1].at if number + 1 < len(rates) else until
        end = min(following, until)
        if end > rate.at:
            yield rate.at, end, rate.rate_ml_per_h


def volume_given_ml(rates: Sequence[Rate], now: dt.datetime, limit_ml: Decimal) -> Decimal:
    """What has gone in until `now`, in full hundredths of a mL, never more than `limit_ml`."""
    return min(exact_ml(rates, now).quantize(CENTILITRE, ROUND_FLOOR), limit_ml)


def exact_ml(rates: Sequence[Rate], now: dt.datetime) -> Decimal:
    return sum((ml_in(rate, end - start) for start, end, rate in spans(rates, now)), Decimal(0))


def ml_in(rate_ml_per_h: Decimal, length: dt.timedelta) -> Decimal:
    return rate_ml_per_h * (length // ONE_MICROSECOND) / HOUR_MICROSECONDS


def time_for(volume_ml: Decimal, rate_ml_per_h: Decimal) -> dt.timedelta:
    """How long the volume takes at the rate, up to a whole second."""
    seconds = (volume_ml * 3600 / rate_ml_per_h).to_integral_value(ROUND_CEILING)
    return dt.timedelta(seconds=int(seconds))


def reached_at(rates: Sequence[Rate], now: dt.datetime, limit_ml: Decimal) -> dt.datetime | None:
    """When the whole volume was in; None while it is not."""
    left = limit_ml
    for start, end, rate in spans(rates, now):
        given = ml_in(rate, end - start)
        if rate and given >= left:
            return min(start + time_for(left, rate), end)
        left -= given
    return None


def current_rate(rates: Sequence[Rate]) -> Decimal:
    return rates[-1].rate_ml_per_h if rates else Decimal(0)


def last_running_rate(rates: Sequence[Rate]) -> Decimal:
    """The rate now, or the one before the pause."""
    return next((rate.rate_ml_per_h for rate in reversed(rates) if rate.rate_ml_per_h), Decimal(0))


def rate_at(rates: Sequence[Rate], instant: dt.datetime) -> Decimal:
    """The rate that ran at the instant; 0 before the start."""
    return next((rate.rate_ml_per_h for rate in reversed(rates) if rate.at <= instant), Decimal(0))
