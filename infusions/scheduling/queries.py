"""Reads about visits that rules, search and pages share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from django.db.models import FilteredRelation, Q

from infusions.facility.models import Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import DONE, ON_SITE, UPCOMING
from patients.models import Patient
from patients.queries import with_standing_facts

# A no-show is no dose: neither interval nor authorized visits count him.
COUNTING = UPCOMING | ON_SITE | DONE


@dataclass(frozen=True)
class CourseSoFar:
    """The visits of one order that are booked or were held."""

    held_on: frozenset[dt.date]  # in each visit's own zone
    booked: int  # of them not yet given
    last_nurse_id: int | None

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str, int]]) -> CourseSoFar:
        """From state, local start and nurse of each visit, by start."""
        return cls(
            held_on=frozenset(dt.date.fromisoformat(local_start[:10]) for _, local_start, _ in rows),
            booked=sum(1 for state, _, _ in rows if state not in DONE),
            last_nurse_id=rows[-1][2] if rows else None,
        )

    def until(self, on: dt.date) -> CourseSoFar:
        """As if nothing were held on `on` or later: what is due then follows from what lies before it."""
        return replace(self, held_on=frozenset(day for day in self.held_on if day < on))

    def last_before(self, on: dt.date) -> dt.date | None:
        """The last day held before `on`."""
        return max((day for day in self.held_on if day < on), default=None)


class KnownWeight(NamedTuple):
    kg: Decimal
    measured_on: dt.date


@dataclass(frozen=True)
class Wishes:
    """What the patient would like, or needs; see models.BookingPreference."""

    weekdays: frozenset[int] = frozenset()
    earliest: dt.time | None = None
    latest: dt.time | None = None
    nurse_id: int | None = None
    chair_kind: str = ""
    needs_chair_kind: bool = False

    @property
    def needed_kind(self) -> str:
        return self.chair_kind if self.needs_chair_kind else ""


@dataclass(frozen=True)
class Known:
    """What booking asks of an order and its patient besides the order itself."""

    course: CourseSoFar
    wishes: Wishes
    weight: KnownWeight | None
    has_risk: bool


WISH_FIELDS = ("weekdays", "earliest", "latest", "nurse_id", "chair_kind", "needs_chair_kind")


def known_about(order: InfusionOrder, *, ignore: Appointment | None = None, leave_out: Collection[int] = ()) -> Known:
    """One query, a row for each visit of the order that counts.

    `ignore`: a visit that is about to be moved; `leave_out`: row numbers of more of them.
    """
    counting = Q(appointments__order=order, appointments__state__in=COUNTING)
    if gone := {*leave_out, *([ignore.pk] if ignore else [])}:
        counting &= ~Q(appointments__pk__in=gone)
    rows = list(
        with_standing_facts(Patient.objects.filter(pk=order.patient_id))
        .annotate(visit=FilteredRelation("appointments", condition=counting))
        .order_by("visit__start", "visit__pk")
        .values_list(
            *("visit__state", "visit__local_start", "visit__nurse_id", "has_risk", "current_kg", "current_kg_on"),
            *(f"booking_preference__{name}" for name in WISH_FIELDS),
        )
    )
    visits = [row[:3] for row in rows if row[0] is not None]
    has_risk, kg, measured_on, weekdays, *others = rows[0][3:]
    return Known(
        course=CourseSoFar.of(visits),
        wishes=Wishes() if weekdays is None else Wishes(frozenset(weekdays), *others),
        weight=None if kg is None else KnownWeight(kg, measured_on),
        has_risk=has_risk,
    )


def course_so_far(
    order: InfusionOrder, *, ignore: Appointment | None = None, leave_out: Collection[int] = ()
) -> CourseSoFar:
    return known_about(order, ignore=ignore, leave_out=leave_out).course


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
