"""Visits ahead whose patient no mail has reached: the last message failed, or could not be sent at all."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from infusions.facility.models import Site
from infusions.reminders.models import UNSETTLED, Reason, Reminder, ReminderState
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State

WITHIN = dt.timedelta(days=14)
# Skipped for these somebody has to call; other reasons mean that the message was not needed.
CALL_INSTEAD = (Reason.NO_CONSENT, Reason.NO_ADDRESS, Reason.NO_DECENT_HOUR)


def unreached_visits(site: Site, now: dt.datetime) -> QuerySet[Appointment]:
    """Not confirmed, within two weeks; `failed_id` is the row number of the message. Settled when a later message went,
    when one is about to be sent again, or when the patient has confirmed."""
    mine = Reminder.objects.filter(appointment=OuterRef("pk"), appointment_version=OuterRef("version")).order_by(
        "-settled_at", "-pk"
    )
    failed = mine.filter(Q(state=ReminderState.FAILED) | Q(state=ReminderState.SKIPPED, reason__in=CALL_INSTEAD))
    sent = mine.filter(state=ReminderState.SENT)
    return (
        Appointment.objects.filter(site=site, state=State.EXPECTED, start__gt=now, start__lt=now + WITHIN)
        .filter(~Exists(mine.filter(state__in=UNSETTLED, resend_no__gt=0).order_by()))
        .annotate(
            failed_id=Subquery(failed.values("pk")[:1]),
            failed_at=Subquery(failed.values("settled_at")[:1]),
            sent_at=Subquery(sent.values("settled_at")[:1]),
        )
        .filter(Q(sent_at=None) | Q(sent_at__lt=F("failed_at")), failed_id__isnull=False)
        .order_by("start", "pk")
    )
