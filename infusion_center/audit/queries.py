"""Reads of the audit trail, by site and by what the page filters on."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock


@dataclass(frozen=True)
class Reach:
    """Whose events a person may read: of sites (by public id), of patients, of staff."""

    site_ids: Collection[str]
    patients: QuerySet
    staff: QuerySet

    def condition(self) -> Q:
        """Events of these sites; of no site, those about one of the patients, or else done by one of the staff.

        That a further site treats a patient is for all of his sites. IN and not EXISTS: asked once, not for each event.
        """
        about_theirs = Q(patient_id__in=self.patients.order_by().values("public_id"))
        by_theirs = Q(actor_id=None) | Q(actor_id__in=self.staff.order_by().values("pk"))
        of_no_site = Q(site_id="") & (about_theirs | Q(patient_id="") & by_theirs)
        return Q(site_id__in=self.site_ids) | of_no_site | Q(action="patient.site_added") & about_theirs


@dataclass(frozen=True)
class TrailFilter:
    """What to show; empty means all."""

    reach: Reach
    time_zone: str
    actor_id: int | None = None
    patient_id: str = ""
    action: str = ""
    day: dt.date | None = None


def trail(wanted: TrailFilter) -> QuerySet[AuditEvent]:
    """Newest first."""
    events = AuditEvent.objects.filter(wanted.reach.condition())
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
