"""Writes a visit into its place: row, claims, audit event. What every service that books, moves or re-seats shares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, Severity, blocker, codes
from infusions.facility.models import Setting
from infusions.orders.models import InfusionOrder
from infusions.scheduling.bitmaps import Seat
from infusions.scheduling.lanes import claims_for
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.rules import Proposal


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


def place(appointment: Appointment, proposal: Proposal, seat: Seat) -> None:
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


def claim(appointment: Appointment) -> None:
    """In sorted order, in one statement: two bookings that want the same lanes queue up instead of deadlocking."""
    Claim.objects.bulk_create(
        Claim(lane=lane, quarter=quarter, appointment=appointment) for lane, quarter in claims_for(appointment)
    )


def record_placed(action: str, appointment: Appointment, proposal: Proposal, by, **detail) -> None:
    audit.record(
        action,
        appointment,
        by=by,
        patient=appointment.patient,
        site=proposal.site,
        version=appointment.version,
        overridden=appointment.overridden,
        **detail,
        **({} if by else {"actor": "Patient"}),
    )


def note_decisions(appointment: Appointment, problems: Iterable[Problem], reason: str) -> None:
    """Which problems somebody decided, and why; the reason is kept only where something needed one."""
    appointment.overridden = codes(problem for problem in problems if problem.severity == Severity.APPROVAL)
    appointment.override_reason = reason.strip()[:200] if appointment.overridden else ""


def refuse_stale(appointment: Appointment, version: int | None) -> None:
    if version is None or version == appointment.version:
        return
    local = dt.datetime.fromisoformat(appointment.local_start)
    now_is = f"{appointment.get_state_display().lower()}, {local:%a} {local.day} {local:%b %Y %H:%M}"
    message = f"Somebody changed the visit meanwhile: it is now {now_is}."
    raise RuleViolation([blocker("changed-meanwhile", message, remedy="Look at it again before you go on.")])
