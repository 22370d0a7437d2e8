"""Signed orders whose patient is due, or soon will be, and has no visit booked in time: nobody is forgotten."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from infusion_center.core import clock
from infusions.facility.models import Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from infusions.scheduling.queries import COUNTING, CourseSoFar
from infusions.scheduling.slots import next_window
from infusions.scheduling.states import DONE, ON_SITE, UPCOMING, State
from infusions.scheduling.windows import DrugWindow

DUE_WITHIN = dt.timedelta(days=14)
# How far around today a cancelled visit may have left a gap before the visits that follow.
CANCELLED_WITHIN = dt.timedelta(days=35)
# Orders run for twelve months at most, so whoever is treated by one was here within that time.
LOOK_BACK = dt.timedelta(days=400)


@dataclass(frozen=True)
class DueOrder:
    order: InfusionOrder
    window: DrugWindow
    last_held_on: dt.date | None
    cancelled_because: str = ""  # of the visit that it lost last

    @property
    def is_used_up(self) -> bool:
        return self.order.doses_given >= self.order.visits_authorized

    @property
    def ends_before(self) -> bool:
        """The order does not reach its next visit."""
        return self.window.last < self.window.first


def due_orders(site: Site, now: dt.datetime) -> list[DueOrder]:
    """Of patients last seen at the site, of its own never booked anywhere, and of those who lost a visit by cancelling;
    due longest first. Six queries."""
    today = clock.local_date(now, site.time_zone)
    cancelled = _cancelled_near(site, now)
    begins, _ = clock.day_bounds(today, site.time_zone)
    orders = [
        *_of_patients_seen(site, today, now),
        *_of_new_patients(site, today),
        *_of_cancelled(cancelled, today, begins),
    ]
    orders = _one_each(orders)
    visits = _visits_of(orders, begins)
    found = [due for order in orders if (due := _due(order, visits[order.pk], today))]
    found = [replace(one, cancelled_because=cancelled.get(one.order.pk, "")) for one in found]
    return sorted(found, key=lambda one: (one.window.due_on, one.order.patient.name, one.order.pk))


def _due(order: InfusionOrder, visits: list[tuple], today: dt.date) -> DueOrder | None:
    """Whether the order is due and nothing is booked in time: a visit after the window comes too late for it."""
    booked = [visit for visit in visits if visit[0] not in DONE]
    ahead = min(CourseSoFar.of(booked).held_on, default=None)
    course = CourseSoFar.of(visits)
    so_far = course.until(ahead) if ahead else course
    window = next_window(order, so_far, today)
    if window.first > today + DUE_WITHIN or (ahead and ahead <= window.last):
        return None
    return DueOrder(order, window, max(so_far.held_on, default=order.last_dose_on))


def _unbooked(today: dt.date) -> QuerySet[InfusionOrder]:
    orders = InfusionOrder.objects.signed().filter(valid_until__gte=today, starts_on__lte=today + DUE_WITHIN)
    return orders.filter(patient__is_active=True).select_related("patient", "product", "indication")


def _of_patients_seen(site: Site, today: dt.date, now: dt.datetime) -> list[InfusionOrder]:
    """From the site's visits to its patients to their orders: two statements, so that no other site's order is read."""
    theirs = Appointment.objects.filter(patient=OuterRef("patient_id")).order_by()
    first, _ = clock.day_bounds(today, site.time_zone)
    ahead = theirs.filter(Q(state__in=UPCOMING, start__gte=first) | Q(state__in=ON_SITE, start__gte=now - DUE_WITHIN))
    last = theirs.exclude(state=State.CANCELLED).order_by("-start", "-pk").values("site_id")[:1]
    seen = Appointment.objects.filter(site=site, start__gte=now - LOOK_BACK, start__lt=now).exclude(
        state=State.CANCELLED
    )
    patients = list(seen.order_by().values_list("patient_id", flat=True).distinct())
    orders = _unbooked(today).filter(~Exists(ahead), patient__in=patients).annotate(last_site=Subquery(last))
    return [order for order in orders.order_by() if order.last_site == site.pk]


def _of_new_patients(site: Site, today: dt.date) -> QuerySet[InfusionOrder]:
    """No site has seen them yet, so each that is to treat them is told."""
    booked = Appointment.objects.filter(patient=OuterRef("patient_id")).exclude(state=State.CANCELLED).order_by()
    theirs = _unbooked(today).filter(patient__site_links__site=site, doses_given=0)
    return theirs.filter(~Exists(booked))


def _cancelled_near(site: Site, now: dt.datetime) -> dict[int, str]:
    """Row numbers of the orders that lost a visit of these weeks, with the reason of the one cancelled last."""
    cancelled = Appointment.objects.filter(
        site=site, state=State.CANCELLED, start__gte=now - CANCELLED_WITHIN, start__lt=now + CANCELLED_WITHIN
    )
    return dict(cancelled.order_by("cancelled_at", "pk").values_list("order_id", "cancel_reason"))


def _of_cancelled(cancelled: Collection[int], today: dt.date, begins: dt.datetime) -> list[InfusionOrder]:
    """Who lost a visit, even if later ones of the series are booked; not who goes on with another order."""
    others = Appointment.objects.filter(patient=OuterRef("patient_id")).exclude(order=OuterRef("pk")).order_by()
    ahead = others.filter(state__in=UPCOMING, start__gte=begins)
    return list(_unbooked(today).filter(~Exists(ahead), pk__in=list(cancelled)))


def _one_each(orders: Iterable[InfusionOrder]) -> list[InfusionOrder]:
    """Of a patient's orders that overlap, the one that takes over."""
    latest: dict[int, InfusionOrder] = {}
    for order in sorted(orders, key=lambda order: (order.starts_on, order.pk)):
        latest[order.patient_id] = order
    return list(latest.values())


def _visits_of(orders: list[InfusionOrder], today_begins: dt.datetime) -> dict[int, list[tuple]]:
    """State, local start and nurse of each visit that was held, by order. One of an earlier day that nobody checked in
    and nobody marked a no-show is taken as missed: rather asked once too often than forgotten."""
    rows: dict[int, list[tuple]] = defaultdict(list)
    visits = Appointment.objects.filter(order__in=orders, state__in=COUNTING)
    visits = visits.exclude(state__in=UPCOMING, start__lt=today_begins).order_by("start", "pk")
    for order_id, *row in visits.values_list("order_id", "state", "local_start", "nurse_id"):
        rows[order_id].append(tuple(row))
    return rows
