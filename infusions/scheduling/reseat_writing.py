"""Writes what a plan of re-seating changes: rows, claims, one audit event for each visit that somebody sees changed."""

from __future__ import annotations

from collections.abc import Sequence

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.locks import lock_rows
from infusions.orders.models import InfusionOrder
from infusions.scheduling.lanes import claims_for
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.placing import seat_in_words
from infusions.scheduling.reseating import SeatChange
from infusions.scheduling.seating_day import NOT_STARTED


def lock_visits(visits: Sequence[Appointment]) -> dict[int, Appointment]:
    rows = Appointment.objects.filter(pk__in=[visit.pk for visit in visits])
    lock_rows(rows)
    return {visit.pk: visit for visit in rows.select_related("patient", "site", "chair", "nurse__user")}


def is_as_planned(seen: Appointment, current: Appointment) -> bool:
    names = ("version", "start", "end", "chair_id", "nurse_id", "ratio_place", "is_pinned")
    same = all(getattr(seen, name) == getattr(current, name) for name in names)
    return same and current.state in NOT_STARTED and not current.is_pinned


def write_changes(
    changes: Sequence[SeatChange],
    locked: dict[int, Appointment],
    *,
    by,
    reason: str = "",
    for_order: InfusionOrder | None = None,
) -> list[Appointment]:
    """First all give up what they have, then all take what they get: they may be taking it from each other."""
    visits = [locked[change.appointment.pk] for change in changes]
    Claim.objects.filter(appointment__in=visits).delete()
    now, before = clock.now(), [seat_in_words(visit) for visit in visits]
    for change, visit in zip(changes, visits, strict=True):
        visit.chair, visit.nurse, visit.ratio_place, visit.updated_at = change.chair, change.nurse, change.place, now
    Appointment.objects.bulk_update(visits, ["chair", "nurse", "ratio_place", "updated_at"])
    claims = sorted((lane, quarter, visit.pk) for visit in visits for lane, quarter in claims_for(visit))
    Claim.objects.bulk_create(Claim(lane=lane, quarter=quarter, appointment_id=pk) for lane, quarter, pk in claims)
    for change, visit, old_seat in zip(changes, visits, before, strict=True):
        if change.is_visible:
            _record(visit, old_seat, by, reason, for_order)
    return visits


def _record(visit: Appointment, old_seat: str, by, reason: str, for_order: InfusionOrder | None) -> None:
    audit.record(
        "appointment.reseated",
        visit,
        by=by,
        patient=visit.patient,
        site=visit.site,
        version=visit.version,
        seat_before=old_seat,
        seat_after=seat_in_words(visit),
        **({"reason": reason.strip()[:200]} if reason.strip() else {}),
        **({"to_seat_order": for_order.public_id} if for_order else {}),
    )
