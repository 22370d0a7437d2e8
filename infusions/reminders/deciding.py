"""Whether a claimed message goes now, later or not at all: gathers what the rules ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from infusions.reminders import day_sheets, queries, rules
from infusions.reminders.blocks import REASONS, blocked_causes
from infusions.reminders.claims import mine
from infusions.reminders.delivery_models import BlockCause
from infusions.reminders.models import Kind, Reason, Reminder
from infusions.scheduling.waitlist_matching import starts_still_free
from patients.models import Channel
from patients.queries import who_may_be_contacted

# How long the mail of a cancellation waits for one about the same visit that is just on its way.
ON_ITS_WAY = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Facts:
    """What deciding on a batch asks of other tables, read at once for all."""

    may_mail: frozenset[int] = frozenset()  # row numbers of patients
    blocked: dict[str, BlockCause] = field(default_factory=dict)  # by address in lower case


def facts_of(reminders: Sequence[Reminder]) -> Facts:
    patients = {reminder.patient.pk: reminder.patient.email for reminder in reminders if reminder.patient}
    return Facts(who_may_be_contacted(set(patients), Channel.EMAIL), blocked_causes(patients.values()))


def is_unchanged(reminder: Reminder) -> bool:
    """Whether the row is still this sender's, and its visit as it was read with the batch.

    The cheapest question, asked right before each mail: a machine that slept keeps no count of the time it slept.
    """
    still, read = mine(reminder), reminder.appointment
    if read is not None:
        same = {"version": read.version, "state": read.state, "updated_at": read.updated_at}
        still = still.filter(**{f"appointment__{name}": value for name, value in same.items()})
    return still.exists()


def decide(reminder: Reminder, now: dt.datetime, facts: Facts) -> tuple[Reason | None, dt.datetime | None]:
    """Why not to send it, or until when to wait; neither when it may go now."""
    told = reminder.kind != Kind.CANCELLED or queries.was_told(reminder.appointment)
    if not told and queries.is_being_told(reminder.appointment):
        return None, now + ON_ITS_WAY
    reason = reason_to_skip(reminder, now, told=told, facts=facts)
    return reason, None if reason else rules.postponed_until(reminder, now)


def reason_to_skip(reminder: Reminder, now: dt.datetime, *, told: bool, facts: Facts | None = None) -> Reason | None:
    """`facts`: where they were read already, for a whole batch."""
    if reminder.kind == Kind.DAY_SHEET:
        return day_sheets.reason_to_skip(reminder, now)
    facts = facts or facts_of([reminder])
    cause = facts.blocked.get(reminder.patient.email.lower())
    may_mail = reminder.patient.pk in facts.may_mail
    return _reason_by_rules(reminder, now, told=told, may_mail=may_mail) or REASONS.get(cause)


def _reason_by_rules(reminder: Reminder, now: dt.datetime, *, told: bool, may_mail: bool) -> Reason | None:
    if reminder.kind == Kind.AFTER_CARE:
        return rules.reason_to_skip_after_care(reminder, now, may_mail=may_mail)
    if reminder.kind == Kind.ADVICE:
        return rules.reason_to_skip_advice(reminder.patient, may_mail=may_mail)
    if reminder.offer_id is None:
        return rules.reason_to_skip(reminder, now, may_mail=may_mail, told=told)
    free = bool(starts_still_free([reminder.offer], now))
    return rules.reason_to_skip_offer(reminder, now, may_mail=may_mail, free=free)
