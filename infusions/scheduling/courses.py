"""Courses over consecutive days: found, booked and named as one, while each day is a visit of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction
from django.db.models import Q

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker
from infusions.facility.models import Chair, Nurse, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling import series_words
from infusions.scheduling.booking import book_appointment
from infusions.scheduling.contention import tried_again
from infusions.scheduling.models import Appointment, Series
from infusions.scheduling.queries import course_so_far
from infusions.scheduling.rules import booking_problems
from infusions.scheduling.series_dates import days_missing
from infusions.scheduling.series_lines import LineWish, SeriesLine
from infusions.scheduling.series_placing import Placer
from infusions.scheduling.series_planning import check_series
from infusions.scheduling.slots import SlotOption
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


def whole_courses(
    *, order: InfusionOrder, options: Sequence[SlotOption], site: Site, setting: str, now: dt.datetime | None = None
) -> list[SlotOption]:
    """Of starts that fit the first day those for which every day that follows has one too, which their merits name.

    The days that follow are read together, for all options.
    """
    if order.days == 1 or not options:
        return list(options)
    placer, zone = Placer(order, site, setting, now or clock.now()), site.time_zone
    walls = {option.start: clock.to_local(option.start, zone) for option in options}
    placer.days.read(day for local in set(walls.values()) for day in placer.course_days(local.date()))
    found = []
    for option in options:
        local = walls[option.start]
        _, *later = placer.starts_of(local.date(), local.time(), exact=True) or [None]
        if len(later) + 1 == len(placer.course_days(local.date())):
            words = series_words.later_days(later, site, first=order.days - len(later) + 1)
            found.append(replace(option, merits=(*option.merits, words) if words else option.merits))
    return found


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


def book_visit_or_course(
    *, order: InfusionOrder, start: dt.datetime, site: Site, setting: str, token: str | None = None, **more
) -> Appointment:
    """What a single press on a start books: one visit, or all days of a course from there on; the first is returned."""
    asked = {"order": order, "site": site, "setting": setting, "token": token, **more}
    sent_before = token and Appointment.objects.filter(idempotency_token=token).exists()
    if order.days == 1 or sent_before:
        return book_appointment(start=start, **asked)
    line = plan_course(order=order, start=start, site=site, setting=setting, now=more.get("now"))
    if line is None or not line.visits:
        # Its reasons, or those that stand against the order as such.
        problems = (
            line.problems
            if line
            else booking_problems(
                order=order, site=site, setting=setting, start=start, now=more.get("now") or clock.now()
            )
        )
        raise RuleViolation(problems)
    return book_course(starts=line.starts, **asked)[0]


def _first_of_begun_course(order: InfusionOrder, first_on: dt.date, begun: int) -> Appointment | None:
    if not begun:
        return None
    day = f"{first_on - dt.timedelta(days=begun):%Y-%m-%d}"
    visits = order.appointments.filter(local_start__startswith=day).exclude(state__in=[State.CANCELLED, State.NO_SHOW])
    return visits.order_by("start", "pk").first()
