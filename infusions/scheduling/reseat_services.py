"""Re-seats booked visits, alone or to make room for another one: one transaction, or nothing.

Orders are locked before visits, visits by row number, claims written in their order, so that two who re-seat the same
day wait for each other. A re-seated visit keeps its version: at the same time there is nothing to tell its patient.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking
from infusions.facility.models import Chair, Nurse, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling import meanwhile
from infusions.scheduling.booking import SLOT_LOST, book_appointment, move_appointment
from infusions.scheduling.contention import tried_again
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.placing import locked_order, refuse_stale
from infusions.scheduling.reseat_plans import (
    PLAN_CHANGED,
    PLAN_OUTDATED,
    SEAT_TAKEN,
    is_open_and_staffed,
    plan_as_shown,
    plan_key,
    read_for,
    seat_of,
    wanted_visit,
)
from infusions.scheduling.reseat_writing import is_as_planned, lock_visits, write_changes
from infusions.scheduling.reseating import SeatChange, reseat_as
from infusions.scheduling.rules import Proposal, approvals, examine
from infusions.scheduling.seating_day import read_days

__all__ = ["apply_changes", "book_with_reseating", "move_with_reseating", "plan_key", "set_pinned"]
TRIES = 4


class _Lost(Exception):
    """A visit of the plan was changed before it could be locked: plan again."""


@tried_again
@transaction.atomic
def apply_changes(
    *, changes: Sequence[SeatChange], by, reason: str = "", now: dt.datetime | None = None
) -> list[Appointment]:
    """Give visits the chairs and nurses of a plan that was just made; all, or none where one of them has changed.

    Raises RuleViolation: a visit was changed since it was read, has begun, or may not have that seat any more.
    """
    now = now or clock.now()
    locked = lock_visits([change.appointment for change in changes])
    for change in changes:
        seen, current = change.appointment, locked[change.appointment.pk]
        refuse_stale(current, seen.version)
        if not is_as_planned(seen, current):
            told = meanwhile.last_told(current)
            message = f"The visit of {current.patient.name} was changed meanwhile. {told}".strip()
            raise RuleViolation([blocker("changed-meanwhile", message, remedy="Look at the plan again.")])
    fresh = [change for day in _by_day(changes) for change in _lawful(day, now)]
    try:
        with transaction.atomic():
            return write_changes(fresh, _lock_planned(fresh), by=by, reason=reason)
    except (IntegrityError, _Lost) as lost:
        raise RuleViolation([PLAN_OUTDATED]) from lost


@tried_again
@transaction.atomic
def book_with_reseating(
    *,
    order: InfusionOrder,
    start: dt.datetime,
    setting: str,
    site: Site,
    by,
    shown: str,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    now: dt.datetime | None = None,
    token: str | None = None,
    override_reason: str = "",
) -> Appointment:
    """Book a visit by the plan whose `plan_key` is `shown`: re-seat others, then take the freed seat.

    No solver runs while the rows are locked: a plan is looked at again, not made again.

    Raises RuleViolation when that plan does not hold any more, so that the new one is shown before anything happens.
    """
    now = now or clock.now()
    order = locked_order(order)
    wishes = {"order": order, "start": start, "setting": setting, "site": site, "now": now}

    def write(seat_wishes: dict) -> Appointment:
        return book_appointment(**wishes, **seat_wishes, by=by, token=token, override_reason=override_reason)

    if token and Appointment.objects.filter(idempotency_token=token).exists():
        return write({})  # sent twice: answered with what it booked

    def look() -> Proposal:
        return examine(**wishes, chair=chair, nurse=nurse)

    return _by_plan(look, write, shown, by=by, override_reason=override_reason, named=(chair, nurse), now=now)


@tried_again
@transaction.atomic
def move_with_reseating(
    *,
    appointment: Appointment,
    start: dt.datetime,
    by,
    shown: str,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    version: int | None = None,
    seen: int | None = None,
    now: dt.datetime | None = None,
    override_reason: str = "",
) -> Appointment:
    """Move a visit to a start at which others make room for it. Like book_with_reseating and move_appointment."""
    now = now or clock.now()
    order = locked_order(appointment.order)
    place = {"site": appointment.site, "setting": appointment.setting}

    def look() -> Proposal:
        return examine(order=order, start=start, now=now, chair=chair, nurse=nurse, moving=appointment, **place)

    def write(seat_wishes: dict) -> Appointment:
        return move_appointment(
            appointment=appointment,
            start=start,
            by=by,
            version=version,
            seen=seen,
            now=now,
            override_reason=override_reason,
            **seat_wishes,
        )

    named = (chair, nurse)
    return _by_plan(
        look, write, shown, by=by, override_reason=override_reason, named=named, now=now, moving=appointment
    )


def _by_plan(look, write, shown, *, by, override_reason, named, now, moving=None) -> Appointment:
    for _ in range(TRIES):
        proposal = look()
        # What re-seating cannot change refuses at once.
        about_seat = proposal.about_place if is_open_and_staffed(proposal) else []
        others = [problem for problem in proposal.problems if problem not in about_seat]
        refuse_if_blocking(approvals(others, by), override_reason)
        try:
            with transaction.atomic():
                if proposal.seats:  # meanwhile nobody has to make room
                    return write({"chair": named[0], "nurse": named[1]})
                wanted = wanted_visit(proposal, chair=named[0], nurse=named[1], moving=moving)
                rows = read_for(proposal, wanted, now=now)
                plan = plan_as_shown(rows, wanted, shown)
                if plan is None:
                    raise RuleViolation([PLAN_CHANGED])
                locked = _lock_planned(plan.changes, moving)
                write_changes(plan.changes, locked, by=by, for_order=proposal.order)
                return write({"chair": rows.chairs.get(plan.seat.chair_id), "nurse": rows.nurses[plan.seat.nurse_id]})
        except (IntegrityError, _Lost):
            continue
        except RuleViolation as refused:
            # Another took the freed seat between the look and the claim: look again.
            if not refused.codes <= SEAT_TAKEN | {SLOT_LOST.code}:
                raise
    raise RuleViolation([SLOT_LOST])


def _lock_planned(changes: Sequence[SeatChange], moving: Appointment | None = None) -> dict[int, Appointment]:
    """The visits of the plan, each as it was when the plan was made. The one that moves gives up its claims."""
    locked = lock_visits([*(change.appointment for change in changes), *([moving] if moving else [])])
    if not all(is_as_planned(change.appointment, locked[change.appointment.pk]) for change in changes):
        raise _Lost
    if moving:
        Claim.objects.filter(appointment=moving).delete()
    return locked


def _by_day(changes: Sequence[SeatChange]) -> list[list[SeatChange]]:
    days: dict[tuple, list[SeatChange]] = defaultdict(list)
    for change in changes:
        visit = change.appointment
        days[visit.site_id, clock.local_date(visit.start, visit.site.time_zone)].append(change)
    return list(days.values())


def _lawful(changes: list[SeatChange], now: dt.datetime) -> Sequence[SeatChange]:
    """The same changes, judged by the day as it is now; their places are chosen afresh."""
    first = changes[0].appointment
    day = clock.local_date(first.start, first.site.time_zone)
    rows = read_days(site=first.site, days=[day], now=now)[day]
    visits = [change.appointment for change in changes]
    plan = reseat_as(rows, {change.appointment.pk: seat_of(change) for change in changes}, uncovered=visits)
    if plan is None:
        raise RuleViolation([PLAN_OUTDATED])
    return plan.changes


@tried_again
@transaction.atomic
def set_pinned(*, appointment: Appointment, pinned: bool, by) -> Appointment:
    """A pinned visit keeps its chair and nurse when others are re-seated; a move by hand may still change them."""
    visit = lock_visits([appointment])[appointment.pk]
    if visit.is_pinned == pinned:
        return visit
    visit.is_pinned = pinned
    visit.save(update_fields=["is_pinned", "updated_at"])
    action = "appointment.pinned" if pinned else "appointment.unpinned"
    audit.record(action, visit, by=by, patient=visit.patient, site=visit.site, version=visit.version)
    return visit
