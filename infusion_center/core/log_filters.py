"""Keeps strangers from filling the log: what the same refusal or outage says is written once a minute, with a count."""

import logging
import time

PAUSE_SECONDS = 60
# Anybody can cause these as often as he likes: odd host names, tampered forms, a database that is away.
OFTEN_BY_LOGGER = ("django.security", "infusion_center.core.bounded")
OFTEN_BY_ERROR = {"OperationalError", "InterfaceError", "RequestDataTooBig", "TooManyFieldsSent"}


class Seldom(logging.Filter):
    """Each process counts for itself. The next line after the pause tells how many were left out, as `more`."""

    def __init__(self, clock=time.monotonic):
        super().__init__()
        self.clock = clock
        self.left_out: dict[tuple[str, str], int] = {}
        self.written: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        if not record.name.startswith(OFTEN_BY_LOGGER) and error not in OFTEN_BY_ERROR:
            return True
        kind, now = (record.name, error), self.clock()
        if now - self.written.get(kind, -PAUSE_SECONDS) < PAUSE_SECONDS:
            self.left_out[kind] = self.left_out.get(kind, 0) + 1
            return False
        self.written[kind] = now
        if more := self.left_out.pop(kind, 0):
            record.more = more
        return True


class HasError(logging.Filter):
    """Of what Django says of requests only errors: that a page was refused or missing has its line already."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)
