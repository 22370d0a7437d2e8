"""Books, moves and cancels many visits of an order at once: all of them in one transaction, or none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, blocker
from infusions.facility.models import Site
from infusions.facility.queries import wall_instant
from infusions.orders.models import InfusionOrder
from infusions.scheduling import meanwhile
from infusions.scheduling.booking import cancel_appointment, move_appointment
from infusions.scheduling.contention import tried_again
from infusions.scheduling.courses import book_course
from infusions.scheduling.models import Appointment, Claim, Series
from infusions.scheduling.placing import locked_appointment, locked_order, refuse_stale, wrong_state
from infusions.scheduling.series_queries import following_visits
from infusions.scheduling.states import State

NOTHING = blocker("nothing-to-book", "No line is left to book.", remedy="Put a line back, or plan other days.")


class Line(Protocol):
    """What is booked together: the consecutive days of one line of a plan."""

    number: int
    starts: Sequence[dt.datetime]


class SeriesRefused(RuleViolation):
    """Nothing was written; `by_line` says for each number of a line why it could not be."""

    def __init__(self, by_line: Mapping[int, Sequence[Problem]]):
        self.by_line = {number: list(found) for number, found in by_line.items()}
        super().__init__([problem for found in self.by_line.values() for problem in found])


@tried_again
@transaction.atomic
def book_series(
    *,
    order: InfusionOrder,
    lines: Sequence[Line],
    by,
    site: Site,
    setting: str,
    now: dt.datetime | None = None,
    override_reason: str = "",
    token: str | None = None,
    weekday: int | None = None,
    local_time: dt.time | None = None,
) -> Series:
    """Book every line, or none: each is checked again by itself, and all that fail are named at once.

    `token`: what a form carries so that sending it twice books once; the first series is returned again.
    Raises SeriesRefused.
    """
    now = now or clock.now()
    order = locked_order(order)
    if token and (earlier := Appointment.objects.filter(idempotency_token=f"{token}.1").first()):
        return _same_series(earlier, order)
    # In the order of time, as every other series is booked: two that want the same chairs queue instead of deadlocking.
    in_order = sorted((line for line in lines if line.starts), key=lambda line: line.starts[0])
    if not in_order:
        raise RuleViolation([NOTHING])
    first = clock.to_local(in_order[0].starts[0], site.time_zone)
    series = Series.objects.create(
        order=order,
        weekday=first.weekday() if weekday is None else weekday,
        local_time=local_time or first.time(),
        booked_by=by,
    )
    refused: dict[int, list[Problem]] = {}
    booked: list[Appointment] = []
    for position, line in enumerate(in_order, start=1):
        try:
            with transaction.atomic():
                booked += book_course(
                    order=order,
                    starts=line.starts,
                    setting=setting,
                    by=by,
                    site=site,
                    now=now,
                    override_reason=override_reason,
                    token=f"{token}.{position}" if token else None,
                    series=series,
                )
        except RuleViolation as violation:
            refused[line.number] = violation.problems
    if refused:
        raise SeriesRefused(refused)
    audit.record("series.booked", series, by=by, patient=order.patient, site=site, visits=len(booked))
    return series


@tried_again
@transaction.atomic
def move_following(
    *,
    appointment: Appointment,
    start: dt.datetime,
    by,
    version: int | None = None,
    now: dt.datetime | None = None,
    override_reason: str = "",
    starts: Mapping[str, dt.datetime] | None = None,
    versions: Mapping[str, int] | None = None,
) -> list[Appointment]:
    """Move a visit of a series and all that follow it by as many local days, to the same wall time; or none.

    `starts` (by public id) replaces the shifted start of single visits, `versions` are those that the person saw.
    Every visit is checked again where it lands; what moves with it and is not placed yet does not stand in its way.
    Raises SeriesRefused, its lines numbered from 1 as in `following_visits`.
    """
    now = now or clock.now()
    locked_order(appointment.order)
    refuse_stale(locked_appointment(appointment), version)
    tail = following_visits(appointment)
    if appointment.pk not in {visit.pk for visit in tail}:
        raise RuleViolation([wrong_state(appointment, "be moved")])
    _refuse_changed(tail, versions)
    wanted = shifted(tail, appointment, start) | dict(starts or {})
    Claim.objects.filter(appointment__in=tail).delete()
    waiting = {visit.pk for visit in tail}
    refused: dict[int, list[Problem]] = {}
    moved: list[Appointment] = []
    for number, visit in enumerate(tail, start=1):
        waiting.discard(visit.pk)
        try:
            with transaction.atomic():
                moved.append(
                    move_appointment(
                        appointment=visit,
                        start=wanted[visit.public_id],
                        by=by,
                        now=now,
                        override_reason=override_reason,
                        leave_out=tuple(waiting),
                    )
                )
        except RuleViolation as violation:
            refused[number] = violation.problems
    if refused:
        raise SeriesRefused(refused)
    _note_new_rhythm(appointment, start, whole=len(tail) > 1)
    return moved


@tried_again
@transaction.atomic
def cancel_following(
    *,
    appointment: Appointment,
    reason: str,
    by,
    version: int | None = None,
    versions: Mapping[str, int] | None = None,
    now: dt.datetime | None = None,
) -> list[Appointment]:
    """Cancel a visit and all that follow it in its series or course; or none. `versions`: those that were seen."""
    now = now or clock.now()
    locked_order(appointment.order)
    refuse_stale(locked_appointment(appointment), version)
    tail = following_visits(appointment)
    if appointment.pk not in {visit.pk for visit in tail}:
        raise RuleViolation([wrong_state(appointment, "be cancelled")])
    _refuse_changed(tail, versions)
    return [cancel_appointment(appointment=visit, reason=reason, by=by, now=now) for visit in tail]


def shifted(visits: Iterable[Appointment], appointment: Appointment, start: dt.datetime) -> dict[str, dt.datetime]:
    """Where each visit lands when the appointment goes to `start`: as many local days on, at its new wall time.

    Counted in local days and not in hours, so the wall time holds when the clocks change in between.
    """
    zone = appointment.site.time_zone
    to = clock.to_local(start, zone)
    by_days = to.date() - clock.local_date(appointment.start, zone)
    return {
        visit.public_id: wall_instant(clock.local_date(visit.start, zone) + by_days, to.time(), zone)
        for visit in visits
    }


def _same_series(earlier: Appointment, order: InfusionOrder) -> Series:
    if earlier.order_id == order.pk and earlier.series_id and earlier.state != State.CANCELLED:
        return earlier.series
    message = "This form has already booked other visits."
    raise RuleViolation([blocker("token-reused", message, remedy="Plan the series again.")])


def _refuse_changed(tail: Sequence[Appointment], versions: Mapping[str, int] | None) -> None:
    """Somebody moved, cancelled or added a visit of the tail after the person looked at it."""
    if versions is not None and (told := meanwhile.told_of_several(tail, versions)):
        message = f"The visits that follow were changed meanwhile. {told}"
        raise RuleViolation([blocker("changed-meanwhile", message, remedy="Look at the new dates and press again.")])


def _note_new_rhythm(appointment: Appointment, start: dt.datetime, *, whole: bool) -> None:
    """What later visits of the series are counted from."""
    if appointment.series_id and whole:
        local = clock.to_local(start, appointment.site.time_zone)
        Series.objects.filter(pk=appointment.series_id).update(weekday=local.weekday(), local_time=local.time())
