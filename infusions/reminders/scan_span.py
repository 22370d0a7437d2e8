"""How far a planning scan looks: what changed since the last one, and once an hour everything that is near.

A row carries the moment of its writing, not that of its commit: one that was committed late lies before what the last
scan has seen. The overlap finds it when it is some minutes late, the whole scan whenever it was.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from infusions.reminders.delivery_models import Heartbeat
from infusions.reminders.heartbeat import PLANNER, note_beat

WHOLE_SCAN = "planner-whole"
OVERLAP = dt.timedelta(minutes=5)
WHOLE_EVERY = dt.timedelta(hours=1)
# The whole scan: what changed in these days, however far ahead, and what comes within those, however long unchanged.
CHANGED_WITHIN = dt.timedelta(days=2)
HORIZON = dt.timedelta(days=8)


@dataclass(frozen=True)
class Span:
    changed_since: dt.datetime
    near_until: dt.datetime | None = None  # of a whole scan


def span_of_scan(now: dt.datetime) -> Span:
    beats = {beat.name: beat for beat in Heartbeat.objects.filter(name__in=(PLANNER, WHOLE_SCAN))}
    seen = beats[PLANNER].seen_until if PLANNER in beats else None
    whole_at = beats[WHOLE_SCAN].beat_at if WHOLE_SCAN in beats else None
    if seen is None:
        return Span(now - CHANGED_WITHIN, now + HORIZON)
    since = seen - OVERLAP
    # A moment that is yet to come: the clock was set back, and nothing can be said of what was seen.
    is_known = whole_at is not None and now - WHOLE_EVERY < whole_at <= now and now - WHOLE_EVERY < seen <= now
    return Span(since) if is_known else Span(min(since, now - CHANGED_WITHIN), now + HORIZON)


def note_scan(span: Span, now: dt.datetime, *, is_whole: bool) -> None:
    """`is_whole`: the scan came to the end of what it found; otherwise the next one looks as far back again."""
    if is_whole and span.near_until is not None:
        note_beat(WHOLE_SCAN, now=now)
    note_beat(PLANNER, now=now, **({"seen_until": now} if is_whole else {}))
