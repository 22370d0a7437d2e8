"""Books, moves and cancels visits: one transaction each that locks, checks again, writes visit, claims and audit row.

Two visits never share a lane in a quarter-hour because the claims are unique in the database. The checks before it only
make the refusal readable, and choose a chair and a nurse that are likely still free.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

from django.db import IntegrityError, transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, Severity, blocker, codes, refuse_if_blocking
from infusions.facility.models import Chair, Nurse, Setting, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.bitmaps import Seat
from infusions.scheduling.contention import tried_again
from infusions.scheduling.lanes import claims_for
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.queries import usual_site
from infusions.scheduling.rules import Proposal, examine
from infusions.scheduling.states import MOVABLE, State, may_follow

SEAT_TRIES = 12
SLOT_LOST = blocker(
    "slot-lost",
    "Others kept taking the chairs or nurses of this start while it was being booked.",
    field="start",
    remedy="Nothing was booked. Choose another start.",
)


@tried_again
@transaction.atomic
def book_appointment(
    *,
    order: InfusionOrder,
    start: dt.datetime,
    setting: str,
    by,
    site: Site | None = None,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    now: dt.datetime | None = None,
    override_reason: str = "",
    token: str | None = None,
) -> Appointment:
    """Book one visit of an order; chair and nurse are picked where none are named.

    `token`: what a form carries so that sending it twice books once; the first visit is returned again.
    Raises RuleViolation when the visit does not fit, or no longer does.
    """
    now = now or clock.now()
    order = locked_order(order)
    if token and (earlier := Appointment.objects.filter(idempotency_token=token).first()):
        return _same_booking(earlier, order, start)
    site = site or (chair.site if chair else usual_site(order))
    if site is None:
        raise RuleViolation([blocker("no-site", "There is no site to book at.", field="site")])

    def look() -> Proposal:
        return examine(order=order, site=site, setting=setting, start=start, now=now, chair=chair, nurse=nurse)

    def write(proposal: Proposal, seat: Seat) -> Appointment:
        appointment = Appointment(
            order=order,
            patient=order.patient,
            site=site,
            setting=setting,
            booked_by=by,
            idempotency_token=token or None,
            override_reason=_reason_needed(proposal, override_reason),
        )
        _place(appointment, proposal, seat)
        appointment.save()
        _claim(appointment)
        _record("appointment.booked", appointment, proposal, by)
        return appointment

    return _first_that_holds(look, write, override_reason)


@tried_again
@transaction.atomic
def move_appointment(
    *,
    appointment: Appointment,
    start: dt.datetime,
    by,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    version: int | None = None,
    now: dt.datetime | None = None,
    override_reason: str = "",
) -> Appointment:
    """Move a visit that has not begun; it keeps its chair and nurse where they are free and no others are named.

    At its old start it only changes chair or nurse, which is nothing to tell the patient: version and state stay.
    `version` is the one that the person saw: when the visit was changed since, the move is refused and says so.
    """
    now = now or clock.now()
    order = locked_order(appointment.order)
    moved = locked_appointment(appointment)
    _refuse_stale(moved, version)
    if moved.state not in MOVABLE:
        raise RuleViolation([wrong_state(moved, "be moved")])
    before, old_start, seen_version = moved.local_start, moved.start, moved.version

    def look() -> Proposal:
        return examine(
            order=order,
            site=moved.site,
            setting=moved.setting,
            start=start,
            now=now,
            chair=chair,
            nurse=nurse,
            moving=moved,
        )

    def write(proposal: Proposal, seat: Seat) -> Appointment:
        moved.claims.all().delete()
        _place(moved, proposal, seat)
        moved.override_reason = _reason_needed(proposal, override_reason)
        if moved.start != old_start:
            moved.version = seen_version + 1  # not += 1: this may run again when a seat was lost
            # What the patient confirmed was the old time.
            moved.state = State.EXPECTED
            moved.confirmed_at = moved.move_requested_at = None
        moved.save()
        _claim(moved)
        action = "appointment.moved" if moved.version > seen_version else "appointment.reseated"
        _record(action, moved, proposal, by, before=before, after=moved.local_start)
        return moved

    return _first_that_holds(look, write, override_reason)


@tried_again
@transaction.atomic
def cancel_appointment(
    *, appointment: Appointment, reason: str, by, now: dt.datetime | None = None, version: int | None = None
) -> Appointment:
    """Cancel a visit that has not begun and free what it held; the row stays. `by` is None when the patient did it."""
    now = now or clock.now()
    locked_order(appointment.order)
    cancelled = locked_appointment(appointment)
    _refuse_stale(cancelled, version)
    if not may_follow(cancelled.state, State.CANCELLED):
        raise RuleViolation([wrong_state(cancelled, "be cancelled")])
    if not reason.strip():
        raise RuleViolation([blocker("reason-missing", "Say why the visit is cancelled.", field="reason")])
    before = cancelled.state
    cancelled.claims.all().delete()
    cancelled.state = State.CANCELLED
    cancelled.cancelled_at = now
    cancelled.cancel_reason = reason.strip()[:200]
    cancelled.version += 1
    cancelled.save()
    audit.record(
        "appointment.cancelled",
        cancelled,
        by=by,
        patient=cancelled.patient,
        site=cancelled.site,
        before=before,
        version=cancelled.version,
        **({} if by else {"actor": "Patient"}),
    )
    return cancelled


def locked_order(order: InfusionOrder) -> InfusionOrder:
    """Whoever books, moves or cancels a visit of an order waits here, so that authorized visits are counted right.

    Always taken before the visit's own row. NO KEY: rows that refer to the order may still be written.
    """
    return (
        InfusionOrder.objects.select_for_update(no_key=True, of=("self",))
        .select_related("patient", "product", "indication")
        .get(pk=order.pk)
    )


def locked_appointment(appointment: Appointment) -> Appointment:
    return (
        Appointment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("patient", "site", "order")
        .get(pk=appointment.pk)
    )


def wrong_state(appointment: Appointment, verb: str):
    message = f"The visit is {appointment.get_state_display().lower()} and cannot {verb}."
    return blocker("wrong-state", message, remedy="Look at the visit again.")


def _first_that_holds(
    look: Callable[[], Proposal], write: Callable[[Proposal, Seat], Appointment], override_reason: str
) -> Appointment:
    """Look, choose a seat, write; when another took a claim of it in between, look afresh and choose again.

    The second choice is random among what is free: sixteen who all take the next best would lose sixteen times.
    """
    for attempt in range(SEAT_TRIES):
        proposal = look()
        refuse_if_blocking(proposal.problems, override_reason)
        seat = random.choice(proposal.seats) if attempt else proposal.seats[0]
        try:
            with transaction.atomic():
                return write(proposal, seat)
        except IntegrityError as lost:
            reason = lost
    raise RuleViolation([SLOT_LOST]) from reason


def _place(appointment: Appointment, proposal: Proposal, seat: Seat) -> None:
    """Put the visit at its start, with the seat and the minutes that its claims follow from."""
    site, at_home = proposal.site, proposal.setting == Setting.HOME
    appointment.chair_id, appointment.nurse_id, appointment.ratio_place = seat.chair_id, seat.nurse_id, seat.place
    appointment.start, appointment.end = proposal.start, proposal.end
    appointment.local_start = f"{clock.to_local(proposal.start, site.time_zone):%Y-%m-%dT%H:%M}"
    appointment.preparation_minutes = proposal.length.preparation
    appointment.infusion_minutes = proposal.length.infusion
    appointment.observation_minutes = proposal.length.observation
    appointment.travel_minutes = site.travel_minutes if at_home else 0
    appointment.start_hands_minutes = site.start_hands_minutes
    appointment.end_hands_minutes = site.end_hands_minutes


def _claim(appointment: Appointment) -> None:
    """In sorted order, in one statement: two bookings that want the same lanes queue up instead of deadlocking."""
    Claim.objects.bulk_create(
        Claim(lane=lane, quarter=quarter, appointment=appointment) for lane, quarter in claims_for(appointment)
    )


def _record(action: str, appointment: Appointment, proposal: Proposal, by, **detail) -> None:
    overridden = [problem for problem in proposal.problems if problem.severity == Severity.APPROVAL]
    audit.record(
        action,
        appointment,
        by=by,
        patient=appointment.patient,
        site=proposal.site,
        version=appointment.version,
        overridden=codes(overridden),
        **detail,
    )


def _reason_needed(proposal: Proposal, override_reason: str) -> str:
    """The reason is kept only where something needed one."""
    needed = any(problem.severity == Severity.APPROVAL for problem in proposal.problems)
    return override_reason.strip()[:200] if needed else ""


def _same_booking(earlier: Appointment, order: InfusionOrder, start: dt.datetime) -> Appointment:
    """The same form sent twice is answered with what it booked; a form of another wish is not."""
    if (earlier.order_id, earlier.start) == (order.pk, start) and earlier.state != State.CANCELLED:
        return earlier
    message = "This form has already booked another visit."
    raise RuleViolation([blocker("token-reused", message, remedy="Open the search again.")])


def _refuse_stale(appointment: Appointment, version: int | None) -> None:
    if version is None or version == appointment.version:
        return
    local = dt.datetime.fromisoformat(appointment.local_start)
    now_is = f"{appointment.get_state_display().lower()}, {local:%a} {local.day} {local:%b %Y %H:%M}"
    message = f"Somebody changed the visit meanwhile: it is now {now_is}."
    raise RuleViolation([blocker("changed-meanwhile", message, remedy="Look at it again before you go on.")])
