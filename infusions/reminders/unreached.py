"""Visits ahead whose patient no mail has reached, or can reach: somebody has to call.

A patient who cannot be mailed at all (no consent, no address, or one where mail is in vain) is on the list from the day
the visit comes within two weeks, before a first message was skipped. Whoever has confirmed is not; a move asks anew.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from infusion_center.core.rules import Problem, warning
from infusions.facility.models import Site
from infusions.reminders.blocks import block_of_address_in
from infusions.reminders.delivery_models import BlockCause, MailEvent, MailEventKind
from infusions.reminders.models import AFTERWARDS, UNSETTLED, Reason, Reminder, ReminderState
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.models import Channel, ContactPreference

WITHIN = dt.timedelta(days=14)
# Skipped for these somebody has to call; other reasons mean that the message was not needed.
CALL_INSTEAD = (Reason.NO_CONSENT, Reason.NO_ADDRESS, Reason.NO_DECENT_HOUR, Reason.BOUNCED, Reason.COMPLAINED)
CAME_BACK = Exists(MailEvent.objects.filter(reminder=OuterRef("pk"), kind=MailEventKind.BOUNCED))
# Of messages: whoever should have it does not.
NOT_RECEIVED = (
    Q(state=ReminderState.FAILED)
    | Q(state=ReminderState.SKIPPED, reason__in=CALL_INSTEAD)
    | Q(CAME_BACK, state=ReminderState.SENT)
)
RECEIVED = Q(~CAME_BACK, state=ReminderState.SENT)
IN_VAIN = {
    BlockCause.BOUNCED: "Mail to the address on file comes back",
    BlockCause.COMPLAINED: "Reported our mail as unwanted",
}


def unreached_visits(site: Site, now: dt.datetime) -> QuerySet[Appointment]:
    """Not confirmed, within two weeks; `failed_id` is the row number of the message, if one was tried.

    Settled when a later message went and did not come back, when one is about to be sent again, or when the patient
    has confirmed. `blocked` (the cause, with `block_id`) and `consents` tell why a patient cannot be mailed at all.
    """
    mine = Reminder.objects.filter(appointment=OuterRef("pk"), appointment_version=OuterRef("version"))
    mine = mine.exclude(kind__in=AFTERWARDS).order_by("-settled_at", "-pk")
    failed, sent = mine.filter(NOT_RECEIVED), mine.filter(RECEIVED)
    block = block_of_address_in("patient__email")
    decisions = ContactPreference.objects.filter(patient=OuterRef("patient"), channel=Channel.EMAIL)
    visits = Appointment.objects.filter(
        site=site, state=State.EXPECTED, start__gt=now, start__lt=now + WITHIN
    ).annotate(
        failed_id=Subquery(failed.values("pk")[:1]),
        failed_at=Subquery(failed.values("settled_at")[:1]),
        sent_at=Subquery(sent.values("settled_at")[:1]),
        blocked=Subquery(block.values("cause")[:1]),
        block_id=Subquery(block.values("public_id")[:1]),
        consents=Subquery(decisions.order_by("-recorded_at", "-pk").values("consents")[:1]),
    )
    return (
        visits.filter(~Exists(mine.filter(state__in=UNSETTLED, resend_no__gt=0).order_by()))
        .filter(
            Q(blocked__isnull=False)
            | Q(patient__email="")
            | Q(consents=None)
            | Q(consents=False)
            | Q(failed_id__isnull=False, sent_at=None)
            | Q(failed_id__isnull=False, sent_at__lt=F("failed_at"))
        )
        .order_by("start", "pk")
    )


def unreached_problems(visit: Appointment, now: dt.datetime) -> list[Problem]:
    """For the page of a visit: that its patient has to be called."""
    found = unreached_visits(visit.site, now).filter(pk=visit.pk).select_related("patient").first()
    if found is None:
        return []
    reminder = Reminder.objects.get(pk=found.failed_id) if found.failed_id else None
    message = f"No mail reaches the patient. {why_unreached(found, reminder)}."
    return [warning("not-reached", message, remedy=whom_to_call(found))]


def whom_to_call(visit: Appointment) -> str:
    phone = visit.patient.phone
    return f"Call {phone.as_national}." if phone else "No telephone number on file either."


def cannot_be_mailed(visit: Appointment) -> str:
    """Why no message to the patient of an unreached visit can go; empty if only this one did not."""
    if visit.blocked:
        return IN_VAIN[BlockCause(visit.blocked)]
    if not visit.patient.email:
        return "No email address on file"
    if not visit.consents:
        return "Was not asked about mail" if visit.consents is None else "Does not want mail"
    return ""


def why_unreached(visit: Appointment, reminder: Reminder | None) -> str:
    """`reminder`: the message of `failed_id`."""
    return cannot_be_mailed(visit) or why_not_received(reminder)


def why_not_received(reminder: Reminder) -> str:
    came_back = reminder.state == ReminderState.SENT
    return f"{reminder.get_kind_display()}: {'it came back' if came_back else reminder.get_reason_display()}"
