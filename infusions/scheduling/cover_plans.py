"""Proposes what becomes of visits that cannot take place as booked: another seat at their time, else another time.

A seat at the same time comes first, because nothing changes for the patient; who has none is shown the nearest starts
that fit inside the order's tolerance. A plan is nothing but an answer: applying it checks everything again.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Q

from infusion_center.core import clock
from infusion_center.core.rules import Severity
from infusions.facility.models import Site
from infusions.scheduling.cover import WAITING
from infusions.scheduling.models import Appointment
from infusions.scheduling.queries import Known, known_about
from infusions.scheduling.reseating import Reseating, SeatChange, Undecided, reseat_day
from infusions.scheduling.rules import approvals, order_problems_on
from infusions.scheduling.slots import SlotOption, find_slots
from infusions.scheduling.states import MOVABLE

DAYS_AT_ONCE = 14
SECONDS = 10  # no further day is begun after so long: somebody waits for the page
TIMES_FOR = 12  # visits whose new times are searched at once
OPTIONS = 3
MOST_STARTS = 100
NEAR = 2  # days either way that are looked at first
WIDEST = 14  # days either way, for orders of long tolerance


@dataclass(frozen=True)
class DayPlan:
    """One day: who gets another seat, who else changes for that, and who has none at this time."""

    day: dt.date
    seated: tuple[SeatChange, ...] = ()
    others: tuple[SeatChange, ...] = ()
    unseated: tuple[Appointment, ...] = ()
    undecided: bool = False

    @property
    def changes(self) -> tuple[SeatChange, ...]:
        return self.seated + self.others


@dataclass(frozen=True)
class CoverPlan:
    """What is proposed for some days. `times`: the nearest other starts for each visit without a seat."""

    days: tuple[DayPlan, ...]
    times: Mapping[int, list[SlotOption]] = field(default_factory=dict)
    later_days: int = 0  # visits on days beyond those looked at

    @property
    def unseated(self) -> list[Appointment]:
        """As many as somebody can call in one sitting, by time; new times are looked for these only."""
        return self._unseated[:TIMES_FOR]

    @property
    def left_for_later(self) -> int:
        return self.later_days + len(self._unseated[TIMES_FOR:])

    @property
    def _unseated(self) -> list[Appointment]:
        return [visit for day in self.days for visit in day.unseated]

    @property
    def is_empty(self) -> bool:
        return not any(day.changes or day.unseated for day in self.days)


def propose(site: Site, visits: Iterable[Appointment], *, person, now: dt.datetime) -> CoverPlan:
    """For uncovered visits of the site. Each day is solved by itself: six queries, and seven for each new time."""
    by_day: dict[dt.date, list[Appointment]] = defaultdict(list)
    for visit in visits:
        by_day[clock.local_date(visit.start, site.time_zone)].append(visit)
    days, plans, stop_at = sorted(by_day), [], time.monotonic() + SECONDS
    for day in days[:DAYS_AT_ONCE]:
        if plans and time.monotonic() > stop_at:
            break
        plans.append(_stuck(plan_day(site, day, by_day[day], now=now), by_day[day]))
    later = sum(len(by_day[day]) for day in days[len(plans) :])
    return _with_times(CoverPlan(tuple(plans), later_days=later), site, person=person, now=now)


def propose_for_overrun(site: Site, late: Appointment, until: dt.datetime, *, person, now: dt.datetime) -> CoverPlan:
    """For the later visits that are hit when one in progress holds its chair and nurse until `until`.

    Those still to come are found by the seating itself; whose time has come already and who waits is asked for.
    """
    day = clock.local_date(late.start, site.time_zone)
    waiting = Appointment.objects.filter(
        site=site, state__in=WAITING, start__gte=late.start, start__lt=now, end__gt=now
    )
    sharing = Q(chair__isnull=False, chair=late.chair_id) | Q(nurse=late.nurse_id)
    plan = plan_day(site, day, list(waiting.filter(sharing).with_people()), now=now, longer={late.pk: until})
    # Each of them stands for itself: nobody asked for one rather than for another.
    together = sorted(plan.changes, key=lambda change: (change.appointment.start, change.appointment.pk))
    plan = replace(plan, seated=(), others=tuple(together))
    return _with_times(CoverPlan((plan,)), site, person=person, now=now)


def plan_day(
    site: Site,
    day: dt.date,
    visits: Sequence[Appointment],
    *,
    now: dt.datetime,
    longer: Mapping[int, dt.datetime] | None = None,
) -> DayPlan:
    try:
        found = reseat_day(site=site, day=day, uncovered=visits, now=now, longer=longer)
    except Undecided:
        return DayPlan(day, unseated=tuple(visits), undecided=True)
    found = found or Reseating(None, (), tuple(visits))
    asked = {visit.pk: visit for visit in visits}
    changes = sorted(found.changes, key=lambda change: (change.appointment.start, change.appointment.pk))
    # Another place of the same nurse is no change that anybody sees, but it may be all that an uncovered visit lacked.
    seated = tuple(change for change in changes if change.appointment.pk in asked)
    others = tuple(change for change in changes if change.appointment.pk not in asked and change.is_visible)
    return DayPlan(day, seated, others, tuple(sorted(found.unseated, key=lambda visit: (visit.start, visit.pk))))


def _stuck(plan: DayPlan, visits: Iterable[Appointment]) -> DayPlan:
    """An uncovered visit that would keep the seat it has is not helped: it needs another time, or a decision."""
    settled = {change.appointment.pk for change in plan.seated} | {visit.pk for visit in plan.unseated}
    stuck = [visit for visit in visits if visit.pk not in settled]
    return replace(plan, unseated=tuple(sorted([*plan.unseated, *stuck], key=lambda visit: (visit.start, visit.pk))))


def _with_times(plan: CoverPlan, site: Site, *, person, now: dt.datetime) -> CoverPlan:
    movable = [visit for visit in plan.unseated if visit.state in MOVABLE]
    return replace(plan, times={visit.pk: nearest_times(visit, site, person=person, now=now) for visit in movable})


def nearest_times(visit: Appointment, site: Site, *, person, now: dt.datetime) -> list[SlotOption]:
    """Free starts nearest to the visit's own, of the days around it or else of the whole tolerance.

    Only such as need no decision: the rules say whether a day keeps the interval to the visits before and after.
    """
    order = visit.order
    known = known_about(order, ignore=visit)
    widest = min(max(order.tolerance_days, 1), WIDEST)
    for reach in sorted({min(NEAR, widest), widest}):
        nearest: list[SlotOption] = []
        for option in _starts_around(visit, site, reach, known, person=person, now=now):
            if _is_another(option, nearest):
                nearest.append(option)
            if len(nearest) == OPTIONS:
                return nearest
    return nearest


def _starts_around(visit: Appointment, site: Site, reach: int, known: Known, *, person, now: dt.datetime):
    """Free starts within so many days either way, nearest first."""
    order, day = visit.order, clock.local_date(visit.start, site.time_zone)
    days = [day + dt.timedelta(days=number) for number in range(-reach, reach + 1)]
    lawful = {on for on in days if _is_lawful(visit, on, known, person)}
    found = find_slots(
        order,
        setting=visit.setting,
        site=site,
        earliest=days[0],
        latest=days[-1],
        limit=MOST_STARTS,
        now=now,
        moving=visit,
    )
    fitting = (
        option
        for option in found.options
        if not option.changes and clock.local_date(option.start, site.time_zone) in lawful
    )
    return sorted(fitting, key=lambda option: _distance(option.start, visit, site))


def _is_lawful(visit: Appointment, on: dt.date, known: Known, person) -> bool:
    problems = order_problems_on(visit.order, visit.setting, known.course, on, weight=known.weight)
    grave = (Severity.BLOCKER, Severity.APPROVAL)
    return not any(problem.severity in grave for problem in approvals(problems, person))


def _distance(start: dt.datetime, visit: Appointment, site: Site) -> tuple:
    """The nearest day comes first, and on it the hour that the patient is used to."""
    local, usual = (clock.to_local(at, site.time_zone) for at in (start, visit.start))
    minutes = (local.hour - usual.hour) * 60 + local.minute - usual.minute
    return abs((local.date() - usual.date()).days), abs(minutes), start


def _is_another(option: SlotOption, chosen: list[SlotOption]) -> bool:
    """An hour apart at least, and not all on one day: quarters of the same hour are no choice."""
    apart = all(abs(option.start - other.start) >= dt.timedelta(hours=1) for other in chosen)
    near = sum(abs(option.start - other.start) < dt.timedelta(hours=14) for other in chosen)
    return apart and near < OPTIONS - 1
