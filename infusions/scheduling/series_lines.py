"""What a plan of a series consists of: what was wished for, the lines, and the visits of each line."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from infusion_center.core.rules import Problem, Severity
from infusions.facility.models import Chair, Nurse, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from infusions.scheduling.queries import Wishes


@dataclass(frozen=True)
class Aim:
    """Weekday and wall time to aim at, whose wish that is, and the weekdays and hours that the patient likes."""

    weekday: int | None = None
    time: dt.time | None = None
    because: str = "as chosen"
    weekdays: frozenset[int] = frozenset()
    earliest: dt.time | None = None
    latest: dt.time | None = None

    @property
    def has_hours(self) -> bool:
        return bool(self.earliest or self.latest)

    def may_start(self, wall: dt.time) -> bool:
        return (self.earliest or dt.time.min) <= wall <= (self.latest or dt.time.max)

    def with_time(self, time: dt.time) -> Aim:
        return replace(self, time=time, because="fits most of these dates")


@dataclass(frozen=True)
class LineWish:
    """What a scheduler typed for one line, by the site's clock; `why` is kept from an unchanged plan.

    `days`: how many consecutive days the line has, where that does not follow from the order: of visits that move.
    """

    number: int
    day: dt.date
    time: dt.time
    is_kept: bool = True
    why: str = ""
    days: int | None = None


@dataclass(frozen=True)
class PlannedVisit:
    """One day of a line, with the chair and nurse that booking would most likely give."""

    start: dt.datetime
    end: dt.datetime
    nurse: Nurse
    chair: Chair | None = None
    course_day: int = 1


@dataclass(frozen=True)
class SeriesLine:
    """One visit of the plan, or one course over consecutive days. Without visits nothing fits, and `problems` say why.

    `day` and `time` are by the site's clock: what was chosen, or what was asked for where nothing fits.
    """

    number: int
    ideal_on: dt.date
    day: dt.date
    time: dt.time
    visits: tuple[PlannedVisit, ...] = ()
    why: str = ""
    problems: tuple[Problem, ...] = ()
    alternatives: tuple[dt.datetime, ...] = ()
    is_kept: bool = True

    @property
    def starts(self) -> tuple[dt.datetime, ...]:
        return tuple(visit.start for visit in self.visits)

    @property
    def blockers(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == Severity.BLOCKER]

    @property
    def needs_reason(self) -> bool:
        return any(problem.severity == Severity.APPROVAL for problem in self.problems)

    @property
    def can_be_booked(self) -> bool:
        return self.is_kept and bool(self.visits) and not self.blockers


@dataclass(frozen=True)
class SeriesPlan:
    """`problems` stand against the whole series; then there are no lines."""

    lines: tuple[SeriesLine, ...] = ()
    problems: tuple[Problem, ...] = ()
    aim: Aim = Aim()
    first_on: dt.date | None = None

    @property
    def bookable(self) -> list[SeriesLine]:
        return [line for line in self.lines if line.can_be_booked]

    @property
    def unplaced(self) -> list[SeriesLine]:
        return [line for line in self.lines if line.is_kept and not line.can_be_booked]

    @property
    def needs_reason(self) -> bool:
        return any(line.needs_reason for line in self.bookable)


def usual_aim(
    order: InfusionOrder, site: Site, liked: Wishes, *, weekday: int | None = None, time: dt.time | None = None
) -> Aim:
    """What was asked for, else what the patient likes, else weekday and time of his last visit. One query."""
    last = (
        Appointment.objects.filter(patient=order.patient_id, site=site).order_by("-start").values_list("local_start")
    ).first()
    local = dt.datetime.fromisoformat(last[0]) if last else None
    because = "as wished"
    if weekday is None and time is None:
        because = "as the patient prefers" if liked.weekdays or liked.earliest else "as last time"
    if weekday is None:
        weekday = _usual_weekday(liked, local)
    if time is None and local and Aim(earliest=liked.earliest, latest=liked.latest).may_start(local.time()):
        time = local.time()
    return Aim(
        weekday=weekday,
        time=time or liked.earliest,
        because=because,
        weekdays=liked.weekdays,
        earliest=liked.earliest,
        latest=liked.latest,
    )


def _usual_weekday(liked: Wishes, last: dt.datetime | None) -> int | None:
    if liked.weekdays:
        return last.weekday() if last and last.weekday() in liked.weekdays else min(liked.weekdays)
    return last.weekday() if last else None
