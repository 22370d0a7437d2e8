"""Planning: writes what visits and offers are owed, and settles what was overtaken. Safe to run twice or at once."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter

from django.db import transaction

from infusion_center.core import clock
from infusions.reminders import heartbeat, queries, rules
from infusions.reminders.claims import audit_row
from infusions.reminders.models import Reason, Reminder, ReminderState
from infusions.reminders.planning import Planned, Visit, planned_messages, planned_offer
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from infusions.scheduling.waitlist_offers import expire_offers

logger = logging.getLogger(__name__)

BATCH = 500


def plan_reminders(*, now: dt.datetime | None = None) -> Counter:
    """Write what changed and near visits are owed, and settle what was overtaken; counts of `planned`, `skipped`."""
    now = now or clock.now()
    done = Counter(skipped=sum(_skip_overtaken(reminder, now) for reminder in queries.overtaken_reminders(now)))
    ids = list(queries.unplanned_appointments(now).values_list("pk", flat=True))
    for first in range(0, len(ids), BATCH):
        done["planned"] += _plan_batch(ids[first : first + BATCH], now)
    if queries.are_offers_waiting(now):
        expire_offers(now=now)
        done["planned"] += _plan_offers(now)
    heartbeat.note_beat(heartbeat.PLANNER, now=now, seen_until=now)
    return done


@transaction.atomic
def _plan_batch(ids: list[int], now: dt.datetime) -> int:
    appointments = list(queries.unplanned_appointments(now).filter(pk__in=ids))
    told = queries.told_appointments(appointments)
    rows = [row for appointment in appointments for row in _owed_rows(appointment, told, now)]
    # Two planners at once write the same rows; the unique key keeps one of each.
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


@transaction.atomic
def _plan_offers(now: dt.datetime) -> int:
    rows = []
    for offer in queries.unplanned_offers(now):
        site, zone = offer.site, offer.patient.time_zone
        planned = planned_offer(expires_at=offer.expires_at, zone=zone, quiet=rules.quiet_hours(site), now=now)
        rows.append(_ledger_row(planned, now, offer=offer))
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _owed_rows(appointment: Appointment, told: set[int], now: dt.datetime) -> list[Reminder]:
    try:
        planned = planned_messages(_as_visit(appointment, told), now)
    except Exception:  # one row with a fault must not keep everybody else's reminders from being planned
        logger.exception("no reminders could be planned for visit %s", appointment.public_id)
        return []
    version = appointment.version
    return [_ledger_row(one, now, appointment=appointment, appointment_version=version) for one in planned]


def _as_visit(appointment: Appointment, told: set[int]) -> Visit:
    site = appointment.site
    return Visit(
        start=appointment.start,
        since=appointment.created_at if appointment.version == 1 else appointment.updated_at,
        zone=appointment.patient.time_zone,
        quiet=rules.quiet_hours(site),
        reminder_days=tuple(site.reminder_days),
        cancelled=appointment.state == State.CANCELLED,
        told=appointment.pk in told,
    )


def _ledger_row(planned: Planned, now: dt.datetime, **about) -> Reminder:
    return Reminder(
        kind=planned.kind,
        due_at=planned.due_at,
        state=ReminderState.SKIPPED if planned.skip else ReminderState.OWED,
        reason=planned.skip or "",
        settled_at=now if planned.skip else None,
        **about,
    )


@transaction.atomic
def _skip_overtaken(reminder: Reminder, now: dt.datetime) -> int:
    reason = Reason.CANCELLED if reminder.appointment.state == State.CANCELLED else Reason.MOVED
    owed = Reminder.objects.filter(pk=reminder.pk, state=ReminderState.OWED)
    skipped = owed.update(state=ReminderState.SKIPPED, reason=reason, settled_at=now, updated_at=now)
    if skipped:
        audit_row("reminder.skipped", reminder, reason=reason.value)
    return skipped
