"""Between which local days the next visit of an order may lie, and which of them is best. Pure: days in, days out."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

DAYS_AHEAD = 28
LEAST_DAYS_AHEAD = 14


@dataclass(frozen=True)
class DrugWindow:
    """Local days, first and last included. Before `needs_approval_before` the interval is not kept."""

    due_on: dt.date
    first: dt.date
    last: dt.date
    needs_approval_before: dt.date | None = None
    is_overdue: bool = False

    @property
    def days(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=number) for number in range((self.last - self.first).days + 1)]


def drug_window(
    *, today: dt.date, starts_on: dt.date, valid_until: dt.date, dose_window: tuple[dt.date, dt.date] | None
) -> DrugWindow:
    """The days in which to look for the next visit. `dose_window`: first and last day that keep the order's interval.

    Without one (nothing given or booked yet), four weeks from today or from the order's first day. A visit that is
    overdue is looked for from today on. Nothing before today, before the order starts, or after it ends.
    """
    soonest = max(today, starts_on)
    if dose_window is None:
        last = soonest + dt.timedelta(days=DAYS_AHEAD)
        return DrugWindow(soonest, soonest, min(last, valid_until))
    first, last = dose_window
    due_on = first + (last - first) // 2
    is_overdue = last < soonest
    if is_overdue:
        last = soonest + dt.timedelta(days=LEAST_DAYS_AHEAD)
    return DrugWindow(
        due_on, max(first, soonest), min(last, valid_until), needs_approval_before=first, is_overdue=is_overdue
    )


def rest_of_course(held: Collection[dt.date], course_days: int) -> dt.date | None:
    """The day after the last visit held, while its course over consecutive days is not yet booked to its end."""
    if not held or course_days == 1:
        return None
    last, begun = max(held), 0
    while last - dt.timedelta(days=begun) in held:
        begun += 1
    return last + dt.timedelta(days=1) if begun < course_days else None


def course_began(day: dt.date, held: Collection[dt.date], course_days: int) -> dt.date:
    """The first day of the course that a held day belongs to: intervals are counted from there, as for doses given."""
    began = day
    while (day - began).days + 1 < course_days and began - dt.timedelta(days=1) in held:
        began -= dt.timedelta(days=1)
    return began


def neighbours(day: dt.date, held: Collection[dt.date]) -> tuple[dt.date | None, dt.date | None]:
    """The nearest days held before and after `day`; `day` itself counts as before."""
    return max((d for d in held if d <= day), default=None), min((d for d in held if d > day), default=None)
