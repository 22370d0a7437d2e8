"""Books, moves and cancels visits: one transaction each that locks, checks again, writes visit, claims and audit row.

Two visits never share a lane in a quarter-hour because the claims are unique in the database. The checks before it only
make the refusal readable, and choose a chair and a nurse that are likely still free.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Collection

from django.db import IntegrityError, transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking
from infusions.facility.models import Chair, Nurse, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.bitmaps import Seat
from infusions.scheduling.contention import tried_again
from infusions.scheduling.models import Appointment, Series
from infusions.scheduling.placing import (
    claim,
    locked_appointment,
    locked_order,
    note_decisions,
    place,
    record_placed,
    refuse_stale,
    seat_in_words,
    wrong_state,
)
from infusions.scheduling.queries import usual_site
from infusions.scheduling.rules import Proposal, approvals, examine
from infusions.scheduling.states import MOVABLE, State, may_follow
from patients.services import note_site

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
    series: Series | None = None,
    course_day: int = 1,
    course_start: Appointment | None = None,
    offered_by=None,
) -> Appointment:
    """Book one visit of an order; chair and nurse are picked where none are named.

    `by` is None when the patient took a start that `offered_by` had offered by mail: the booking stands in that name.
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
            booked_by=by or offered_by,
            idempotency_token=token or None,
            series=series,
            course_day=course_day,
            course_start=course_start,
        )
        note_decisions(appointment, proposal.problems, override_reason)
        place(appointment, proposal, seat)
        appointment.save()
        claim(appointment)
        note_site(patient=order.patient, site=site, by=by, why="booked", now=now)
        record_placed("appointment.booked", appointment, proposal, by)
        return appointment

    return first_that_holds(look, write, by, override_reason)


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
    seen: int | None = None,
    now: dt.datetime | None = None,
    override_reason: str = "",
    leave_out: Collection[int] = (),
) -> Appointment:
    """Move a visit that has not begun; it keeps its chair and nurse where they are free and no others are named.

    At its old start it only changes chair or nurse, which is nothing to tell the patient: version and state stay.
    `version` is the one that the person saw, `seen` the last change of any kind (see meanwhile): when the visit was
    changed since, the move is refused and says what was done, by whom and when. `leave_out`: row numbers of visits that
    move together with it in one transaction and have not found their new place yet.
    """
    now = now or clock.now()
    order = locked_order(appointment.order)
    moved = locked_appointment(appointment)
    refuse_stale(moved, version, seen)
    if moved.state not in MOVABLE:
        raise RuleViolation([wrong_state(moved, "be moved")])
    before, old_start, seen_version, old_seat = moved.local_start, moved.start, moved.version, seat_in_words(moved)
    # What the waitlist is told to look at: the chair and the hours that nobody holds any more.
    freed = {"freed_chair": moved.chair.public_id if moved.chair else "", "freed_minutes": moved.minutes}

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
            leave_out=leave_out,
        )

    def write(proposal: Proposal, seat: Seat) -> Appointment:
        moved.claims.all().delete()
        place(moved, proposal, seat)
        note_decisions(moved, proposal.problems, override_reason)
        if moved.start != old_start:
            moved.version = seen_version + 1  # not += 1: this may run again when a seat was lost
            # What the patient confirmed was the old time.
            moved.state = State.EXPECTED
            moved.confirmed_at = moved.move_requested_at = None
        moved.save()
        claim(moved)
        action = "appointment.moved" if moved.version > seen_version else "appointment.reseated"
        left = freed if moved.version > seen_version else {}
        if (new_seat := seat_in_words(moved)) != old_seat:
            left = {**left, "seat_before": old_seat, "seat_after": new_seat}
        record_placed(action, moved, proposal, by, before=before, after=moved.local_start, **left)
        return moved

    return first_that_holds(look, write, by, override_reason)


@tried_again
@transaction.atomic
def cancel_appointment(
    *,
    appointment: Appointment,
    reason: str,
    by,
    now: dt.datetime | None = None,
    version: int | None = None,
    seen: int | None = None,
) -> Appointment:
    """Cancel a visit that has not begun and free what it held; the row stays. `by` is None when the patient did it."""
    now = now or clock.now()
    locked_order(appointment.order)
    cancelled = locked_appointment(appointment)
    refuse_stale(cancelled, version, seen)
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


def first_that_holds(
    look: Callable[[], Proposal], write: Callable[[Proposal, Seat], Appointment], by, override_reason: str
) -> Appointment:
    """Look, choose a seat, write; when another took a claim of it in between, look afresh and choose again.

    The second choice is random among what is free: sixteen who all take the next best would lose sixteen times.
    """
    for attempt in range(SEAT_TRIES):
        proposal = look()
        refuse_if_blocking(approvals(proposal.problems, by), override_reason)
        seat = random.choice(proposal.seats) if attempt else proposal.seats[0]  # nosec B311: spreads those who met at a seat; keeps no secret
        try:
            with transaction.atomic():
                return write(proposal, seat)
        except IntegrityError as lost:
            reason = lost
    raise RuleViolation([SLOT_LOST]) from reason


def _same_booking(earlier: Appointment, order: InfusionOrder, start: dt.datetime) -> Appointment:
    """The same form sent twice is answered with what it booked; a form of another wish is not."""
    if (earlier.order_id, earlier.start) == (order.pk, start) and earlier.state != State.CANCELLED:
        return earlier
    message = "This form has already booked another visit."
    raise RuleViolation([blocker("token-reused", message, remedy="Open the search again.")])
