"""The ledger's verbs: plan what visits need, claim and send what is due, send again. Safe to run anywhere, any time.

A message is claimed by a conditional update with a lease, sent outside any transaction, then recorded. Whoever dies in
between leaves a claim whose lease runs out; the next sender takes it over under the same Message-ID.
"""

import datetime as dt
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Max

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking
from infusions.reminders import day_sheets, queries, rules
from infusions.reminders.day_after import plan_after_care
from infusions.reminders.delivery import Mailer, RefusedForGood, ServerUnavailable, TryLater
from infusions.reminders.models import UNSETTLED, Kind, Reason, Reminder, ReminderState
from infusions.reminders.owing import ledger_row
from infusions.reminders.planning import Visit, planned_messages, planned_offer
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from infusions.scheduling.waitlist_matching import starts_still_free
from infusions.scheduling.waitlist_offers import expire_offers
from patients.models import Channel
from patients.queries import may_contact

logger = logging.getLogger(__name__)

BATCH = 500
# A sweep ends before the wake-ups queued behind it expire, and well before its task's time limit; the next one goes on.
SWEEP_SECONDS = 20
MAX_TRIES = 12
LONGEST_PAUSE_MINUTES = 30


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
    for plan in (plan_after_care, day_sheets.plan_day_sheets):
        if planned := plan(now):
            done["planned"] += planned
    return done


def send_due(
    *, now: dt.datetime | None = None, limit: int = 1000, worker: str = "", seconds: float = SWEEP_SECONDS
) -> Counter:
    """Send what is due, oldest first, for at most `seconds`; counts by outcome.

    Outcomes: sent, skipped, failed, postponed, retried, lost (taken over by another sender), unavailable (the mail
    server is away: the sweep ends, nothing is lost).
    """
    tell_time = (lambda: now) if now else clock.now
    worker = (worker or f"{socket.gethostname()}:{os.getpid()}")[:60]
    ends = time.monotonic() + seconds
    due = list(Reminder.objects.due(tell_time()).order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    done: Counter = Counter()
    with Mailer() as mailer:
        for pk in due:
            if time.monotonic() > ends:
                break
            if reminder := claim(pk, worker=worker, now=tell_time()):
                outcome = _deliver(reminder, mailer, tell_time)
                done[outcome] += 1
                if outcome == "unavailable":
                    break
    return done


def claim(pk: int, *, worker: str, now: dt.datetime) -> Reminder | None:
    """Take one due row for this sender until its lease runs out; None if another one was first."""
    lease_until = now + dt.timedelta(seconds=settings.REMINDER_LEASE_SECONDS)
    taken = (
        Reminder.objects.due(now)
        .filter(pk=pk)
        .update(
            state=ReminderState.CLAIMED,
            claimed_by=worker,
            lease_until=lease_until,
            tries=F("tries") + 1,
            updated_at=now,
        )
    )
    return Reminder.objects.with_visit().get(pk=pk) if taken == 1 else None


@transaction.atomic
def resend_reminder(*, reminder: Reminder, reason: str, by, now: dt.datetime | None = None) -> Reminder:
    """Owe the same message once more, as a row of its own; what is settled stays as it was."""
    now = now or clock.now()
    if not reason.strip():
        raise RuleViolation([blocker("reason-missing", "Say why it is sent again.", field="reason")])
    same = Reminder.objects.filter(
        appointment=reminder.appointment_id,
        offer=reminder.offer_id,
        **_sheet_of(reminder),
        appointment_version=reminder.appointment_version,
        kind=reminder.kind,
        channel=reminder.channel,
    )
    pending = same.filter(state__in=UNSETTLED).exists()
    refuse_if_blocking(rules.resend_problems(reminder, _reason_to_skip(reminder, now, told=True), pending=pending))
    try:
        with transaction.atomic():
            again = Reminder.objects.create(
                appointment=reminder.appointment,
                offer=reminder.offer,
                **_sheet_of(reminder),
                appointment_version=reminder.appointment_version,
                kind=reminder.kind,
                channel=reminder.channel,
                resend_no=same.aggregate(last=Max("resend_no"))["last"] + 1,
                due_at=now,
                requested_by=by,
                request_reason=reason.strip()[:200],
            )
    except IntegrityError as error:
        raise RuleViolation([blocker("already-owed", "Somebody else has just asked for the same.")]) from error
    _audit("reminder.resend_requested", again, by=by)
    return again


def _sheet_of(reminder: Reminder) -> dict:
    return {"nurse": reminder.nurse, "day": reminder.day, "day_site": reminder.day_site}


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


@transaction.atomic
def _skip_overtaken(reminder: Reminder, now: dt.datetime) -> int:
    reason = Reason.CANCELLED if reminder.appointment.state == State.CANCELLED else Reason.MOVED
    owed = Reminder.objects.filter(pk=reminder.pk, state=ReminderState.OWED)
    skipped = owed.update(state=ReminderState.SKIPPED, reason=reason, settled_at=now, updated_at=now)
    if skipped:
        _audit("reminder.skipped", reminder, reason=reason.value)
    return skipped


def _deliver(reminder: Reminder, mailer: Mailer, tell_time: Callable[[], dt.datetime]) -> str:
    """Decide by the world as it is now, send outside any transaction, record. Returns the outcome."""
    now = tell_time()
    try:
        reason, later = _decide(reminder, now)
    except Exception as fault:  # one row with a fault must not hold up those behind it
        logger.exception("reminder %s could not be decided", reminder.public_id)
        return _try_later(reminder, f"not decided: {type(fault).__name__}", now)
    if reason:
        return _settle(reminder, ReminderState.SKIPPED, now, reason=reason)
    if later:
        return _give_back(reminder, "postponed", now, due_at=later, tries=reminder.tries - 1)
    try:
        message_id = mailer.send(reminder, now)
    except RefusedForGood as refused:
        return _settle(reminder, ReminderState.FAILED, tell_time(), reason=Reason.ADDRESS_REFUSED, detail=str(refused))
    except TryLater as trouble:
        return _try_later(reminder, str(trouble), tell_time())
    except ServerUnavailable as away:
        logger.warning("mail server unavailable: %s", away)
        return _give_back(reminder, "unavailable", tell_time(), tries=reminder.tries - 1, detail=str(away))
    return _settle(reminder, ReminderState.SENT, tell_time(), message_id=message_id)


def _decide(reminder: Reminder, now: dt.datetime) -> tuple[Reason | None, dt.datetime | None]:
    """Why not to send it, or until when to wait; neither when it may go now."""
    told = reminder.kind != Kind.CANCELLED or queries.was_told(reminder.appointment)
    reason = _reason_to_skip(reminder, now, told=told)
    return reason, None if reason else rules.postponed_until(reminder, now)


def _reason_to_skip(reminder: Reminder, now: dt.datetime, *, told: bool) -> Reason | None:
    if reminder.kind == Kind.DAY_SHEET:
        return day_sheets.reason_to_skip(reminder, now)
    may_mail = may_contact(reminder.patient, Channel.EMAIL)
    if reminder.kind == Kind.AFTER_CARE:
        return rules.reason_to_skip_after_care(reminder, now, may_mail=may_mail)
    if reminder.kind == Kind.ADVICE:
        return rules.reason_to_skip_advice(reminder.patient, may_mail=may_mail)
    if reminder.offer_id is None:
        return rules.reason_to_skip(reminder, now, may_mail=may_mail, told=told)
    free = bool(starts_still_free([reminder.offer], now))
    return rules.reason_to_skip_offer(reminder, now, may_mail=may_mail, free=free)


def _try_later(reminder: Reminder, trouble: str, now: dt.datetime) -> str:
    if reminder.tries >= MAX_TRIES:
        return _settle(reminder, ReminderState.FAILED, now, reason=Reason.GAVE_UP, detail=trouble)
    pause = dt.timedelta(minutes=min(2**reminder.tries, LONGEST_PAUSE_MINUTES))
    return _give_back(reminder, "retried", now, due_at=now + pause, detail=trouble)


def _mine(reminder: Reminder):
    """The row as claimed by this very try: empty once the lease ran out and another sender took it."""
    return Reminder.objects.filter(
        pk=reminder.pk, state=ReminderState.CLAIMED, claimed_by=reminder.claimed_by, tries=reminder.tries
    )


@transaction.atomic
def _settle(reminder: Reminder, state: ReminderState, now: dt.datetime, *, reason: str = "", **fields) -> str:
    settled = _mine(reminder).update(
        state=state, reason=reason, settled_at=now, lease_until=None, updated_at=now, **fields
    )
    if not settled:
        logger.warning("reminder %s was taken over by another sender", reminder.public_id)
        return "lost"
    detail = {"reason": str(reason)} if reason else {}
    _audit(f"reminder.{state.value}", reminder, **detail)
    return state.value


def _give_back(reminder: Reminder, outcome: str, now: dt.datetime, **fields) -> str:
    owed = _mine(reminder).update(state=ReminderState.OWED, claimed_by="", lease_until=None, updated_at=now, **fields)
    return outcome if owed else "lost"


def _audit(action: str, reminder: Reminder, *, by=None, **detail) -> None:
    patient, site, about = reminder.patient, reminder.site, reminder.about_ids
    audit.record(action, reminder, by=by, patient=patient, site=site, kind=reminder.kind, **about, **detail)
