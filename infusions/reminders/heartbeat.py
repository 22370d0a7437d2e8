"""Whether reminders are being worked on: when planner and sender last came to their end, and what waits too long.

A worker may stay up for days and consume nothing; so the result is watched, not the process.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, Q, QuerySet, Subquery

from infusion_center.core.rules import Problem, warning
from infusions.reminders.delivery_models import Heartbeat
from infusions.reminders.models import Reminder, ReminderState

PLANNER, SENDER, BEAT = "planner", "sender", "beat"
BACKUP = "backup"  # a backup was made and read back
# No beat for this long, or a message due and unsent for this long: something is down.
SILENT_AFTER = dt.timedelta(minutes=10)
# So many tries of a message in vain take half an hour. When that happens to several and none goes all that while, it is
# not one receiver that puts them off.
MANY_TRIES, SEVERAL, LONG_IN_VAIN = 4, 3, dt.timedelta(minutes=30)
TELL = "Tell whoever runs this system that the reminder worker or the mail server is down."
SENTENCES = {
    "never-started": "No reminder was ever planned or sent: the reminder worker has not run since this was set up.",
    "planner-silent": "Reminders have not been planned for more than ten minutes.",
    "sender-silent": "Nobody has looked for messages to send for more than ten minutes.",
    "nothing-sent": "Messages have been due for more than ten minutes and are not being sent.",
    "only-retries": "The mail server puts messages off: none has gone for half an hour.",
}


@dataclass(frozen=True)
class Health:
    planner_at: dt.datetime | None = None
    sender_at: dt.datetime | None = None
    oldest_due_at: dt.datetime | None = None  # of the messages due and unsent
    reasons: tuple[str, ...] = ()  # codes, see SENTENCES; none: all is well


def note_beat(name: str, *, now: dt.datetime, **fields) -> None:
    """Say that a job came to its end, also when there was nothing to do."""
    beats = Heartbeat.objects.filter(name=name)
    if not beats.update(beat_at=now, **fields):
        # Two at once on a fresh install: one of the rows stays, both say the same.
        Heartbeat.objects.bulk_create([Heartbeat(name=name, beat_at=now, **fields)], ignore_conflicts=True)


def last_beat(name: str) -> Heartbeat | None:
    return Heartbeat.objects.filter(name=name).first()


def beats() -> dict[str, dt.datetime]:
    return dict(Heartbeat.objects.filter(name__in=(PLANNER, SENDER, BEAT, BACKUP)).values_list("name", "beat_at"))


def health(now: dt.datetime) -> Health:
    """One statement. What waits is not looked at before anything has run: that says enough."""
    owed, claimed = (_longest_waiting(state, now) for state in (ReminderState.OWED, ReminderState.CLAIMED))
    beats = Heartbeat.objects.filter(name__in=(PLANNER, SENDER))
    rows = list(beats.annotate(owed=Subquery(owed), claimed=Subquery(claimed), in_vain=_tried_in_vain(now)))
    waiting = (rows[0].owed, rows[0].claimed) if rows else ()
    at = {row.name: row.beat_at for row in rows}
    oldest = min((moment for moment in waiting if moment), default=None)
    reasons = _reasons(at.get(PLANNER), at.get(SENDER), oldest, now)
    if rows and rows[0].in_vain:
        reasons += ("only-retries",)
    return Health(at.get(PLANNER), at.get(SENDER), oldest, reasons)


def silence_problems(now: dt.datetime) -> list[Problem]:
    """What staff should know when reminders stand still."""
    return [warning(code, SENTENCES[code], remedy=TELL) for code in health(now).reasons]


def _reasons(planner_at, sender_at, oldest_due_at, now: dt.datetime) -> tuple[str, ...]:
    since = now - SILENT_AFTER
    never = planner_at is None and sender_at is None
    checks = {
        "never-started": never,
        "planner-silent": not never and (planner_at is None or planner_at < since),
        "sender-silent": not never and (sender_at is None or sender_at < since),
        "nothing-sent": oldest_due_at is not None and oldest_due_at < since,
    }
    return tuple(code for code, holds in checks.items() if holds)


def _tried_in_vain(now: dt.datetime) -> Q:
    """Each try moves the due moment ahead, so nothing is ever late. Bounded by due moments, which have an index."""
    next_tries = Reminder.objects.filter(
        state=ReminderState.OWED, due_at__gt=now, due_at__lte=now + LONG_IN_VAIN, tries__gte=MANY_TRIES
    )
    gone = Reminder.objects.filter(
        state=ReminderState.SENT, due_at__gt=now - dt.timedelta(days=1), settled_at__gt=now - LONG_IN_VAIN
    )
    return Q(Exists(next_tries[SEVERAL - 1 : SEVERAL])) & ~Q(Exists(gone))


def _longest_waiting(state: str, now: dt.datetime) -> QuerySet:
    """A state of its own each: the index on state and due moment then gives the first row at once."""
    due = Reminder.objects.filter(state=state, due_at__lte=now).order_by("due_at")
    return due.values_list("due_at", flat=True)[:1]
