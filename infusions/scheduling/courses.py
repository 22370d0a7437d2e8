"""Courses over consecutive days: found, booked and named as one, while each day is a visit of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker
from infusions.facility.models import Chair, Nurse, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.booking import book_appointment
from infusions.scheduling.contention import tried_again
from infusions.scheduling.models import Appointment, Series
from infusions.scheduling.queries import course_so_far
from infusions.scheduling.series_dates import days_missing
from infusions.scheduling.series_lines import LineWish, SeriesLine
from infusions.scheduling.series_planning import check_series
from infusions.scheduling.states import State


def course_visits(appointment: Appointment) -> list[Appointment]:
    """All days of the course that the visit belongs to, cancelled ones left out; only itself for a single day."""
    first = appointment.course_start_id or appointment.pk
    days = Appointment.objects.filter(Q(pk=first) | Q(course_start_id=first)).exclude(state=State.CANCELLED)
    return list(days.select_related("site", "chair", "nurse__user").order_by("start", "pk"))


def plan_course(
    *, order: InfusionOrder, start: dt.datetime, site: Site, setting: str, now: dt.datetime | None = None
) -> SeriesLine | None:
    """The days that follow when the first is at `start`: the same wall time, or the nearest that fits on the day."""
    local = clock.to_local(start, site.time_zone)
    wish = LineWish(1, local.date(), local.time().replace(second=0, microsecond=0))
    lines = check_series(order=order, site=site, setting=setting, lines=[wish], now=now).lines
    return lines[0] if lines else None


@tried_again
@transaction.atomic
def book_course(
    *,
    order: InfusionOrder,
    starts: Sequence[dt.datetime],
    setting: str,
    by,
    site: Site,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    now: dt.datetime | None = None,
    override_reason: str = "",
    token: str | None = None,
    series: Series | None = None,
) -> list[Appointment]:
    """Book a visit for each start, on consecutive days, or none of them. A course that was begun is taken up.

    `token` is the first day's; the others' are made from it, so that sending a form twice books once.
    """
    if not starts:
        raise RuleViolation([blocker("nothing-to-book", "No day of the course fits.", field="start")])
    starts = sorted(starts)
    first_on = clock.local_date(starts[0], site.time_zone)
    begun = order.days - days_missing(order, course_so_far(order), first_on)
    first = _first_of_begun_course(order, first_on, begun)
    booked: list[Appointment] = []
    for number, start in enumerate(starts):
        visit = book_appointment(
            order=order,
            start=start,
            setting=setting,
            by=by,
            site=site,
            chair=chair,
            nurse=nurse,
            now=now,
            override_reason=override_reason,
            token=f"{token}.{number}" if token and number else token,
            series=series,
            course_day=begun + number + 1,
            course_start=first,
        )
        first = first or (visit if len(starts) > 1 else None)
        booked.append(visit)
    return booked


def _first_of_begun_course(order: InfusionOrder, first_on: dt.date, begun: int) -> Appointment | None:
    if not begun:
        return None
    day = f"{first_on - dt.timedelta(days=begun):%Y-%m-%d}"
    visits = order.appointments.filter(local_start__startswith=day).exclude(state__in=[State.CANCELLED, State.NO_SHOW])
    return visits.order_by("start", "pk").first()
