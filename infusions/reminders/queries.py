"""Reads of the ledger: what has no messages yet, what is due, what waits too long."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull

from infusion_center.core import clock, mail_folder
from infusions.facility.models import Site
from infusions.reminders.delivery_models import MailEvent, MailEventKind
from infusions.reminders.models import AFTERWARDS, UNSETTLED, Kind, Reminder, ReminderState
from infusions.reminders.scan_span import Span
from infusions.scheduling.models import Appointment, OfferState, WaitlistOffer
from infusions.scheduling.states import UPCOMING, State
from patients.models import Patient

PAGE_SPAN = dt.timedelta(days=7)
# An earlier try that did not end well may have reached the patient all the same: the mail server took the message, and
# its answer or our record of it was lost. He is rather told once too often that a visit is cancelled than never.
TRIED = Q(state__in=(ReminderState.OWED, ReminderState.SKIPPED), tries__gt=0) | Q(
    state=ReminderState.FAILED, tries__gt=1
)
WAS_TOLD = Q(state=ReminderState.SENT) | TRIED
TOLD = WAS_TOLD | Q(state=ReminderState.CLAIMED)


def unplanned_visits(span: Span, now: dt.datetime) -> Iterator[QuerySet[Appointment]]:
    """Visits ahead whose present version has no messages in the ledger, and cancelled ones whose patient was told.

    One question for each index: joined by OR the database would read through whole tables.
    """
    ahead = Appointment.objects.filter(start__gt=now).order_by("start", "pk")
    rows = Reminder.objects.filter(appointment=OuterRef("pk"))
    this_version = rows.filter(appointment_version=OuterRef("version"))
    parts = [ahead.filter(updated_at__gte=span.changed_since)]
    if span.near_until is not None:
        parts.append(ahead.filter(start__lte=span.near_until))
    for part in parts:
        yield part.filter(~Exists(this_version), state__in=UPCOMING)
        told, informed = rows.filter(TOLD), rows.filter(kind=Kind.CANCELLED)
        yield part.filter(Exists(told), ~Exists(informed), state=State.CANCELLED)


def are_offers_waiting(now: dt.datetime) -> bool:
    """Whether an offer is to be announced or to be ended: mostly none is, and planning asks no more than this."""
    rows = Reminder.objects.filter(offer=OuterRef("pk"))
    return WaitlistOffer.objects.filter(~Exists(rows) | Q(expires_at__lte=now), state=OfferState.OPEN).exists()


def unplanned_offers(now: dt.datetime) -> QuerySet[WaitlistOffer]:
    """Open offers of the waitlist that no message was planned for."""
    rows = Reminder.objects.filter(offer=OuterRef("pk"))
    offers = WaitlistOffer.objects.filter(~Exists(rows), state=OfferState.OPEN, expires_at__gt=now)
    return offers.select_related("entry__patient", "entry__site").order_by("pk")


def overtaken_reminders(changed_since: dt.datetime) -> QuerySet[Reminder]:
    """Owed messages about a time that no longer holds; what is sent after a visit is about none."""
    return (
        Reminder.objects.with_visit()
        .exclude(kind__in=AFTERWARDS)
        .filter(
            Q(appointment_version__lt=F("appointment__version"))
            | Q(appointment__state=State.CANCELLED) & ~Q(kind=Kind.CANCELLED),
            state=ReminderState.OWED,
            appointment__updated_at__gte=changed_since,
        )
    )


def told_appointments(appointments: list[Appointment]) -> set[int]:
    """Row numbers of those whose patient was told of an earlier version, or is being told right now."""
    rows = Reminder.objects.filter(TOLD, appointment__in=appointments)
    rows = rows.filter(Q(appointment_version__lt=F("appointment__version")) | Q(appointment__state=State.CANCELLED))
    return set(rows.values_list("appointment_id", flat=True))


def was_told(appointment: Appointment) -> bool:
    """Whether he has any message about it, as far as we know."""
    return appointment.reminders.filter(WAS_TOLD).exclude(kind=Kind.CANCELLED).exists()


def is_being_told(appointment: Appointment) -> bool:
    """Whether some other message about the visit is on its way at this moment."""
    claimed = appointment.reminders.filter(state=ReminderState.CLAIMED).exclude(kind=Kind.CANCELLED)
    return claimed.exists()


def is_anything_due(now: dt.datetime) -> bool:
    """Whether a sender would find work. A state each, for the index."""
    return any(
        Reminder.objects.filter(**free).exists()
        for free in (
            {"state": ReminderState.OWED, "due_at__lte": now},
            {"state": ReminderState.CLAIMED, "lease_until__lte": now},
        )
    )


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


def came_back() -> IsNull:
    """For messages: whether it came back, or its reader complained.

    Asked message by message: as an EXISTS, PostgreSQL may read all events there ever were instead.
    """
    kinds = [MailEventKind.BOUNCED, MailEventKind.COMPLAINED]
    events = MailEvent.objects.filter(reminder=OuterRef("pk"), kind__in=kinds).order_by()
    return IsNull(Subquery(events.values("pk")[:1]), False)


def period_of(chosen: dict) -> str:
    """Which tab is on: none when a day or a patient says which rows are shown."""
    return "" if chosen["day"] or chosen["patient"] else chosen["when"] or "recent"


def in_state(rows: QuerySet[Reminder], state: str) -> QuerySet[Reminder]:
    if state == "waiting":
        return rows.filter(state__in=UNSETTLED)
    if state == "came_back":
        return rows.filter(came_back(), state=ReminderState.SENT)
    return rows.filter(state=state) if state else rows


def counts(rows: QuerySet[Reminder]) -> list[int]:
    """All, waiting, sent, skipped, failed; and how many of those sent came back."""
    by_state = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    waiting = sum(by_state.get(state, 0) for state in UNSETTLED)
    settled = [by_state.get(state, 0) for state in (ReminderState.SENT, ReminderState.SKIPPED, ReminderState.FAILED)]
    return [sum(by_state.values()), waiting, *settled, in_state(rows, "came_back").count()]


def filtered_patient(user, public_id: str) -> Patient | None:
    return Patient.objects.visible_to(user).filter(public_id=public_id).first() if public_id else None


def stored_mail_of(reminder: Reminder) -> mail_folder.StoredMail | None:
    """The file of a sent message, where mail lands in a folder."""
    if reminder.state != ReminderState.SENT:
        return None
    return next((mail for mail in mail_folder.newest_mails() if mail.key == reminder.public_id), None)
