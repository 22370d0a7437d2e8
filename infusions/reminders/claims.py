"""Who holds a row of the ledger: claimed by a conditional update with a lease, then settled or given back.

Whoever dies in between leaves a claim whose lease runs out; the next sender takes it over under the same Message-ID.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.db import transaction
from django.db.models import F

from infusion_center.audit import services as audit
from infusions.reminders.models import Reason, Reminder, ReminderState

logger = logging.getLogger(__name__)

MAX_TRIES = 12
LONGEST_PAUSE_MINUTES = 30


def claim(pk: int, *, worker: str, now: dt.datetime) -> Reminder | None:
    """Take one due row for this sender until its lease runs out; None if another one was first."""
    lease_until = now + dt.timedelta(seconds=settings.REMINDER_LEASE_SECONDS)
    taken = (
        Reminder.objects.due(now)
        .filter(pk=pk)
        .update(
            state=ReminderState.CLAIMED,
            claimed_by=worker,
            lease_until=lease_until,
            tries=F("tries") + 1,
            updated_at=now,
        )
    )
    return Reminder.objects.with_visit().get(pk=pk) if taken == 1 else None


@transaction.atomic
def settle(reminder: Reminder, state: ReminderState, now: dt.datetime, *, reason: str = "", **fields) -> str:
    settled = _mine(reminder).update(
        state=state, reason=reason, settled_at=now, lease_until=None, updated_at=now, **fields
    )
    if not settled:
        logger.warning("reminder %s was taken over by another sender", reminder.public_id)
        return "lost"
    detail = {"reason": str(reason)} if reason else {}
    audit_row(f"reminder.{state.value}", reminder, **detail)
    return state.value


def give_back(reminder: Reminder, outcome: str, now: dt.datetime, **fields) -> str:
    owed = _mine(reminder).update(state=ReminderState.OWED, claimed_by="", lease_until=None, updated_at=now, **fields)
    return outcome if owed else "lost"


def try_later(reminder: Reminder, trouble: str, now: dt.datetime) -> str:
    if reminder.tries >= MAX_TRIES:
        return settle(reminder, ReminderState.FAILED, now, reason=Reason.GAVE_UP, detail=trouble)
    pause = dt.timedelta(minutes=min(2**reminder.tries, LONGEST_PAUSE_MINUTES))
    return give_back(reminder, "retried", now, due_at=now + pause, detail=trouble)


def _mine(reminder: Reminder):
    """The row as claimed by this very try: empty once the lease ran out and another sender took it."""
    return Reminder.objects.filter(
        pk=reminder.pk, state=ReminderState.CLAIMED, claimed_by=reminder.claimed_by, tries=reminder.tries
    )


def audit_row(action: str, reminder: Reminder, *, by=None, **detail) -> None:
    about = {"visit" if reminder.offer_id is None else "offer": reminder.about.public_id}
    audit.record(
        action, reminder, by=by, patient=reminder.patient, site=reminder.site, kind=reminder.kind, **about, **detail
    )
