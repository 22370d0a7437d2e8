"""The mail of the day after: owed to whoever was infused lately, also where a nurse mailed advice that day."""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from infusion_center.core.batches import in_parts
from infusions.reminders import rules
from infusions.reminders.models import Kind, Reminder
from infusions.reminders.owing import ledger_row
from infusions.reminders.planning import planned_after_care
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import DONE

logger = logging.getLogger(__name__)

# Beyond the three days in which it may be sent: after an outage the ledger tells for whom it came too late.
LOOK_BACK = dt.timedelta(days=5)
BATCH = 500


def unplanned_after_care(now: dt.datetime, changed_since: dt.datetime | None = None) -> QuerySet[Appointment]:
    """Visits of the last days whose infusion was started and is over, without this message in the ledger.

    Costs the visits of these days, or those of them that changed since a moment, not the history.
    """
    rows = Reminder.objects.filter(appointment=OuterRef("pk"), kind=Kind.AFTER_CARE)
    visits = Appointment.objects.filter(
        ~Exists(rows),
        start__gte=now - LOOK_BACK,
        start__lt=now,
        state__in=DONE,
        started_at__isnull=False,
        site__sends_after_care_mail=True,
    )
    if changed_since is not None:
        visits = visits.filter(updated_at__gte=changed_since)
    return visits.select_related("patient", "site").order_by("start", "pk")


def plan_after_care(now: dt.datetime, *, changed_since: dt.datetime | None = None) -> int:
    """How many messages were added to the ledger."""
    ids = list(unplanned_after_care(now, changed_since).values_list("pk", flat=True))
    return sum(_plan_batch(part, now) for part in in_parts(ids, BATCH))


@transaction.atomic
def _plan_batch(ids: list[int], now: dt.datetime) -> int:
    rows = [row for appointment in unplanned_after_care(now).filter(pk__in=ids) for row in _rows(appointment, now)]
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _rows(appointment: Appointment, now: dt.datetime) -> list[Reminder]:
    zone, quiet = appointment.patient.time_zone, rules.quiet_hours(appointment.site)
    try:
        planned = planned_after_care(finished=rules.over_at(appointment), zone=zone, quiet=quiet, now=now)
    except Exception:  # one row with a fault must not keep everybody else's mails from being planned
        logger.exception("no mail of the day after could be planned for visit %s", appointment.public_id)
        return []
    return [ledger_row(planned, now, appointment=appointment, appointment_version=appointment.version)]
