"""Who holds a row of the ledger: claimed by a conditional update with a lease, then settled or given back.

Whoever dies in between leaves a claim whose lease runs out; the next sender takes it over under the same Message-ID.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Sequence

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, QuerySet

from infusion_center.audit import services as audit
from infusions.reminders.delivery import Sent
from infusions.reminders.models import Reason, Reminder, ReminderState

logger = logging.getLogger(__name__)

MAX_TRIES = 12
LONGEST_PAUSE_MINUTES = 30
# Before each further try to record what the mail server has taken: it must not go twice for a moment's trouble.
PAUSES_SECONDS = (0.2, 1, 3)


@transaction.atomic
def claim_batch(*, worker: str, now: dt.datetime, size: int) -> list[Reminder]:
    """Take up to so many due rows for this sender until their lease runs out, oldest first.

    What another sender held until its lease ran out is taken alone: a message that kills its senders must not keep
    those claimed with it from being sent, time after time.
    Rows that another sender is just taking are passed over (PostgreSQL), or the write lock of the whole database was
    waited for (SQLite): two senders get different rows.
    """
    lapsed = Reminder.objects.filter(state=ReminderState.CLAIMED, lease_until__lte=now)
    owed = Reminder.objects.filter(state=ReminderState.OWED, due_at__lte=now)
    # One state at a time: each walks along its own stretch of the index, however long the history is.
    chosen = _first_free(lapsed, 1) or _first_free(owed, size)
    lease_until = _take(Reminder.objects.due(now).filter(pk__in=chosen), worker, now) if chosen else None
    taken = Reminder.objects.filter(
        pk__in=chosen, state=ReminderState.CLAIMED, claimed_by=worker, lease_until=lease_until
    )
    return list(taken.with_visit().order_by("due_at", "pk")) if chosen else []


def claim(pk: int, *, worker: str, now: dt.datetime) -> Reminder | None:
    """The same for one row: None if another sender was first."""
    taken = _take(Reminder.objects.due(now).filter(pk=pk), worker, now)
    return Reminder.objects.with_visit().get(pk=pk) if taken else None


def reread(rows: Sequence[Reminder]) -> list[Reminder]:
    """These rows as they are now, with what they are about; without those that another sender has taken over."""
    tries = {row.pk: (row.claimed_by, row.tries) for row in rows}
    found = Reminder.objects.filter(pk__in=tries, state=ReminderState.CLAIMED).with_visit().order_by("due_at", "pk")
    return [row for row in found if (row.claimed_by, row.tries) == tries[row.pk]]


@transaction.atomic
def settle(reminder: Reminder, state: ReminderState, now: dt.datetime, *, reason: str = "", **fields) -> str:
    settled = mine(reminder).update(
        state=state, reason=reason, settled_at=now, lease_until=None, updated_at=now, **fields
    )
    if not settled:
        logger.warning("reminder %s was taken over by another sender", reminder.public_id)
        return "lost"
    detail = {"reason": str(reason)} if reason else {}
    audit_row(f"reminder.{state.value}", reminder, **detail)
    return state.value


def settle_sent(reminder: Reminder, sent: Sent, now: dt.datetime) -> str:
    """Record what the mail server has taken, through a moment's trouble with the database."""
    known_by = {"message_id": sent.message_id, "provider_id": sent.provider_id}
    for pause in PAUSES_SECONDS:
        try:
            return settle(reminder, ReminderState.SENT, now, **known_by)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:
                raise
            logger.warning("reminder %s was sent but not yet recorded", reminder.public_id, exc_info=True)
            time.sleep(pause)
            connection.close_if_unusable_or_obsolete()
    outcome = settle(reminder, ReminderState.SENT, now, **known_by)
    # The earlier try may have come through, and only its answer not.
    recorded = outcome == "lost" and Reminder.objects.filter(pk=reminder.pk, message_id=sent.message_id).exists()
    return ReminderState.SENT.value if recorded else outcome


def give_back(reminder: Reminder, outcome: str, now: dt.datetime, **fields) -> str:
    owed = mine(reminder).update(state=ReminderState.OWED, claimed_by="", lease_until=None, updated_at=now, **fields)
    return outcome if owed else "lost"


def hand_back(rows: Sequence[Reminder], now: dt.datetime) -> None:
    """Give back, unsent, what there was no time or no room for; it counts as no try."""
    for worker, lease_until in {(row.claimed_by, row.lease_until) for row in rows}:
        Reminder.objects.filter(
            pk__in=[row.pk for row in rows], state=ReminderState.CLAIMED, claimed_by=worker, lease_until=lease_until
        ).update(state=ReminderState.OWED, claimed_by="", lease_until=None, tries=F("tries") - 1, updated_at=now)


def killed_too_many(reminder: Reminder) -> bool:
    """A try that ends gives the row up at the last one; beyond that are only tries whose sender died."""
    return reminder.tries > MAX_TRIES


def try_later(reminder: Reminder, trouble: str, now: dt.datetime) -> str:
    if reminder.tries >= MAX_TRIES:
        return settle(reminder, ReminderState.FAILED, now, reason=Reason.GAVE_UP, detail=trouble)
    pause = dt.timedelta(minutes=min(2**reminder.tries, LONGEST_PAUSE_MINUTES))
    return give_back(reminder, "retried", now, due_at=now + pause, detail=trouble)


def mine(reminder: Reminder) -> QuerySet[Reminder]:
    """The row as claimed by this very try: empty once the lease ran out and another sender took it."""
    return Reminder.objects.filter(
        pk=reminder.pk, state=ReminderState.CLAIMED, claimed_by=reminder.claimed_by, tries=reminder.tries
    )


def audit_row(action: str, reminder: Reminder, *, by=None, **detail) -> None:
    patient, site, about = reminder.patient, reminder.site, reminder.about_ids
    audit.record(action, reminder, by=by, patient=patient, site=site, kind=reminder.kind, **about, **detail)


def _first_free(rows: QuerySet[Reminder], size: int) -> list[int]:
    """Of the rows that nobody is taking at this moment."""
    free = rows.select_for_update(skip_locked=True).order_by("due_at", "pk")
    return list(free.values_list("pk", flat=True)[:size])


def _take(due: QuerySet[Reminder], worker: str, now: dt.datetime) -> dt.datetime | None:
    lease_until = now + dt.timedelta(seconds=settings.REMINDER_LEASE_SECONDS)
    taken = due.update(
        state=ReminderState.CLAIMED,
        claimed_by=worker,
        lease_until=lease_until,
        tries=F("tries") + 1,
        updated_at=now,
    )
    return lease_until if taken else None
