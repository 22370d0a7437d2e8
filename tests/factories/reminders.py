"""Ledger rows for tests: by default a confirmation owed now."""

from infusion_center.core import clock
from infusions.reminders.models import Kind, Reminder, ReminderState
from infusions.scheduling.models import Appointment
from tests.factories.accounts import make_staff
from tests.factories.scheduling import make_appointment

SETTLED = (ReminderState.SENT, ReminderState.SKIPPED, ReminderState.FAILED)


def make_reminder(
    *,
    appointment: Appointment | None = None,
    kind: str = Kind.CONFIRMATION,
    state: str = ReminderState.OWED,
    **fields,
) -> Reminder:
    appointment = appointment or make_appointment()
    now = clock.now()
    values = {"appointment_version": appointment.version, "due_at": now}
    if state in SETTLED:
        values["settled_at"] = now
    if state == ReminderState.CLAIMED:
        values |= {"lease_until": now, "claimed_by": "somebody", "tries": 1}
    if fields.get("resend_no"):
        values["requested_by"] = make_staff()
    return Reminder.objects.create(appointment=appointment, kind=kind, state=state, **{**values, **fields})
