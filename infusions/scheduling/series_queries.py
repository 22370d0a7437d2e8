"""Reads about the visits that belong together: a series, what follows a visit, what an order has ahead."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker, warning
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.orders.queries import visit_length
from infusions.orders.rules import validity_problems
from infusions.scheduling.models import Appointment
from infusions.scheduling.queries import known_about
from infusions.scheduling.refusals import name_day
from infusions.scheduling.states import DONE, UPCOMING, State


@dataclass(frozen=True)
class Ahead:
    """A booked visit of an order that lies ahead, and what the order has against it."""

    visit: Appointment
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class PlaceInSeries:
    """Visit 4 of 13, and the visits around it."""

    number: int
    total: int
    visits: list[Appointment]

    @property
    def before(self) -> Appointment | None:
        return self.visits[self.number - 2] if self.number > 1 else None

    @property
    def after(self) -> Appointment | None:
        return self.visits[self.number] if self.number < self.total else None


def series_visits(appointment: Appointment) -> list[Appointment]:
    """The visits of the series in the order of time, cancelled ones left out unless it is the one asked for."""
    if not appointment.series_id:
        return []
    visits = Appointment.objects.filter(series=appointment.series_id).select_related("site").order_by("start", "pk")
    return [visit for visit in visits if visit.state != State.CANCELLED or visit.pk == appointment.pk]


def place_in_series(appointment: Appointment) -> PlaceInSeries | None:
    """Its place among the visits of its series, or of its course where it belongs to none; one query."""
    if appointment.series_id:
        visits = series_visits(appointment)
    elif appointment.course_start_id or appointment.order.days > 1:
        first = appointment.course_start_id or appointment.pk
        days = Appointment.objects.filter(Q(pk=first) | Q(course_start_id=first), site=appointment.site_id)
        days = days.select_related("site")
        visits = [one for one in days.order_by("start", "pk") if one.state != State.CANCELLED or one == appointment]
    else:
        return None
    if len(visits) < 2:
        return None
    number = next(number for number, visit in enumerate(visits, start=1) if visit.pk == appointment.pk)
    return PlaceInSeries(number, len(visits), visits)


def following_visits(appointment: Appointment) -> list[Appointment]:
    """The visit and what follows it in its series, else in its course, as far as it has not begun.

    A course moves as one: its days that lie before the visit and have not begun come along. A series lies at one site;
    a course may be begun at one and taken up at another: what is there is not moved or ended from here.
    """
    together = Appointment.objects.filter(order=appointment.order_id, site=appointment.site_id, state__in=UPCOMING)
    course = appointment.course_start_id or appointment.pk
    if appointment.series_id:
        together = together.filter(series=appointment.series_id)
    visits = list(together.select_related("site", "order", "chair", "nurse__user").order_by("start", "pk"))
    if not appointment.series_id:
        return [visit for visit in visits if course in (visit.pk, visit.course_start_id)]
    return [
        visit for visit in visits if visit.start >= appointment.start or course in (visit.pk, visit.course_start_id)
    ]


def visits_ahead(order: InfusionOrder, now: dt.datetime) -> list[Ahead]:
    """Booked visits of the order that have not begun, first to last, each with what stands against it on its day."""
    visits = list(
        order.appointments.filter(state__in=UPCOMING | {State.ARRIVED}, end__gt=now)
        .select_related("site", "chair", "nurse__user", "patient")
        .order_by("start", "pk")
    )
    if not visits:
        return []
    known = known_about(order)
    done = order.appointments.filter(state__in=DONE).count()
    given = max(order.doses_given, done)
    found = []
    for number, visit in enumerate(visits, start=given + 1):
        on = clock.local_date(visit.start, visit.site.time_zone)
        problems = [one for one in validity_problems(order, on, weight=known.weight) if one.code != "visits-used-up"]
        if number > order.visits_authorized:
            message = f"It is visit {number}; {order.visits_authorized} are authorized."
            problems.append(blocker("visits-used-up", message, remedy="Ask for a new authorization."))
        needed = visit_length(order, visit.site, visit.setting, on=on, last_on=known.course.last_before(on)).total
        if order.status == OrderStatus.SIGNED and needed > visit.minutes:
            message = f"It is booked for {visit.minutes} minutes and needs {needed} by now ({name_day(on)})."
            problems.append(warning("visit-too-short", message, remedy="Move it, so that it gets the time it needs."))
        found.append(Ahead(visit, tuple(problems)))
    return found
