"""Whether a claimed message goes now, later or not at all: gathers what the rules ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from infusions.reminders import queries, rules
from infusions.reminders.models import Kind, Reason, Reminder
from infusions.scheduling.models import Appointment
from infusions.scheduling.waitlist_matching import starts_still_free
from patients.models import Channel
from patients.queries import may_contact, who_may_be_contacted

# How long the mail of a cancellation waits for one about the same visit that is just on its way.
ON_ITS_WAY = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Facts:
    """What deciding on a batch asks of other tables, read at once for all."""

    may_mail: frozenset[int] = frozenset()  # row numbers of patients


def facts_of(reminders: Sequence[Reminder]) -> Facts:
    patients = {reminder.patient.pk for reminder in reminders}
    return Facts(may_mail=who_may_be_contacted(patients, Channel.EMAIL))


def is_unchanged(reminder: Reminder) -> bool:
    """Whether the visit is still as it was read with the batch: the cheapest question, asked right before each mail."""
    read = reminder.appointment
    if read is None:
        return True
    same = Appointment.objects.filter(pk=read.pk, version=read.version, state=read.state, updated_at=read.updated_at)
    return same.exists()


def decide(reminder: Reminder, now: dt.datetime, facts: Facts) -> tuple[Reason | None, dt.datetime | None]:
    """Why not to send it, or until when to wait; neither when it may go now."""
    told = reminder.kind != Kind.CANCELLED or queries.was_told(reminder.appointment)
    if not told and queries.is_being_told(reminder.appointment):
        return None, now + ON_ITS_WAY
    reason = reason_to_skip(reminder, now, told=told, may_mail=reminder.patient.pk in facts.may_mail)
    return reason, None if reason else rules.postponed_until(reminder, now)


def reason_to_skip(reminder: Reminder, now: dt.datetime, *, told: bool, may_mail: bool | None = None) -> Reason | None:
    """`may_mail`: whether the patient wants mail, where that was read already."""
    if may_mail is None:
        may_mail = may_contact(reminder.patient, Channel.EMAIL)
    if reminder.kind == Kind.ADVICE:
        return rules.reason_to_skip_advice(reminder.patient, may_mail=may_mail)
    if reminder.offer_id is None:
        return rules.reason_to_skip(reminder, now, may_mail=may_mail, told=told)
    free = bool(starts_still_free([reminder.offer], now))
    return rules.reason_to_skip_offer(reminder, now, may_mail=may_mail, free=free)
