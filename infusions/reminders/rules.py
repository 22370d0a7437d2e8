"""Whether a message may be sent now, decided from the visit as it is at this moment, and whether once more."""

import datetime as dt

from infusion_center.core.rules import Problem, blocker
from infusions.orders.models import OrderStatus
from infusions.reminders.models import AFTERWARDS, DAYS_BEFORE, Kind, Reason, Reminder
from infusions.reminders.planning import QuietHours, day_after, latest_moment, next_allowed
from infusions.scheduling.models import Appointment, OfferState, WaitlistState
from infusions.scheduling.states import UPCOMING, State
from patients.models import Patient

# How long a message about an order on hold waits before the order is looked at again.
HOLD_PAUSE = dt.timedelta(hours=1)
# Sent while the order is on hold too.
NEEDS_NO_ORDER = AFTERWARDS | {Kind.CANCELLED, Kind.DAY_SHEET}
# What these say of an evening or a day is wrong afterwards, whoever asks for it.
NEVER_LATE = frozenset({Kind.HYDRATION, Kind.DAY_SHEET})


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
        (not staff_asked and not _still_wanted(reminder), Reason.SWITCHED_OFF),
        ((not staff_asked or kind in NEVER_LATE) and now >= _latest_moment(reminder), Reason.TOO_LATE),
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


def reason_to_skip_after_care(reminder: Reminder, now: dt.datetime, *, may_mail: bool) -> Reason | None:
    """The mail of the day after goes to whoever was infused, as advice does, while late effects may still come."""
    appointment, staff_asked = reminder.appointment, reminder.resend_no > 0
    over = day_after(over_at(appointment), appointment.patient.time_zone, quiet_hours(appointment.site)).ends_at
    checks = [
        (not staff_asked and not appointment.site.sends_after_care_mail, Reason.SWITCHED_OFF),
        (not staff_asked and now >= over, Reason.TOO_LATE),
    ]
    lasting = reason_to_skip_advice(appointment.patient, may_mail=may_mail)
    return lasting or next((reason for failed, reason in checks if failed), None)


def reason_to_skip_day_sheet(
    reminder: Reminder, now: dt.datetime, *, begins: dt.datetime | None, booked: int
) -> Reason | None:
    """`begins`: the nurse's first shift of that day at the site, if any; `booked`: how many visits she has there."""
    nurse, staff_asked = reminder.nurse, reminder.resend_no > 0
    checks = [
        (not (nurse.is_active and nurse.user.is_active), Reason.INACTIVE),
        (begins is None, Reason.NOT_ON_SHIFT),
        (not nurse.user.email, Reason.NO_ADDRESS),
        (not staff_asked and not reminder.day_site.sends_day_sheet, Reason.SWITCHED_OFF),
        (begins is not None and begins <= now, Reason.TOO_LATE),
        (booked == 0, Reason.NOTHING_ON),
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
    if reminder.kind not in NEEDS_NO_ORDER and reminder.about.order.status == OrderStatus.HELD:
        return now + HOLD_PAUSE
    if reminder.kind == Kind.CONFIRMATION:
        return None
    allowed = next_allowed(now, reminder.reader_zone, quiet_hours(reminder.site))
    return allowed if allowed > now else None


def quiet_hours(site) -> QuietHours:
    return QuietHours(site.quiet_from, site.quiet_until)


def resend_problems(reminder: Reminder, skip: Reason | None, *, pending: bool) -> list[Problem]:
    """`skip`: why it would not be sent now; `pending`: the same message about the same time is already owed."""
    if not reminder.is_settled or pending:
        return [blocker("already-owed", "This message is already waiting to be sent.")]
    # Somebody who asks for it may have a reason to be late, or to send what the site has switched off.
    if skip in (None, Reason.SWITCHED_OFF) or (skip == Reason.TOO_LATE and reminder.kind not in NEVER_LATE):
        return []
    remedies = {
        Reason.NO_ADDRESS: "Enter an email address on the patient's page.",
        Reason.NO_CONSENT: "Ask the patient, and record the consent on the patient's page.",
        Reason.BOUNCED: "Correct the address on the patient's page, or lift the block if it is right.",
        Reason.COMPLAINED: "Call the patient; lift the block only if mail is wanted again.",
        Reason.MOVED: "Send the newer message again instead.",
    }
    return [blocker(f"not-sendable-{skip.value}", f"{skip.label}.", remedy=remedies.get(skip, ""))]


def over_at(appointment: Appointment) -> dt.datetime:
    """When the visit was over: as recorded, else as planned."""
    return appointment.finished_at or appointment.end


def _still_wanted(reminder: Reminder) -> bool:
    kind, site = Kind(reminder.kind), reminder.appointment.site
    if kind == Kind.HYDRATION:
        return site.sends_hydration_mail
    return kind not in DAYS_BEFORE or DAYS_BEFORE[kind] in site.reminder_days


def _latest_moment(reminder: Reminder) -> dt.datetime:
    site = reminder.appointment.site
    return latest_moment(reminder.kind, reminder.appointment.start, reminder.reader_zone, quiet_hours(site))
