"""What stands against a visit at a start: in the order, on the day, at the chair, with the patient, with the nurse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace
from types import EllipsisType

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity, blocker, needs_approval
from infusions.facility.models import Chair, ChairKind, Nurse, Setting, Site
from infusions.orders.models import InfusionOrder
from infusions.orders.queries import VisitLength, infusion_minutes_of, visit_length
from infusions.orders.rules import interval_problems, validity_problems
from infusions.scheduling import conflicts
from infusions.scheduling.availability import Availability, read_availability
from infusions.scheduling.bitmaps import Fits, Need, Seat, fitting, need_of, seats
from infusions.scheduling.models import Appointment
from infusions.scheduling.queries import CourseSoFar, known_about
from infusions.scheduling.refusals import name_day, order_refusals
from infusions.scheduling.windows import course_began, neighbours
from infusions.scheduling.wishes import chair_ranks
from patients.queries import Weighed

# Whether a dose may be given earlier than ordered is a clinical question, not one of the desk.
CLINICAL_DECISIONS = {"dose-too-early", "next-visit-too-early", "visit-same-day"}


@dataclass(frozen=True)
class Proposal:
    """A visit that is thought of: how long it takes, what stands against it, and every chair and nurse it could get."""

    order: InfusionOrder
    site: Site
    setting: str
    start: dt.datetime
    length: VisitLength
    problems: list[Problem]
    seats: list[Seat]
    seen: Availability
    visit: conflicts.Visit
    fits: Fits
    about_place: list[Problem]  # those of the problems that chair, hour, patient or nurse make

    @property
    def end(self) -> dt.datetime:
        return self.start + dt.timedelta(minutes=self.length.total)


def booking_problems(
    *,
    order: InfusionOrder,
    site: Site,
    setting: str,
    start: dt.datetime,
    now: dt.datetime,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    moving: Appointment | None = None,
) -> list[Problem]:
    """Everything that stands against the visit; with no chair or nurse named, whether any of them is free."""
    return examine(
        order=order, site=site, setting=setting, start=start, now=now, chair=chair, nurse=nurse, moving=moving
    ).problems


def examine(
    *,
    order: InfusionOrder,
    site: Site,
    setting: str,
    start: dt.datetime,
    now: dt.datetime,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    moving: Appointment | None = None,
    leave_out: Collection[int] = (),
) -> Proposal:
    """Read the visit's day once and judge it. `moving` does not stand in its own way, and keeps its seat if it can.

    `leave_out`: row numbers of visits that move together with it and have not found their new place yet.
    """
    on = clock.local_date(start, site.time_zone)
    known = known_about(order, ignore=moving, leave_out=leave_out)
    course, minutes = known.course, infusion_minutes_of(order, has_risk=known.has_risk)
    last_on = course.last_before(on)
    length = visit_length(order, site, setting, on=on, last_on=last_on, infusion_minutes=minutes)
    problems = [*order_problems_on(order, setting, course, on, weight=known.weight), *_start_problems(start, now)]
    seen = _read_day(order, site, setting, start, length, moving, leave_out, known.wishes.needed_kind)
    problems += _chair_choice_problems(site, setting, chair, known.wishes.needed_kind)
    found, at, fits, need = _place_problems(seen, start, length, chair, nurse)
    preferred = [moving.nurse_id if moving else None, known.wishes.nurse_id, course.last_nurse_id]
    free: list[Seat] = []
    if not found and start == clock.quarter_start(clock.quarter_of(start)):
        picture, ranks = _narrowed(seen, chair, nurse).picture, chair_ranks(seen, known.wishes)
        free = list(seats(picture, need, fits, seen.bit(start), nurse_ids=preferred, chair_ranks=ranks))
        if moving is not None:
            free.sort(key=lambda seat: (seat.chair_id != moving.chair_id, seat.nurse_id != moving.nurse_id))
    return Proposal(order, site, setting, start, length, problems + found, free, seen, at, fits, found)


def approvals(problems: list[Problem], by) -> list[Problem]:
    """The problems as they bind this person: what he may not decide stops him. A patient (None) decides nothing."""
    if by is not None and has_permission(by, Permission.APPROVE_EARLY_VISIT):
        return problems
    remedy = "Choose a later day, or have a nurse book it with a reason."
    return [
        replace(problem, severity=Severity.BLOCKER, remedy=remedy)
        if problem.severity == Severity.APPROVAL and (by is None or problem.code in CLINICAL_DECISIONS)
        else problem
        for problem in problems
    ]


def order_problems_on(
    order: InfusionOrder, setting: str, course: CourseSoFar, on: dt.date, *, weight: Weighed | EllipsisType | None = ...
) -> list[Problem]:
    """Whether the order lets a visit be booked on the local day: signed and valid, authorized, its interval kept.

    `weight`: the patient's current one where the caller has read it already.
    """
    return [
        *validity_problems(order, on, weight=weight),
        *order_refusals(order, setting, course),
        *interval_problems_on(order, course, on),
    ]


def interval_problems_on(order: InfusionOrder, course: CourseSoFar, on: dt.date) -> list[Problem]:
    """The interval to the visits before and after, given or booked, counted from the first day of a course.

    Source: fact sheet 2, date window: not earlier than the interval without a decision.
    """
    before, after = neighbours(on, course.held_on)
    if before == on:
        message = f"The patient has a visit by this order on {name_day(on)} already."
        return [needs_approval("visit-same-day", message, field="start", remedy="Choose another day.")]
    found: list[Problem] = []
    if before and (order.last_dose_on is None or before >= order.last_dose_on):
        began = course_began(before, course.held_on, order.days)
        if (on - began).days >= order.days:
            found += interval_problems(order, on, last_on=began)
    else:
        found += interval_problems(order, on)
    began = course_began(on, course.held_on, order.days)
    if after and (after - began).days >= order.days:
        too_soon = [p for p in interval_problems(order, after, last_on=began) if p.code == "dose-too-early"]
        message = f"The visit booked on {name_day(after)} would then come too early after this one."
        found += [replace(problem, code="next-visit-too-early", message=message) for problem in too_soon]
    return found


def _start_problems(start: dt.datetime, now: dt.datetime) -> list[Problem]:
    found = []
    if start != clock.quarter_start(clock.quarter_of(start)):
        remedy = "Choose :00, :15, :30 or :45."
        found.append(blocker("start-off-grid", "Visits start on the quarter-hour.", field="start", remedy=remedy))
    if start < clock.quarter_start(clock.quarter_of(now)):
        found.append(blocker("in-the-past", "The start is past.", field="start", remedy="Choose a later start."))
    return found


def _chair_choice_problems(site: Site, setting: str, chair: Chair | None, needed_kind: str) -> list[Problem]:
    if chair is None:
        return []
    if setting == Setting.HOME:
        return [blocker("chair-at-home", "A visit at home takes no chair.", field="chair")]
    if chair.site_id != site.pk:
        message = f"{chair.name} does not stand at {site.name}."
        return [blocker("chair-of-another-site", message, field="chair", remedy="Choose a chair of this site.")]
    if needed_kind not in ("", chair.kind):
        needed = ChairKind(needed_kind).label.lower()
        message = f"The patient needs a {needed}; {chair.name} is a {chair.get_kind_display().lower()}."
        return [blocker("chair-of-another-kind", message, field="chair", remedy=f"Choose a {needed}.")]
    return []


def _read_day(order, site, setting, start, length, moving, leave_out, chair_kind) -> Availability:
    """The visit's whole local day, so that the best chair can be told; longer where the visit reaches beyond it."""
    first, following = clock.day_bounds(clock.local_date(start, site.time_zone), site.time_zone)
    travel = dt.timedelta(minutes=site.travel_minutes + 15)
    end = start + dt.timedelta(minutes=length.total)
    return read_availability(
        site=site,
        setting=setting,
        patient_id=order.patient_id,
        start=min(first, start - travel),
        end=max(following, end + travel),
        ignore=moving,
        leave_out=leave_out,
        chair_kind=chair_kind,
    )


def _narrowed(seen: Availability, chair: Chair | None, nurse: Nurse | None) -> Availability:
    """As if the site had only the chair and the nurse that were named."""
    picture = seen.picture
    if chair is not None:
        picture = replace(picture, chairs=tuple(pk for pk in picture.chairs if pk == chair.pk))
    if nurse is not None:
        picture = replace(picture, shifts=tuple(shift for shift in picture.shifts if shift.nurse_id == nurse.pk))
    return replace(seen, picture=picture)


def _place_problems(
    seen: Availability, start: dt.datetime, length: VisitLength, chair: Chair | None, nurse: Nurse | None
) -> tuple[list[Problem], conflicts.Visit, Fits, Need]:
    need = need_of(seen.site, seen.setting, length.total)
    end = start + dt.timedelta(minutes=length.total)
    at = conflicts.Visit(seen, start, end, chair, nurse, travel=dt.timedelta(minutes=need.travel * 15))
    fits = fitting(_narrowed(seen, chair, nurse).picture, need, 1 << seen.bit(start))
    return ([] if fits.starts else conflicts.explain(at, fits)), at, fits, need
