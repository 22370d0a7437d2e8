"""Reads of dose records: with all parts, what is due for many visits at once, a nurse's patients.

Each costs a fixed number of queries, however many visits there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects

from infusion_center.core import clock
from infusions.checklists.hold_rules import RECHECK_GRACE
from infusions.checklists.models import PreInfusionChecklist, RunStatus
from infusions.doses.course import Course, course_of
from infusions.doses.due import CLIMBING, Due, DueKind, all_due
from infusions.doses.medication_models import MedicationGiven
from infusions.doses.models import DoseAmendment, DoseRecord, DoseState, RateChange, VialUsed, VitalSigns
from infusions.doses.reaction_models import Reaction, ReactionStep
from infusions.facility.models import Site
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import DONE, ON_SITE, UPCOMING, State

PASSED = (RunStatus.PASSED, RunStatus.OVERRIDDEN)
MOST_UNSIGNED = 20


@dataclass(frozen=True)
class VisitNow:
    """A visit as it stands: its state in one word, its course if there is a record, what is due next."""

    appointment: Appointment
    state: str
    course: Course | None
    due: Due | None

    @property
    def is_over(self) -> bool:
        return self.due is None


def records_with_parts() -> QuerySet[DoseRecord]:
    """Records as course.course_of wants them."""
    people = ("recorded_by",)
    return DoseRecord.objects.select_related(
        "appointment__site",
        "appointment__nurse__user",
        "order__product",
        "order__indication",
        "patient",
        "product",
        "second_check_by",
        "started_by",
        "ended_by",
        "signed_by",
        "advice_by",
    ).prefetch_related(
        Prefetch("vials", VialUsed.objects.select_related("product", *people).order_by("recorded_at", "id")),
        Prefetch("rates", RateChange.objects.select_related(*people).order_by("at", "id")),
        Prefetch("vital_signs", VitalSigns.objects.select_related(*people).order_by("at", "id")),
        Prefetch("reactions", Reaction.objects.select_related(*people).order_by("onset_at", "id")),
        Prefetch("reaction_steps", ReactionStep.objects.select_related(*people).order_by("at", "id")),
        Prefetch("medications", MedicationGiven.objects.select_related("reaction", *people).order_by("at", "id")),
        Prefetch("amendments", DoseAmendment.objects.select_related("amended_by").order_by("amended_at", "id")),
    )


def record_of(appointment: Appointment) -> DoseRecord | None:
    return records_with_parts().filter(appointment=appointment).first()


def visits_now(appointments: Iterable[Appointment], now: dt.datetime) -> list[VisitNow]:
    """How each visit stands, in the order given. Sites are fetched with the visits by the caller."""
    appointments = list(appointments)
    keys = [visit.pk for visit in appointments]
    records = {record.appointment_id: record for record in records_with_parts().filter(appointment__in=keys)}
    runs: dict[int, PreInfusionChecklist] = {}
    for run in PreInfusionChecklist.objects.filter(appointment__in=keys).order_by("started_at", "id"):
        runs[run.appointment_id] = run
    prefetch_related_objects([run for run in runs.values() if run.status == RunStatus.FAILED], "hold_steps")
    courses = {key: course_of(record) for key, record in records.items()}
    return [visit_now(visit, courses.get(visit.pk), runs.get(visit.pk), now) for visit in appointments]


def due_for(appointments: Iterable[Appointment], now: dt.datetime) -> dict[int, Due]:
    """Appointment's row -> what is due next; visits with nothing due are left out."""
    return {one.appointment.pk: one.due for one in visits_now(appointments, now) if one.due is not None}


def visit_now(
    visit: Appointment, course: Course | None, run: PreInfusionChecklist | None, now: dt.datetime
) -> VisitNow:
    """How one visit stands; `run` is its latest checklist. Reads only what was fetched before."""
    if course is not None and course.state != DoseState.PREPARING:
        return VisitNow(visit, course.state, course, next(iter(all_due(course, now)), None))
    if visit.state == State.ARRIVED:
        return _arrived(visit, course, run, now)
    if visit.state in UPCOMING:
        arrival = Due(DueKind.ARRIVAL, "Arrives", visit.start, visit.start + CLIMBING)
        return VisitNow(visit, visit.state, course, arrival.seen_at(now))
    return VisitNow(visit, visit.state, course, None)


def _arrived(visit: Appointment, course: Course | None, run: PreInfusionChecklist | None, now: dt.datetime) -> VisitNow:
    """First the checklist of today, then vials and start."""
    zone_name = visit.site.time_zone
    today = run is not None and clock.local_date(run.started_at, zone_name) == clock.local_date(now, zone_name)
    if not today or run.status not in PASSED:
        due = _check_due(visit, run if today else None)
        return VisitNow(visit, "checklist" if today else visit.state, course, due.seen_at(now))
    if course is not None:
        return VisitNow(visit, course.state, course, next(iter(all_due(course, now)), None))
    at = visit.start + dt.timedelta(minutes=visit.preparation_minutes)
    due = Due(DueKind.START, "Prepare the vials", at, at + CLIMBING)
    return VisitNow(visit, DoseState.PREPARING, None, due.seen_at(now))


def _check_due(visit: Appointment, run: PreInfusionChecklist | None) -> Due:
    """The check of today: to be done, or again at the time that the nurse set after it did not pass."""
    if run is not None and run.status == RunStatus.FAILED and run.recheck_at is not None:
        return Due(DueKind.RECHECK, "Check again", run.recheck_at, run.recheck_at + RECHECK_GRACE)
    what = "Checklist did not pass" if run is not None and run.status == RunStatus.FAILED else "Checklist"
    arrived = visit.arrived_at or visit.start
    return Due(DueKind.CHECKLIST, what, arrived, max(arrived, visit.start) + CLIMBING)


def by_urgency(visits: Iterable[VisitNow]) -> list[VisitNow]:
    """Overdue first, patients before papers; then by when the next thing is due; visits that are over come last."""

    def key(one: VisitNow):
        if one.due is None:
            return 3, one.appointment.start, one.appointment.pk
        rank = (1 if one.due.kind == DueKind.SIGN else 0) if one.due.is_overdue else 2
        return rank, one.due.at, one.appointment.pk

    return sorted(visits, key=key)


def visits_of_day(user, site: Site, now: dt.datetime, *, nurse_user=None) -> list[Appointment]:
    """Today's visits of a site that the person may see, or those of one nurse, and what still runs since yesterday."""
    first, following = clock.day_bounds(clock.local_date(now, site.time_zone), site.time_zone)
    running = Q(state=State.IN_PROGRESS, start__gte=first - dt.timedelta(days=1), start__lt=first)
    visits = Appointment.objects.visible_to(user).with_people()
    visits = visits.filter(Q(start__gte=first, start__lt=following) | running)
    visits = visits.filter(nurse__user=nurse_user) if nurse_user is not None else visits.filter(site=site)
    wanted = {*UPCOMING, *ON_SITE, *DONE, State.NO_SHOW}
    return list(visits.filter(state__in=wanted).order_by("start", "pk"))


def others_due(user, site: Site, now: dt.datetime, *, leave_out: Appointment) -> list[VisitNow]:
    """The nurse's other patients who wait for something now, overdue first; nobody who is not here yet."""
    visits = [visit for visit in visits_of_day(user, site, now, nurse_user=user) if visit.pk != leave_out.pk]
    here = [one for one in visits_now(visits, now) if one.due is not None and one.due.kind != DueKind.ARRIVAL]
    return by_urgency(one for one in here if one.due.is_due or one.due.is_overdue)


def left_unsigned(user, site: Site, now: dt.datetime) -> list[Appointment]:
    """Earlier visits of a nurse whose record is not signed yet, oldest first."""
    first, _ = clock.day_bounds(clock.local_date(now, site.time_zone), site.time_zone)
    ended = DoseRecord.objects.filter(state=DoseState.ENDED).values("appointment")
    visits = Appointment.objects.visible_to(user).with_people().filter(nurse__user=user, start__lt=first)
    return list(visits.filter(pk__in=ended).order_by("start", "pk")[:MOST_UNSIGNED])


def left_prepared(site: Site, now: dt.datetime) -> list[DoseRecord]:
    """Doses whose vials were taken from the stock of a site for a visit that did not begin: cancelled, or gone by.

    Nothing goes back by itself: somebody must look at the vials first.
    """
    first, _ = clock.day_bounds(clock.local_date(now, site.time_zone), site.time_zone)
    records = DoseRecord.objects.filter(appointment__site=site, state=DoseState.PREPARING)
    taken = records.filter(vials__stock_item__isnull=False).distinct()
    still = Q(appointment__state=State.ARRIVED, appointment__start__gte=first)
    return list(taken.exclude(still).select_related("appointment", "product").prefetch_related("vials").order_by("pk"))
