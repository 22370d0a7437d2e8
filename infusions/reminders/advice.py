"""Advice after a visit: a row of the ledger that a nurse asks for, sent like the others, though the visit has begun."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker, refuse_if_blocking
from infusions.reminders.models import Kind, Reminder
from infusions.reminders.planning import next_allowed
from infusions.reminders.rules import quiet_hours, reason_to_skip_advice
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.models import Channel
from patients.queries import may_contact

SEEN = (State.IN_PROGRESS, State.COMPLETED, State.STOPPED_EARLY)


@transaction.atomic
def owe_advice(*, appointment: Appointment, by, now: dt.datetime | None = None) -> Reminder:
    """Owe the patient the advice by mail, once a visit; not at night by her clock. Asked again, it is the same row."""
    now = now or clock.now()
    owed = Reminder.objects.filter(appointment=appointment, kind=Kind.ADVICE, resend_no=0).first()
    if owed is not None:
        return owed
    refuse_if_blocking(advice_problems(appointment))
    due_at = next_allowed(now, appointment.patient.time_zone, quiet_hours(appointment.site))
    try:
        with transaction.atomic():
            row = Reminder.objects.create(
                appointment=appointment, appointment_version=appointment.version, kind=Kind.ADVICE, due_at=due_at
            )
    except IntegrityError:  # somebody else pressed at the same moment
        return Reminder.objects.get(appointment=appointment, kind=Kind.ADVICE, resend_no=0)
    patient, site = appointment.patient, appointment.site
    audit.record("reminder.advice_owed", row, by=by, patient=patient, site=site, visit=appointment.public_id)
    return row


def advice_problems(appointment: Appointment) -> list[Problem]:
    """Only who was here, and wants mail."""
    if appointment.state not in SEEN:
        return [blocker("advice-before-visit", "Advice is mailed once the visit has begun.")]
    reason = reason_to_skip_advice(appointment.patient, may_mail=may_contact(appointment.patient, Channel.EMAIL))
    if reason is None:
        return []
    return [blocker(f"not-sendable-{reason.value}", f"{reason.label}.", remedy="Hand the advice over on paper.")]
