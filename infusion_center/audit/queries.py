"""Reads of the audit trail, by site and by what the page filters on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.utils.functional import cached_property

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock

# By what the trail can be sorted: fixed, never by a name from the request. Each has an index.
SORTS = {
    "date": ("-at", "-id"),
    "patient": ("patient_id", "-at", "-id"),
    "user": ("actor_name", "-at", "-id"),
    "action": ("action", "-at", "-id"),
}
PAGE, COUNTED = 50, 5_000


@dataclass(frozen=True)
class Reach:
    """Whose events a person may read: of sites (by public id), of patients, of staff."""

    site_ids: Collection[str]
    patients: QuerySet
    staff: QuerySet

    def condition(self) -> Q:
        """Events of these sites; of no site, those about one of the patients, or else done by one of the staff.

        That a further site treats a patient, or wanted to, is for all of his sites; a refused page, of whatever
        patient, for the sites of whoever was refused. IN and not EXISTS: asked once, not for each event.
        """
        about_theirs = Q(patient_id__in=self.patients.order_by().values("public_id"))
        by_theirs = Q(actor_id=None) | Q(actor_id__in=self.staff.order_by().values("pk"))
        of_no_site = Q(site_id="") & (about_theirs | Q(patient_id="") & by_theirs)
        added = Q(action__in=("patient.site_added", "patient.treat_here_refused"))
        told = added & about_theirs | Q(action="access.denied") & by_theirs
        return Q(site_id__in=self.site_ids) | of_no_site | told


@dataclass(frozen=True)
class TrailFilter:
    """What to show; empty means all."""

    reach: Reach
    time_zone: str
    actor_id: int | None = None
    patient_id: str = ""
    action: str = ""
    device: str = ""
    day: dt.date | None = None
    upto: int | None = None  # later ones came while the reader turned pages
    sort: str = "date"


def trail(wanted: TrailFilter) -> QuerySet[AuditEvent]:
    """Sorted as wanted; newest first among equals."""
    events = AuditEvent.objects.filter(wanted.reach.condition())
    if wanted.actor_id is not None:
        events = events.filter(actor_id=wanted.actor_id)
    if wanted.patient_id:
        events = events.filter(patient_id=wanted.patient_id)
    if wanted.action:
        events = events.filter(action__startswith=f"{wanted.action}.")
    if wanted.device:
        events = events.filter(device__icontains=wanted.device)
    if wanted.day is not None:
        first, following = clock.day_bounds(wanted.day, wanted.time_zone)
        events = events.filter(at__gte=first, at__lt=following)
    if wanted.upto is not None:
        events = events.filter(pk__lte=wanted.upto)
    if wanted.sort == "patient":
        events = events.exclude(patient_id="")
    return events.order_by(*SORTS.get(wanted.sort, SORTS["date"]))


class TrailPages(Paginator):
    """Counts only so far: of a million events nobody turns all pages, and counting them takes longer than a page."""

    def __init__(self, events: QuerySet):
        super().__init__(events, PAGE)

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by().values("pk")[:COUNTED].count()

    @property
    def is_capped(self) -> bool:
        return self.count == COUNTED


def last_event_id() -> int:
    return AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
