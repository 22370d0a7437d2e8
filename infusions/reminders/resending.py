"""Sending again what staff ask for."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import Max

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking
from infusions.reminders import rules
from infusions.reminders.claims import audit_row
from infusions.reminders.deciding import reason_to_skip
from infusions.reminders.models import UNSETTLED, Reminder


@transaction.atomic
def resend_reminder(*, reminder: Reminder, reason: str, by, now: dt.datetime | None = None) -> Reminder:
    """Owe the same message once more, as a row of its own; what is settled stays as it was."""
    now = now or clock.now()
    if not reason.strip():
        raise RuleViolation([blocker("reason-missing", "Say why it is sent again.", field="reason")])
    same = Reminder.objects.filter(
        appointment=reminder.appointment_id,
        offer=reminder.offer_id,
        **_sheet_of(reminder),
        appointment_version=reminder.appointment_version,
        kind=reminder.kind,
        channel=reminder.channel,
    )
    pending = same.filter(state__in=UNSETTLED).exists()
    refuse_if_blocking(rules.resend_problems(reminder, reason_to_skip(reminder, now, told=True), pending=pending))
    try:
        with transaction.atomic():
            again = Reminder.objects.create(
                appointment=reminder.appointment,
                offer=reminder.offer,
                **_sheet_of(reminder),
                appointment_version=reminder.appointment_version,
                kind=reminder.kind,
                channel=reminder.channel,
                resend_no=same.aggregate(last=Max("resend_no"))["last"] + 1,
                due_at=now,
                requested_by=by,
                request_reason=reason.strip()[:200],
            )
    except IntegrityError as error:
        raise RuleViolation([blocker("already-owed", "Somebody else has just asked for the same.")]) from error
    audit_row("reminder.resend_requested", again, by=by)
    return again


def _sheet_of(reminder: Reminder) -> dict:
    return {"nurse": reminder.nurse, "day": reminder.day, "day_site": reminder.day_site}
