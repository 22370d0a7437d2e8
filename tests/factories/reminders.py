"""Ledger rows for tests: by default a confirmation owed now."""

from infusion_center.core import clock
from infusions.reminders.models import Kind, Reminder, ReminderState
from infusions.scheduling.models import Appointment
from tests.factories.accounts import make_staff
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer

SETTLED = (ReminderState.SENT, ReminderState.SKIPPED, ReminderState.FAILED)


def make_reminder(
    *,
    appointment: Appointment | None = None,
    kind: str = Kind.CONFIRMATION,
    state: str = ReminderState.OWED,
    **fields,
) -> Reminder:
    """`appointment`: for an offer, the visit whose order, place and hours it has; for a day sheet, one of that day."""
    appointment = appointment or make_appointment()
    now = clock.now()
    values = {"appointment": appointment, "appointment_version": appointment.version, "due_at": now}
    if kind == Kind.OFFER:
        entry = make_entry(order=appointment.order, site=appointment.site, setting=appointment.setting)
        offer = make_offer(entry=entry, start=appointment.start, end=appointment.end)
        values |= {"appointment": None, "appointment_version": 0, "offer": offer}
    if kind == Kind.DAY_SHEET:
        day = clock.local_date(appointment.start, appointment.site.time_zone)
        sheet = {"nurse": appointment.nurse, "day": day, "day_site": appointment.site}
        values |= {"appointment": None, "appointment_version": 0, **sheet}
    if state in SETTLED:
        values["settled_at"] = now
    if state == ReminderState.CLAIMED:
        values |= {"lease_until": now, "claimed_by": "somebody", "tries": 1}
    if fields.get("resend_no"):
        values["requested_by"] = make_staff()
    return Reminder.objects.create(kind=kind, state=state, **{**values, **fields})
