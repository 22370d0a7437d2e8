"""Reads of the ledger: what has no messages yet, what is due, what waits too long."""

import datetime as dt

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from infusion_center.core import clock, mail_folder
from infusions.facility.models import Site
from infusions.reminders.models import AFTERWARDS, UNSETTLED, Kind, Reminder, ReminderState
from infusions.scheduling.models import Appointment, OfferState, WaitlistOffer
from infusions.scheduling.states import UPCOMING, State
from patients.models import Patient

# What changed lately is looked at, and what comes soon, in case an outage outlasted "lately".
CHANGED_WITHIN = dt.timedelta(days=2)
HORIZON = dt.timedelta(days=8)
# Older than this and unsent: the pages say that nothing is being sent.
STALE_AFTER = dt.timedelta(minutes=10)
PAGE_SPAN = dt.timedelta(days=7)
TOLD = (ReminderState.SENT, ReminderState.CLAIMED)


def unplanned_appointments(now: dt.datetime) -> QuerySet[Appointment]:
    """Visits ahead, changed lately or near, whose present version has no messages in the ledger.

    A cancelled one counts only if its patient was told of it. Costs what changed and what is near, not the history.
    """
    rows = Reminder.objects.filter(appointment=OuterRef("pk"))
    this_version = rows.filter(appointment_version=OuterRef("version"))
    told = rows.filter(state__in=TOLD)
    return (
        Appointment.objects.filter(
            Q(updated_at__gte=now - CHANGED_WITHIN) | Q(start__lte=now + HORIZON),
            start__gt=now,
        )
        .filter(
            Q(state__in=UPCOMING) & ~Exists(this_version)
            | Q(Exists(told), state=State.CANCELLED) & ~Exists(rows.filter(kind=Kind.CANCELLED))
        )
        .select_related("patient", "site")
        .order_by("start", "pk")
    )


def are_offers_waiting(now: dt.datetime) -> bool:
    """Whether an offer is to be announced or to be ended: mostly none is, and planning asks no more than this."""
    rows = Reminder.objects.filter(offer=OuterRef("pk"))
    return WaitlistOffer.objects.filter(~Exists(rows) | Q(expires_at__lte=now), state=OfferState.OPEN).exists()


def unplanned_offers(now: dt.datetime) -> QuerySet[WaitlistOffer]:
    """Open offers of the waitlist that no message was planned for."""
    rows = Reminder.objects.filter(offer=OuterRef("pk"))
    offers = WaitlistOffer.objects.filter(~Exists(rows), state=OfferState.OPEN, expires_at__gt=now)
    return offers.select_related("entry__patient", "entry__site").order_by("pk")


def overtaken_reminders(now: dt.datetime) -> QuerySet[Reminder]:
    """Owed messages about a time that no longer holds; what is sent after a visit is about none."""
    return (
        Reminder.objects.with_visit()
        .exclude(kind__in=AFTERWARDS)
        .filter(
            Q(appointment_version__lt=F("appointment__version"))
            | Q(appointment__state=State.CANCELLED) & ~Q(kind=Kind.CANCELLED),
            state=ReminderState.OWED,
            appointment__updated_at__gte=now - CHANGED_WITHIN,
        )
    )


def told_appointments(appointments: list[Appointment]) -> set[int]:
    """Row numbers of those whose patient was told of an earlier version, or is being told right now."""
    rows = Reminder.objects.filter(appointment__in=appointments, state__in=TOLD)
    rows = rows.filter(Q(appointment_version__lt=F("appointment__version")) | Q(appointment__state=State.CANCELLED))
    return set(rows.values_list("appointment_id", flat=True))


def was_told(appointment: Appointment) -> bool:
    return appointment.reminders.filter(state=ReminderState.SENT).exclude(kind=Kind.CANCELLED).exists()


def oldest_due_unsent(now: dt.datetime) -> dt.datetime | None:
    """When the message was due that waits longest; a worker that works keeps this younger than some minutes."""
    waiting = Reminder.objects.filter(state__in=UNSETTLED, due_at__lte=now).order_by("due_at")
    return waiting.values_list("due_at", flat=True).first()


def is_sending_stalled(now: dt.datetime) -> bool:
    oldest = oldest_due_unsent(now)
    return oldest is not None and oldest < now - STALE_AFTER


def ledger_of(site: Site | None, now: dt.datetime, chosen: dict, patients=None) -> QuerySet[Reminder]:
    """Rows of a site for the filters of its page, except that of the state; bounded by days, or by one patient.

    `chosen`: when, day, kind, patient (public id). `patients`: those that a search found, or None.
    """
    # Nobody's site is no site: rows without a visit have none either, and would be found by it.
    rows = Reminder.objects.of_sites([site]).with_visit() if site else Reminder.objects.none()
    if chosen["kind"]:
        rows = rows.filter(kind=chosen["kind"])
    if patients is not None:
        found = [patient.pk for patient in patients]
        rows = rows.filter(Q(appointment__patient__in=found) | Q(offer__entry__patient__in=found))
    if public_id := chosen["patient"]:
        of_patient = Q(appointment__patient__public_id=public_id) | Q(offer__entry__patient__public_id=public_id)
        return rows.filter(of_patient).order_by("-due_at", "-pk")
    if chosen["day"] and site:
        first, following = clock.day_bounds(chosen["day"], site.time_zone)
        return rows.filter(due_at__gte=first, due_at__lt=following).order_by("due_at", "pk")
    if chosen["when"] == "coming":
        return rows.filter(due_at__gt=now, due_at__lte=now + PAGE_SPAN).order_by("due_at", "pk")
    return rows.filter(due_at__gte=now - PAGE_SPAN, due_at__lte=now).order_by("-due_at", "-pk")


def period_of(chosen: dict) -> str:
    """Which tab is on: none when a day or a patient says which rows are shown."""
    return "" if chosen["day"] or chosen["patient"] else chosen["when"] or "recent"


def in_state(rows: QuerySet[Reminder], state: str) -> QuerySet[Reminder]:
    if state == "waiting":
        return rows.filter(state__in=UNSETTLED)
    return rows.filter(state=state) if state else rows


def counts(rows: QuerySet[Reminder]) -> list[int]:
    """All, waiting, sent, skipped, failed."""
    by_state = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    waiting = sum(by_state.get(state, 0) for state in UNSETTLED)
    settled = [by_state.get(state, 0) for state in (ReminderState.SENT, ReminderState.SKIPPED, ReminderState.FAILED)]
    return [sum(by_state.values()), waiting, *settled]


def filtered_patient(user, public_id: str) -> Patient | None:
    return Patient.objects.visible_to(user).filter(public_id=public_id).first() if public_id else None


def stored_mail_of(reminder: Reminder) -> mail_folder.StoredMail | None:
    """The file of a sent message, where mail lands in a folder."""
    if reminder.state != ReminderState.SENT:
        return None
    return next((mail for mail in mail_folder.newest_mails() if mail.key == reminder.public_id), None)
