"""Whether a claimed message goes now, later or not at all: gathers what the rules ask for."""

from __future__ import annotations

import datetime as dt

from infusions.reminders import queries, rules
from infusions.reminders.models import Kind, Reason, Reminder
from infusions.scheduling.waitlist_matching import starts_still_free
from patients.models import Channel
from patients.queries import may_contact


def decide(reminder: Reminder, now: dt.datetime) -> tuple[Reason | None, dt.datetime | None]:
    """Why not to send it, or until when to wait; neither when it may go now."""
    told = reminder.kind != Kind.CANCELLED or queries.was_told(reminder.appointment)
    reason = reason_to_skip(reminder, now, told=told)
    return reason, None if reason else rules.postponed_until(reminder, now)


def reason_to_skip(reminder: Reminder, now: dt.datetime, *, told: bool) -> Reason | None:
    may_mail = may_contact(reminder.patient, Channel.EMAIL)
    if reminder.kind == Kind.ADVICE:
        return rules.reason_to_skip_advice(reminder.patient, may_mail=may_mail)
    if reminder.offer_id is None:
        return rules.reason_to_skip(reminder, now, may_mail=may_mail, told=told)
    free = bool(starts_still_free([reminder.offer], now))
    return rules.reason_to_skip_offer(reminder, now, may_mail=may_mail, free=free)
