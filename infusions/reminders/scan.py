"""Planning: writes what visits and offers are owed, and settles what was overtaken. Safe to run twice or at once."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter

from django.db import transaction
from django.db.models import QuerySet

from infusion_center.core import clock
from infusion_center.core.batches import in_parts
from infusions.reminders import day_sheets, queries, rules
from infusions.reminders.claims import audit_row
from infusions.reminders.day_after import plan_after_care
from infusions.reminders.models import Reason, Reminder, ReminderState
from infusions.reminders.owing import ledger_row
from infusions.reminders.planning import Visit, planned_messages, planned_offer
from infusions.reminders.scan_span import Span, note_scan, span_of_scan
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from infusions.scheduling.waitlist_offers import expire_offers

logger = logging.getLogger(__name__)

BATCH = 500
# A scan ends well before its task's time limit; what it did not reach is found by the next one.
SCAN_SECONDS = 20


def plan_reminders(*, now: dt.datetime | None = None, seconds: float = SCAN_SECONDS) -> Counter:
    """Write what visits and offers are owed, and settle what was overtaken.

    Counts of `planned` and `skipped`, and of visits `left` for the next scan when the time was over.
    """
    now = now or clock.now()
    ends = time.monotonic() + seconds
    span = span_of_scan(now)
    done = Counter(skipped=_skip_overtaken(span, now))
    done.update(_plan_visits(span, now, ends))
    done.update(_plan_offers(now))
    after_care = plan_after_care(now, changed_since=None if span.near_until else span.changed_since)
    if planned := after_care + day_sheets.plan_day_sheets(now):
        done["planned"] += planned
    note_scan(span, now, is_whole=not done["left"])
    return done


def _plan_visits(span: Span, now: dt.datetime, ends: float) -> Counter:
    done: Counter = Counter()
    for visits in queries.unplanned_visits(span, now):
        ids = list(visits.values_list("pk", flat=True))
        for first in range(0, len(ids), BATCH):
            if time.monotonic() > ends:
                done["left"] += len(ids) - first
                break
            done["planned"] += _plan_batch(visits.filter(pk__in=ids[first : first + BATCH]), now)
    return done


@transaction.atomic
def _plan_batch(visits: QuerySet[Appointment], now: dt.datetime) -> int:
    appointments = list(visits.select_related("patient", "site"))
    told = queries.told_appointments(appointments)
    rows = [row for appointment in appointments for row in _owed_rows(appointment, told, now)]
    # Two planners at once write the same rows; the unique key keeps one of each.
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _plan_offers(now: dt.datetime) -> Counter:
    """And end the offers that nobody answered in time."""
    if not queries.are_offers_waiting(now):
        return Counter()
    expire_offers(now=now)
    return Counter(planned=_plan_open_offers(now))


@transaction.atomic
def _plan_open_offers(now: dt.datetime) -> int:
    rows = []
    for offer in queries.unplanned_offers(now):
        site, zone = offer.site, offer.patient.time_zone
        planned = planned_offer(expires_at=offer.expires_at, zone=zone, quiet=rules.quiet_hours(site), now=now)
        rows.append(ledger_row(planned, now, offer=offer))
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _owed_rows(appointment: Appointment, told: set[int], now: dt.datetime) -> list[Reminder]:
    try:
        planned = planned_messages(_as_visit(appointment, told), now)
    except Exception:  # one row with a fault must not keep everybody else's reminders from being planned
        logger.exception("no reminders could be planned for visit %s", appointment.public_id)
        return []
    version = appointment.version
    return [ledger_row(one, now, appointment=appointment, appointment_version=version) for one in planned]


def _as_visit(appointment: Appointment, told: set[int]) -> Visit:
    site = appointment.site
    return Visit(
        start=appointment.start,
        since=appointment.created_at if appointment.version == 1 else appointment.updated_at,
        zone=appointment.patient.time_zone,
        quiet=rules.quiet_hours(site),
        reminder_days=tuple(site.reminder_days),
        sends_hydration=site.sends_hydration_mail,
        cancelled=appointment.state == State.CANCELLED,
        told=appointment.pk in told,
    )


def _skip_overtaken(span: Span, now: dt.datetime) -> int:
    overtaken = list(queries.overtaken_reminders(span.changed_since))
    return sum(_skip_batch(batch, now) for batch in in_parts(overtaken, BATCH))


@transaction.atomic
def _skip_batch(reminders: list[Reminder], now: dt.datetime) -> int:
    return sum(_skip_one(reminder, now) for reminder in reminders)


def _skip_one(reminder: Reminder, now: dt.datetime) -> int:
    reason = Reason.CANCELLED if reminder.appointment.state == State.CANCELLED else Reason.MOVED
    owed = Reminder.objects.filter(pk=reminder.pk, state=ReminderState.OWED)
    skipped = owed.update(state=ReminderState.SKIPPED, reason=reason, settled_at=now, updated_at=now)
    if skipped:
        audit_row("reminder.skipped", reminder, reason=reason.value)
    return skipped
