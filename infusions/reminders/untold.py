"""Cancelled visits whose patient may still come: the mail about it did not reach him, and nobody has called yet.

Only what the center cancelled, and only where some mail had told him of the visit. A cancelled visit stays cancelled:
one message about it that arrived, or one call, settles it for good.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, blocker, warning
from infusions.facility.models import Site
from infusions.reminders.delivery_models import CancellationCall
from infusions.reminders.models import AFTERWARDS, UNSETTLED, Kind, Reminder
from infusions.reminders.queries import TOLD
from infusions.reminders.unreached import NOT_RECEIVED, RECEIVED, WITHIN, whom_to_call, why_not_received
from infusions.scheduling.models import Appointment
from infusions.scheduling.patient_answers import BY_PATIENT
from infusions.scheduling.placing import locked_appointment, refuse_stale
from infusions.scheduling.states import State

MAY_NOT_KNOW = "Cancelled, and the patient may not know"


def untold_cancellations(site: Site, now: dt.datetime) -> QuerySet[Appointment]:
    """Within two weeks; `failed_id` is the row number of the message that did not reach the patient."""
    messages = Reminder.objects.filter(appointment=OuterRef("pk")).order_by("-settled_at", "-pk")
    told = messages.filter(TOLD).exclude(kind__in={Kind.CANCELLED, *AFTERWARDS})
    about_it = messages.filter(kind=Kind.CANCELLED)
    return (
        # Whoever was sent home again had come, and heard it there.
        Appointment.objects.filter(site=site, state=State.CANCELLED, start__gt=now, start__lt=now + WITHIN)
        .filter(arrived_at=None)
        .exclude(cancel_reason__startswith=BY_PATIENT)
        .annotate(failed_id=Subquery(about_it.filter(NOT_RECEIVED).values("pk")[:1]))
        .alias(
            told_id=Subquery(told.values("pk")[:1]),
            received_id=Subquery(about_it.filter(RECEIVED).values("pk")[:1]),
            owed_id=Subquery(about_it.filter(state__in=UNSETTLED).values("pk")[:1]),
        )
        .filter(told_id__isnull=False, failed_id__isnull=False, received_id=None, owed_id=None, cancellation_call=None)
        .order_by("start", "pk")
    )


def untold_problems(visit: Appointment, now: dt.datetime) -> list[Problem]:
    """For the page of a cancelled visit: that its patient has to be called."""
    found = untold_cancellations(visit.site, now).filter(pk=visit.pk).select_related("patient").first()
    if found is None:
        return []
    why = why_not_received(Reminder.objects.get(pk=found.failed_id))
    return [warning("not-told", f"{MAY_NOT_KNOW}. {why}.", remedy=whom_to_call(found))]


@transaction.atomic
def note_told_by_phone(
    *, appointment: Appointment, by, now: dt.datetime | None = None, version: int | None = None
) -> CancellationCall:
    """Somebody has told the patient that the visit is cancelled. Saying it twice changes nothing."""
    locked = locked_appointment(appointment)
    refuse_stale(locked, version)
    if locked.state != State.CANCELLED:
        raise RuleViolation([blocker("not-cancelled", "The visit is not cancelled.", remedy="Look at it again.")])
    call, is_new = CancellationCall.objects.get_or_create(
        appointment=locked, defaults={"called_at": now or clock.now(), "called_by": by}
    )
    if is_new:
        audit.record(
            "appointment.told_cancelled",
            locked,
            by=by,
            patient=locked.patient,
            site=locked.site,
            version=locked.version,
        )
    return call
