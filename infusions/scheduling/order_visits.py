"""What becomes of booked visits when their order ends, is held, or gives way to another order of the patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import models, transaction

from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, blocker
from infusions.orders import services as orders
from infusions.orders.models import InfusionOrder
from infusions.scheduling import meanwhile
from infusions.scheduling.bitmaps import Seat
from infusions.scheduling.booking import cancel_appointment, first_that_holds
from infusions.scheduling.contention import tried_again
from infusions.scheduling.models import Appointment, Claim, Series
from infusions.scheduling.placing import (
    claim,
    locked_appointment,
    locked_order,
    note_decisions,
    place,
    record_placed,
    wrong_state,
)
from infusions.scheduling.rules import Proposal, examine
from infusions.scheduling.series_services import SeriesRefused
from infusions.scheduling.states import UPCOMING, State

STILL_OPEN = UPCOMING | {State.ARRIVED}
ENDINGS = {"hold": orders.hold_order, "stop": orders.stop_order}


class VisitsDecision(models.TextChoices):
    KEEP = "keep", "Keep them"
    CANCEL = "cancel", "Cancel them"
    MOVE = "move", "Move them to another order"


@tried_again
@transaction.atomic
def end_order(
    *,
    order: InfusionOrder,
    ending: str,
    reason: str,
    by,
    decision: str = VisitsDecision.KEEP,
    other: InfusionOrder | None = None,
    versions: Mapping[str, int] | None = None,
    now: dt.datetime | None = None,
) -> InfusionOrder:
    """Hold or stop an order (`ending`) and do with the visits that it has ahead what was decided; both, or nothing.

    `versions`: the visits that the person saw, by public id. Visits that are kept stay on the board; nothing starts by
    an order that is held or stopped, and the work lists show them until somebody decides.
    """
    now = now or clock.now()
    if decision == VisitsDecision.MOVE and other is None:
        raise RuleViolation([blocker("no-other-order", "Choose the order that the visits go to.", field="other")])
    _lock_orders(order, other)
    visits = open_visits(order, now)
    if versions is not None and (told := meanwhile.told_of_several(visits, versions)):
        message = f"The visits of this order were changed meanwhile. {told}"
        raise RuleViolation([blocker("changed-meanwhile", message, remedy="Look at them again and decide.")])
    if decision == VisitsDecision.MOVE and visits:
        reattach_visits(appointments=visits, order=other, by=by, now=now)
    if decision == VisitsDecision.CANCEL:
        for visit in visits:
            cancel_appointment(appointment=visit, reason=reason, by=by, now=now)
    return ENDINGS[ending](order=order, reason=reason, by=by)


@tried_again
@transaction.atomic
def reattach_visits(
    *,
    appointments: Sequence[Appointment],
    order: InfusionOrder,
    by,
    now: dt.datetime | None = None,
    override_reason: str = "",
) -> list[Appointment]:
    """Let booked visits be given by another order of the same patient, at the start that was promised; all, or none.

    Each is checked by the new order: validity, authorized visits, interval, length. One that takes longer or shorter
    now is seated anew at its start. Raises SeriesRefused, its lines numbered from 1 in the order of time.
    """
    now = now or clock.now()
    visits = sorted(appointments, key=lambda visit: (visit.start, visit.pk))
    _lock_orders(order, *(visit.order for visit in visits))
    order = locked_order(order)
    refused: dict[int, list[Problem]] = {}
    for number, visit in enumerate(visits, start=1):
        if found := _cannot_change_order(visit, order):
            refused[number] = found
    if refused:
        raise SeriesRefused(refused)
    Claim.objects.filter(appointment__in=visits).delete()
    # One for each: joined, those of two sites would move and end as one.
    series = {
        old.pk: Series.objects.create(
            order=order, weekday=old.weekday, local_time=old.local_time, booked_by=old.booked_by
        )
        for old in {visit.series_id: visit.series for visit in visits if visit.series_id}.values()
    }
    waiting = {visit.pk for visit in visits}
    moved = []
    for number, visit in enumerate(visits, start=1):
        waiting.discard(visit.pk)
        try:
            with transaction.atomic():
                moved.append(
                    _reattach(visit, order, series.get(visit.series_id), tuple(waiting), by, now, override_reason)
                )
        except RuleViolation as violation:
            refused[number] = violation.problems
    if refused:
        raise SeriesRefused(refused)
    return moved


def open_visits(order: InfusionOrder, now: dt.datetime) -> list[Appointment]:
    """Visits of the order that are booked or waiting to begin, first to last."""
    visits = Appointment.objects.filter(order=order, state__in=STILL_OPEN, end__gt=now)
    return list(visits.select_related("order", "site", "chair", "nurse__user").order_by("start", "pk"))


def visits_by_other_orders(order: InfusionOrder, now: dt.datetime) -> list[Appointment]:
    """What the patient has ahead by other orders: it could be given by this one."""
    visits = Appointment.objects.filter(patient=order.patient_id, state__in=STILL_OPEN, end__gt=now)
    return list(
        visits.exclude(order=order)
        .select_related("order__product", "order__indication", "site", "chair", "nurse__user", "series")
        .order_by("start", "pk")
    )


def _cannot_change_order(visit: Appointment, order: InfusionOrder) -> list[Problem]:
    now_is = locked_appointment(visit)
    if now_is.state not in STILL_OPEN:
        return [wrong_state(now_is, "be given by another order")]
    if now_is.patient_id != order.patient_id:
        return [
            blocker("another-patient", "The order is for another patient.", remedy="Choose an order of hers or his.")
        ]
    if hasattr(now_is, "dose_record"):
        message = "The dose of this visit is prepared by the old order already."
        return [blocker("dose-prepared", message, remedy="End that dose first, or cancel the visit.")]
    return []


def _reattach(visit: Appointment, order: InfusionOrder, series, waiting, by, now, override_reason) -> Appointment:
    before = visit.order

    def look() -> Proposal:
        # A patient who has arrived waits past his start: that hour is his already.
        at = min(now, visit.start)
        return examine(
            order=order,
            site=visit.site,
            setting=visit.setting,
            start=visit.start,
            now=at,
            moving=visit,
            leave_out=waiting,
        )

    def write(proposal: Proposal, seat: Seat) -> Appointment:
        visit.order, visit.series = order, series
        place(visit, proposal, seat)
        note_decisions(visit, proposal.problems, override_reason)
        visit.save()
        claim(visit)
        ids = {"order_before": before.public_id, "order_after": order.public_id}
        record_placed("appointment.reattached", visit, proposal, by, **ids)
        return visit

    return first_that_holds(look, write, by, override_reason)


def _lock_orders(*orders: InfusionOrder | None) -> None:
    """In the order of their rows, so that two people who move visits between the same orders queue."""
    by_pk = {order.pk: order for order in orders if order is not None}
    for pk in sorted(by_pk):
        locked_order(by_pk[pk])
