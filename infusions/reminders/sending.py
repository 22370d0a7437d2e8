"""Sending: takes what is due, decides by the world as it is at that moment, hands it to the mail server, records."""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable

from infusion_center.core import clock
from infusions.reminders import heartbeat
from infusions.reminders.claims import claim, give_back, settle, try_later
from infusions.reminders.deciding import decide
from infusions.reminders.delivery import Mailer, RefusedForGood, ServerUnavailable, TryLater
from infusions.reminders.models import Reason, Reminder, ReminderState

logger = logging.getLogger(__name__)

# A sweep ends before the wake-ups queued behind it expire, and well before its task's time limit; the next one goes on.
SWEEP_SECONDS = 20


def send_due(
    *, now: dt.datetime | None = None, limit: int = 1000, worker: str = "", seconds: float = SWEEP_SECONDS
) -> Counter:
    """Send what is due, oldest first, for at most `seconds`; counts by outcome.

    Outcomes: sent, skipped, failed, postponed, retried, lost (taken over by another sender), unavailable (the mail
    server is away: the sweep ends, nothing is lost).
    """
    tell_time = (lambda: now) if now else clock.now
    worker = (worker or f"{socket.gethostname()}:{os.getpid()}")[:60]
    ends = time.monotonic() + seconds
    due = list(Reminder.objects.due(tell_time()).order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    done: Counter = Counter()
    with Mailer() as mailer:
        for pk in due:
            if time.monotonic() > ends:
                break
            if reminder := claim(pk, worker=worker, now=tell_time()):
                outcome = _deliver(reminder, mailer, tell_time)
                done[outcome] += 1
                if outcome == "unavailable":
                    break
    heartbeat.note_beat(heartbeat.SENDER, now=tell_time())
    return done


def _deliver(reminder: Reminder, mailer: Mailer, tell_time: Callable[[], dt.datetime]) -> str:
    """Decide by the world as it is now, send outside any transaction, record. Returns the outcome."""
    now = tell_time()
    try:
        reason, later = decide(reminder, now)
    except Exception as fault:  # one row with a fault must not hold up those behind it
        logger.exception("reminder %s could not be decided", reminder.public_id)
        return try_later(reminder, f"not decided: {type(fault).__name__}", now)
    if reason:
        # This try reached no mail server: the tries that are left may have told the patient.
        return settle(reminder, ReminderState.SKIPPED, now, reason=reason, tries=reminder.tries - 1)
    if later:
        return give_back(reminder, "postponed", now, due_at=later, tries=reminder.tries - 1)
    try:
        message_id = mailer.send(reminder, now)
    except RefusedForGood as refused:
        return settle(reminder, ReminderState.FAILED, tell_time(), reason=Reason.ADDRESS_REFUSED, detail=str(refused))
    except TryLater as trouble:
        return try_later(reminder, str(trouble), tell_time())
    except ServerUnavailable as away:
        logger.warning("mail server unavailable: %s", away)
        return give_back(reminder, "unavailable", tell_time(), tries=reminder.tries - 1, detail=str(away))
    return settle(reminder, ReminderState.SENT, tell_time(), message_id=message_id)
