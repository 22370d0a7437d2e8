"""Reads of the audit trail, by site and by what the page filters on."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock


@dataclass(frozen=True)
class TrailFilter:
    """What to show; empty means all. `site_ids`: public ids of the sites whose events the reader may see."""

    site_ids: Collection[str]
    time_zone: str
    actor_id: int | None = None
    patient_id: str = ""
    action: str = ""
    day: dt.date | None = None


def trail(wanted: TrailFilter) -> QuerySet[AuditEvent]:
    """Newest first. Events without a site (staff, patients) are seen by whoever may read the trail at all."""
    events = AuditEvent.objects.filter(Q(site_id="") | Q(site_id__in=wanted.site_ids))
    if wanted.actor_id is not None:
        events = events.filter(actor_id=wanted.actor_id)
    if wanted.patient_id:
        events = events.filter(patient_id=wanted.patient_id)
    if wanted.action:
        events = events.filter(action__startswith=f"{wanted.action}.")
    if wanted.day is not None:
        first, following = clock.day_bounds(wanted.day, wanted.time_zone)
        events = events.filter(at__gte=first, at__lt=following)
    return events.order_by("-at", "-id")
