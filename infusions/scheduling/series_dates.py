"""Which days a series aims at: interval, tolerance, weekday. Pure: days in, days out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from infusions.orders.models import InfusionOrder
from infusions.orders.rules import dose_window
from infusions.scheduling.queries import CourseSoFar
from infusions.scheduling.windows import course_began, rest_of_course

MOST_LINES = 60
SPARE_DAYS = 3  # a first visit may always go to its weekday


def on_weekday(due: dt.date, weekday: int | None, tolerance: int) -> dt.date:
    """The nearest day of that weekday within the tolerance; the due day where there is none."""
    if weekday is None:
        return due
    ahead = (weekday - due.weekday()) % 7
    nearest = ahead if ahead <= 3 else ahead - 7
    return due + dt.timedelta(days=nearest) if abs(nearest) <= tolerance else due


def days_around(due: dt.date, before: int, after: int) -> list[dt.date]:
    return [due + dt.timedelta(days=number) for number in range(-before, after + 1)]


def by_closeness(days: Collection[dt.date], ideal: dt.date, weekdays: Collection[int] = ()) -> list[dt.date]:
    """Wished weekdays before others, then the nearest, the earlier of two."""

    def merit(day: dt.date) -> tuple:
        return bool(weekdays) and day.weekday() not in weekdays, abs((day - ideal).days), day

    return sorted(days, key=merit)


def next_window(order: InfusionOrder, course: CourseSoFar, today: dt.date) -> tuple[dt.date, dt.date]:
    """From when the next visit keeps the interval, and when it is due: neither past nor before the order starts."""
    soonest = max(today, order.starts_on)
    last = max(course.held_on, default=None)
    if (following := rest_of_course(course.held_on, order.days)) and following >= today:
        return following, following
    if last and (order.last_dose_on is None or last >= order.last_dose_on):
        window = dose_window(order, last_on=course_began(last, course.held_on, order.days))
    else:
        window = dose_window(order)
    if window is None:
        return soonest, soonest
    return max(window[0], soonest), max(window[0] + (window[1] - window[0]) // 2, soonest)


def first_day(
    order: InfusionOrder, course: CourseSoFar, today: dt.date, weekday: int | None, asked_for: dt.date | None
) -> dt.date:
    """The day that the first line aims at: near the day asked for, or near the due day, on the wished weekday.

    Not before the interval allows it, unless that was asked for; a patient's very first visit not before its day. A
    course that was begun goes on the next day, whatever the weekday.
    """
    following = rest_of_course(course.held_on, order.days)
    if following and following >= today and asked_for in (None, following):
        return following
    earliest, due = next_window(order, course, today)
    aim = max(asked_for or due, today, order.starts_on)
    if weekday is None:
        return aim
    floor = aim if aim <= earliest else earliest
    day = on_weekday(aim, weekday, SPARE_DAYS)
    return day if day >= floor else day + dt.timedelta(days=7)


def days_missing(order: InfusionOrder, course: CourseSoFar, first_on: dt.date) -> int:
    """How many days the course that begins on `first_on` still has to get: fewer where it was begun just before."""
    begun = 0
    while begun < order.days and first_on - dt.timedelta(days=begun + 1) in course.held_on:
        begun += 1
    return order.days - begun if 0 < begun < order.days else order.days


def expected_days(
    order: InfusionOrder, first: dt.date, weekday: int | None, count: int | None, until: dt.date
) -> list[tuple[dt.date, dt.date]]:
    """(due, aimed at) for each line of a series in which nothing stands in the way; none after the order's end."""
    found, due, day = [], first, first
    until = min(until, order.valid_until)
    while len(found) < min(count or MOST_LINES, MOST_LINES) and day <= until:
        found.append((due, day))
        due = day + dt.timedelta(days=order.interval_days)
        day = on_weekday(due, weekday, order.tolerance_days)
    return found
