"""Writes a visit into its place: row, claims, audit event. What every service that books, moves or re-seats shares."""

from __future__ import annotations

from collections.abc import Iterable

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.locks import lock_rows
from infusion_center.core.rules import Problem, RuleViolation, Severity, blocker, codes
from infusions.facility.models import Setting
from infusions.orders.models import InfusionOrder
from infusions.scheduling import meanwhile
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
    lock_rows(Appointment.objects.filter(pk=appointment.pk))
    return Appointment.objects.select_related("patient", "site", "order", "chair", "nurse__user").get(pk=appointment.pk)


def wrong_state(appointment: Appointment, verb: str) -> Problem:
    """What cannot be done in this state, and who brought the visit to it; no `verb` where it is in the state wished."""
    message = f"The visit is {appointment.get_state_display().lower()} {f'and cannot {verb}' if verb else 'already'}."
    message = f"{message} {meanwhile.last_told(appointment)}".strip()
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


def seat_in_words(appointment: Appointment) -> str:
    """Chair 4 with Noor Example; only the nurse at home."""
    return f"{appointment.chair.name} with {appointment.nurse}" if appointment.chair_id else str(appointment.nurse)


def refuse_stale(appointment: Appointment, version: int | None, seen: int | None = None) -> None:
    """Whoever acts on what he saw earlier is told what was done since, by whom and when.

    `version` is raised by moves and cancellations only; `seen` (meanwhile.seen_now) knows of every change.
    """
    is_stale = version not in (None, appointment.version)
    if seen is None and not is_stale:
        return
    news = meanwhile.events_since(appointment, version=version, seen=seen)
    if not news and not is_stale:
        return
    told = meanwhile.told(appointment, news) or "Somebody changed it."
    message = f"The visit was changed meanwhile. {told} It is now {meanwhile.stands_at(appointment)}."
    remedy = "Look at it again before you go on; what you entered is kept."
    raise RuleViolation([blocker("changed-meanwhile", message, remedy=remedy)])
