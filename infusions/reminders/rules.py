"""Whether a message may be sent now, decided from the visit as it is at this moment, and whether once more."""

import datetime as dt

from infusion_center.core.rules import Problem, blocker
from infusions.orders.models import OrderStatus
from infusions.reminders.models import DAYS_BEFORE, Kind, Reason, Reminder
from infusions.reminders.planning import QuietHours, latest_moment, next_allowed
from infusions.scheduling.models import OfferState, WaitlistState
from infusions.scheduling.states import UPCOMING, State
from patients.models import Patient

# How long a message about an order on hold waits before the order is looked at again.
HOLD_PAUSE = dt.timedelta(hours=1)


def reason_to_skip(reminder: Reminder, now: dt.datetime, *, may_mail: bool, told: bool) -> Reason | None:
    """Why the message must not go any more; None if it may. `told`: the patient heard of the visit before.

    Cancelled, moved and past visits: design, "Reminders". What is written here is asked at the moment of sending.
    """
    appointment, kind = reminder.appointment, Kind(reminder.kind)
    patient = appointment.patient
    cancelled = appointment.state == State.CANCELLED
    staff_asked = reminder.resend_no > 0
    checks = [
        (cancelled and kind != Kind.CANCELLED, Reason.CANCELLED),
        (reminder.appointment_version != appointment.version, Reason.MOVED),
        (appointment.start <= now, Reason.BEGUN),
        (appointment.state not in UPCOMING and not cancelled, Reason.BEGUN),
        (not patient.is_active, Reason.INACTIVE),
        (not may_mail, Reason.NO_CONSENT),
        (not patient.email, Reason.NO_ADDRESS),
        (kind == Kind.CANCELLED and not told, Reason.NEVER_TOLD),
        (kind != Kind.CANCELLED and appointment.order.status == OrderStatus.STOPPED, Reason.ORDER_STOPPED),
        (kind in DAYS_BEFORE and not staff_asked and not _still_wanted(reminder), Reason.SWITCHED_OFF),
        (not staff_asked and now >= latest_moment(kind, appointment.start), Reason.TOO_LATE),
    ]
    return next((reason for failed, reason in checks if failed), None)


def reason_to_skip_advice(patient: Patient, *, may_mail: bool) -> Reason | None:
    """Advice after a visit: whatever became of visit, order and times, it is of use to whoever was here."""
    checks = [
        (not patient.is_active, Reason.INACTIVE),
        (not may_mail, Reason.NO_CONSENT),
        (not patient.email, Reason.NO_ADDRESS),
    ]
    return next((reason for failed, reason in checks if failed), None)


def reason_to_skip_offer(reminder: Reminder, now: dt.datetime, *, may_mail: bool, free: bool) -> Reason | None:
    """The same for the mail of a waitlist offer. `free`: somebody could still be booked at its start."""
    offer, patient = reminder.offer, reminder.patient
    checks = [
        (offer.state != OfferState.OPEN or offer.entry.state != WaitlistState.WAITING, Reason.OFFER_OVER),
        (offer.expires_at <= now, Reason.OFFER_EXPIRED),
        (not patient.is_active, Reason.INACTIVE),
        (not may_mail, Reason.NO_CONSENT),
        (not patient.email, Reason.NO_ADDRESS),
        (offer.order.status == OrderStatus.STOPPED, Reason.ORDER_STOPPED),
        (not free, Reason.OFFER_TAKEN),
        ((postponed_until(reminder, now) or now) >= offer.expires_at, Reason.OFFER_NIGHT),
    ]
    return next((reason for failed, reason in checks if failed), None)


def postponed_until(reminder: Reminder, now: dt.datetime) -> dt.datetime | None:
    """When to look again at a message that may go, but not yet: at night, or while the order is on hold."""
    about = reminder.about
    if reminder.kind not in (Kind.CANCELLED, Kind.ADVICE) and about.order.status == OrderStatus.HELD:
        return now + HOLD_PAUSE
    if reminder.kind == Kind.CONFIRMATION:
        return None
    allowed = next_allowed(now, about.patient.time_zone, quiet_hours(about.site))
    return allowed if allowed > now else None


def quiet_hours(site) -> QuietHours:
    return QuietHours(site.quiet_from, site.quiet_until)


def resend_problems(reminder: Reminder, skip: Reason | None, *, pending: bool) -> list[Problem]:
    """`skip`: why it would not be sent now; `pending`: the same message about the same time is already owed."""
    if not reminder.is_settled or pending:
        return [blocker("already-owed", "This message is already waiting to be sent.")]
    # Somebody who asks for it may have a reason to be late, or to send what the site has switched off.
    if skip in (None, Reason.TOO_LATE, Reason.SWITCHED_OFF):
        return []
    remedies = {
        Reason.NO_ADDRESS: "Enter an email address on the patient's page.",
        Reason.NO_CONSENT: "Ask the patient, and record the consent on the patient's page.",
        Reason.BOUNCED: "Correct the address on the patient's page, or lift the block if it is right.",
        Reason.COMPLAINED: "Call the patient; lift the block only if mail is wanted again.",
        Reason.MOVED: "Send the newer message again instead.",
    }
    return [blocker(f"not-sendable-{skip.value}", f"{skip.label}.", remedy=remedies.get(skip, ""))]


def _still_wanted(reminder: Reminder) -> bool:
    return DAYS_BEFORE[Kind(reminder.kind)] in reminder.appointment.site.reminder_days
