"""Reads about visits that rules, search and pages share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from infusions.facility.models import Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import DONE, ON_SITE, UPCOMING

# A no-show is no dose: neither interval nor authorized visits count him.
COUNTING = UPCOMING | ON_SITE | DONE


@dataclass(frozen=True)
class CourseSoFar:
    """The visits of one order that are booked or were held."""

    held_on: frozenset[dt.date]  # in each visit's own zone
    booked: int  # of them not yet given
    last_nurse_id: int | None

    def last_before(self, on: dt.date) -> dt.date | None:
        """The last day held before `on`."""
        return max((day for day in self.held_on if day < on), default=None)


def course_so_far(
    order: InfusionOrder, *, ignore: Appointment | None = None, leave_out: Collection[int] = ()
) -> CourseSoFar:
    """One query. `ignore`: a visit that is about to be moved; `leave_out`: row numbers of more of them."""
    visits = order.appointments.filter(state__in=COUNTING).order_by("start", "pk")
    if gone := {*leave_out, *([ignore.pk] if ignore else [])}:
        visits = visits.exclude(pk__in=gone)
    rows = list(visits.values_list("state", "local_start", "nurse_id"))
    return CourseSoFar(
        held_on=frozenset(dt.date.fromisoformat(local_start[:10]) for _, local_start, _ in rows),
        booked=sum(1 for state, _, _ in rows if state not in DONE),
        last_nurse_id=rows[-1][2] if rows else None,
    )


def usual_site(order: InfusionOrder) -> Site | None:
    """Where the patient was last booked; the first of all sites for a new patient."""
    last = Appointment.objects.filter(patient_id=order.patient_id).select_related("site").order_by("-start").first()
    return last.site if last else Site.objects.order_by("name").first()


def appointments_of(patient):
    """All visits of a patient, latest first."""
    return (
        Appointment.objects.filter(patient=patient)
        .select_related("site", "chair", "nurse__user", "order__product")
        .order_by("-start", "-pk")
    )
