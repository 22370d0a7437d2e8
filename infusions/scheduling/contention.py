"""Tries a transaction again that lost against another: a deadlock on PostgreSQL, a locked file on SQLite."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps

from django.db import OperationalError, connection

from infusion_center.core.rules import RuleViolation, blocker

TRIES = 6
# serialization failure, deadlock, lock not available
RETRIED_SQLSTATES = {"40001", "40P01", "55P03"}
BUSY = blocker(
    "busy",
    "Others are booking at this moment, and the booking could not be written.",
    remedy="Nothing was changed. Try again.",
)


def tried_again(service: Callable) -> Callable:
    """For the outermost transaction only: inside another one the error must reach whoever opened it."""

    @wraps(service)
    def wrapped(**arguments):
        if connection.in_atomic_block:
            return service(**arguments)
        for attempt in range(TRIES):
            try:
                return service(**arguments)
            except OperationalError as error:
                if not lost_to_another(error):
                    raise
                if _waited_long_enough(error):
                    break
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # nosec B311: spreads those who wait; keeps no secret
        raise RuleViolation([BUSY])

    return wrapped


def lost_to_another(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in RETRIED_SQLSTATES or "locked" in str(error)


def _waited_long_enough(error: OperationalError) -> bool:
    """SQLite gives up only after its own timeout of many seconds: nobody waits for that twice."""
    return "locked" in str(error)
