"""What a line of the log may hold: an allow-list of keys, words of ours, and of an error its kind and place.

Messages of errors, values in them, addresses and what was typed stay out: all of that may be about patients. Both kinds
of line, JSON and plain, are made of the same parts.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import traceback
from collections.abc import Mapping

from django.conf import settings
from django_guid.context import guid
from pythonjsonlogger.json import JsonFormatter

# Keys that code may add by `extra=`; all others are dropped.
EXTRA = ("method", "route", "status", "ms", "user", "more")
# Programs that write about themselves: their words are shown with what they put in. Others only with their own words.
OURS = ("infusion_center", "infusions", "patients", "celery", "kombu")
TASK_KEYS = {"name", "id", "runtime", "description", "hostname"}
# Public ids and words are shorter; tokens and secrets are not.
SECRET_PART = re.compile(r"(?<=/)[\w.:~-]{24,}")
HIDDEN = "…"
FRAMES = 15


class JsonLines(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return self.serialize_log_record(line_of(record))


class PlainLines(logging.Formatter):
    """For people at a terminal; with DEBUG also the whole error."""

    def format(self, record: logging.LogRecord) -> str:
        line = line_of(record)
        head = " ".join(line.pop(name) for name in ("time", "level", "logger", "message"))
        places = line.pop("at", [])
        text = " ".join([head, *(f"{name}={value}" for name, value in line.items())])
        if settings.DEBUG and record.exc_info:
            return f"{text}\n{self.formatException(record.exc_info)}"
        return "\n    ".join([text, *places])


def line_of(record: logging.LogRecord) -> dict:
    line = {
        "time": dt.datetime.fromtimestamp(record.created, tz=dt.UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": SECRET_PART.sub(HIDDEN, _words(record)),
    }
    if request_id := guid.get():
        line["request_id"] = request_id
    line |= {name: record.__dict__[name] for name in EXTRA if name in record.__dict__}
    return line | _error(record)


def _words(record: logging.LogRecord) -> str:
    if record.name.startswith("django.security"):  # its words are what a stranger sent
        return f"refused: {record.name.rpartition('.')[2]}"
    is_ours = record.name.split(".")[0] in OURS
    given = record.args or ()
    if isinstance(given, Mapping):
        args = {name: value if is_ours and name in TASK_KEYS else HIDDEN for name, value in given.items()}
    else:
        args = tuple(_shown(value, is_ours) for value in given)
    try:
        return str(record.msg) % args if args else _shown(record.msg, is_ours=True)
    except (TypeError, ValueError):  # a number was to be shown in another way
        return str(record.msg)


def _shown(value, is_ours: bool):
    """An error only by its kind: its words hold values. Numbers say nothing about people."""
    if isinstance(value, BaseException):
        return type(value).__name__
    return value if is_ours or isinstance(value, int | float) else HIDDEN


def _error(record: logging.LogRecord) -> dict:
    """The kinds of the error and of what led to it, the database's code, and the places in the source."""
    if not record.exc_info or record.exc_info[1] is None:
        return {}
    error = record.exc_info[1]
    kinds, state = [], ""
    while error is not None and len(kinds) < 5:
        kinds.append(type(error).__name__)
        state = state or getattr(error, "sqlstate", None) or ""
        error = error.__cause__ or error.__context__
    frames = traceback.extract_tb(record.exc_info[2])[-FRAMES:]
    places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": " < ".join(kinds), **({"sqlstate": state} if state else {}), "at": places}


def _short(path: str) -> str:
    return path.removeprefix(f"{settings.BASE_DIR}/").rpartition("site-packages/")[2]
