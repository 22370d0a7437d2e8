"""Sending: takes what is due, decides by the world as it is at that moment, hands it to the mail server, records.

Rows are claimed and read in small batches, which costs a fraction of reading them one by one. Each is recorded as sent
before the next one goes, so a sender that dies leaves at most one mail that was taken and not recorded; the rest of its
batch was never sent and comes back with the lease.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import DatabaseError

from infusion_center.core import clock
from infusions.reminders import heartbeat, pacing
from infusions.reminders.claims import (
    claim_batch,
    give_back,
    hand_back,
    killed_too_many,
    reread,
    settle,
    settle_sent,
    try_later,
)
from infusions.reminders.deciding import Facts, decide, facts_of, is_unchanged
from infusions.reminders.delivery import Mailer, RefusedForGood, ServerUnavailable, TryLater
from infusions.reminders.models import Reason, Reminder, ReminderState

logger = logging.getLogger(__name__)

# A sweep ends well before its task's time limit; the next one goes on.
SWEEP_SECONDS = 20
BATCH = 20
# What was read is decided by for at most this long, then read again. Less than the mail itself is on its way; and who
# moves or cancels meanwhile finds the row claimed, which counts as told: the mail about the change follows.
FRESH_SECONDS = 1.0
ENDS_SWEEP = ("unavailable", "stopped")


def send_due(
    *,
    now: dt.datetime | None = None,
    worker: str = "",
    seconds: float = SWEEP_SECONDS,
    on_backlog: Callable[[], None] | None = None,
) -> Counter:
    """Send what is due, oldest first, for at most `seconds`; counts by outcome.

    Outcomes: sent, skipped, failed, postponed, paced, retried, lost (taken over by another sender), unavailable (the
    mail server is away), stopped (the task's time is over). After the last two the sweep ends, and nothing is lost.
    `on_backlog` is called once when there is more than a batch, so that others may help.
    """
    tell_time = (lambda: now) if now else clock.now
    worker = (worker or f"{socket.gethostname()}:{os.getpid()}")[:60]
    ends, done = time.monotonic() + seconds, Counter()
    with Mailer() as mailer:
        while time.monotonic() < ends and not any(done[outcome] for outcome in ENDS_SWEEP):
            rows = claim_batch(worker=worker, now=tell_time(), size=BATCH)
            if not rows:
                break
            if on_backlog is not None and len(rows) == BATCH:
                on_backlog()
                on_backlog = None
            done += Batch(rows, mailer, tell_time, ends).send()
    heartbeat.note_beat(heartbeat.SENDER, now=tell_time())
    return done


@dataclass
class Batch:
    """Claimed rows on their way, with what deciding on them needs."""

    rows: list[Reminder]
    mailer: Mailer
    tell_time: Callable[[], dt.datetime]
    ends: float
    facts: Facts = field(default_factory=Facts)
    room: Counter = field(default_factory=Counter)
    done: Counter = field(default_factory=Counter)

    def send(self) -> Counter:
        # Half of the lease is kept for the mail that is on its way when the other half is over.
        ends = min(self.ends, time.monotonic() + settings.REMINDER_LEASE_SECONDS / 2)
        read_at = self._read_facts()
        self.room = pacing.reserve(Counter(pacing.domain_of(row.reader_email) for row in self.rows), self.tell_time())
        held: dict[str, list[Reminder]] = {}
        try:
            while self.rows and time.monotonic() < ends and not self._is_over():
                if time.monotonic() - read_at > FRESH_SECONDS:
                    self.rows = reread(self.rows)
                    read_at = self._read_facts()
                    continue
                reminder = self.rows.pop(0)
                outcome = self._deliver(reminder)
                if outcome == "paced":
                    held.setdefault(pacing.domain_of(reminder.reader_email), []).append(reminder)
                self.done[outcome] += 1
        finally:
            with suppress(DatabaseError):  # what cannot be handed back comes back when the lease is over
                hand_back(self.rows, self.tell_time())
        for domain, rows in held.items():
            self._hold_back(domain, rows)
        return self.done

    def _is_over(self) -> bool:
        return any(self.done[outcome] for outcome in ENDS_SWEEP)

    def _read_facts(self) -> float:
        """When they were read."""
        read_at = time.monotonic()
        self.facts = facts_of(self.rows)
        return read_at

    def _hold_back(self, domain: str, rows: list[Reminder]) -> None:
        now = self.tell_time()
        hand_back(rows, now)
        pacing.line_up(domain, now, held=[row.pk for row in rows])

    def _deliver(self, reminder: Reminder) -> str:
        try:
            return self._decide_and_send(reminder)
        except SoftTimeLimitExceeded:
            # What the server took is recorded as sent; anything else is tried again. The sweep ends.
            logger.warning("out of time with reminder %s", reminder.public_id)
            now = self.tell_time()
            if sent := self.mailer.taken(reminder):
                self.done[settle_sent(reminder, sent, now)] += 1
            else:
                self.mailer.close()
                self.done[try_later(reminder, "out of time", now)] += 1
            return "stopped"

    def _decide_and_send(self, reminder: Reminder) -> str:
        """Send outside any transaction, record. Returns the outcome."""
        now = self.tell_time()
        try:
            if not is_unchanged(reminder):
                [reminder] = reread([reminder]) or [None]
                if reminder is None:
                    return "lost"
            if killed_too_many(reminder):
                logger.error("reminder %s: its senders died each time", reminder.public_id)
                return try_later(reminder, "its senders died", now)
            reason, later = decide(reminder, now, self.facts)
        except SoftTimeLimitExceeded:
            raise
        except Exception as fault:  # one row with a fault must not hold up those behind it
            logger.exception("reminder %s could not be decided", reminder.public_id)
            return try_later(reminder, f"not decided: {type(fault).__name__}", now)
        if reason:
            # This try reached no mail server: the tries that are left may have told the patient.
            return settle(reminder, ReminderState.SKIPPED, now, reason=reason, tries=reminder.tries - 1)
        if later:
            return give_back(reminder, "postponed", now, due_at=later, tries=reminder.tries - 1)
        if not self._has_room(reminder):
            return "paced"
        return self._hand_over(reminder, now)

    def _has_room(self, reminder: Reminder) -> bool:
        domain = pacing.domain_of(reminder.reader_email)
        self.room[domain] -= 1
        return self.room[domain] >= 0

    def _hand_over(self, reminder: Reminder, now: dt.datetime) -> str:
        try:
            sent = self.mailer.send(reminder, now)
        except RefusedForGood as refused:
            return settle(
                reminder, ReminderState.FAILED, self.tell_time(), reason=Reason.ADDRESS_REFUSED, detail=str(refused)
            )
        except TryLater as trouble:
            if pacing.asks_for_less(str(trouble)):
                self._slow_down(reminder)
            return try_later(reminder, str(trouble), self.tell_time())
        except ServerUnavailable as away:
            logger.warning("mail server unavailable: %s", away)
            return give_back(reminder, "unavailable", self.tell_time(), tries=reminder.tries - 1, detail=str(away))
        return settle_sent(reminder, sent, self.tell_time())

    def _slow_down(self, reminder: Reminder) -> None:
        domain = pacing.domain_of(reminder.reader_email)
        logger.warning("%s asked for less mail: a pause for all senders", domain)
        pacing.slow_down(domain, self.tell_time())
        self.room[domain] = 0
