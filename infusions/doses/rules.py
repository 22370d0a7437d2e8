"""What may stand against preparing and starting an infusion. Table with sources: docs/clinical-rules.md, Infusion."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity, blocker, note, warning
from infusions.checklists.models import ChecklistAnswer, PreInfusionChecklist, RunStatus
from infusions.checklists.queries import latest_answers
from infusions.checklists.rules import gate_problems
from infusions.doses.course import NEEDED_SIGNS, Course, course_of
from infusions.doses.models import DoseRecord, DoseState, Phase
from infusions.doses.planning import day_plan
from infusions.doses.restart import restart_reason_of
from infusions.doses.second_check_rules import preparing_problems, second_check_before_start
from infusions.doses.vial_rules import vials_problems
from infusions.formulary.rules import excipient_problems
from infusions.orders.rules import interval_problems, validity_problems
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.queries import conditions_of, risks_of

# Item code of the checklist -> field of VitalSigns.
CHECKLIST_SIGNS = {
    "temperature": "temperature_c",
    "systolic": "systolic",
    "diastolic": "diastolic",
    "pulse": "pulse",
    "respiration": "respiration",
    "spo2": "spo2_percent",
}


def prepare_problems(appointment: Appointment) -> list[Problem]:
    if appointment.state == State.ARRIVED:
        return []
    message = f"The visit is {appointment.get_state_display().lower()}: only a patient who has arrived is prepared."
    return [blocker("not-arrived", message, remedy="Check the patient in first.")]


def plan_missing() -> Problem:
    message = "There is no plan of rates for this product and visit."
    return blocker("plan-missing", message, remedy="A pharmacist signs the product's rates, or the order is changed.")


def start_problems(record: DoseRecord, *, by, now: dt.datetime) -> list[Problem]:
    """Everything that must hold before the first drop; nothing here can be overridden at the chair.

    Sources: fact sheet 3 (the whole table), 1a (excipients), 5 (record per vial).
    """
    visit = record.appointment
    today = clock.local_date(now, visit.site.time_zone)
    course = course_of(record)
    return [
        *preparing_problems(record),
        *prepare_problems(visit),
        *validity_problems(record.order, today),
        *_earlier_dose_problems(record),
        *_interval_problems(visit, today),
        *excipient_problems(record.product, conditions=conditions_of(record.patient) | risks_of(record.patient)),
        *gate_problems(visit, now),
        *vials_problems(course, today),
        *_plan_problems(record, today),
        *_baseline_problems(course, now),
        *second_check_before_start(record, by),
        *_pace_problems(course, now),
    ]


def _earlier_dose_problems(record: DoseRecord) -> list[Problem]:
    """A dose counts from its signature: while one is open, the interval and the visits left cannot be told.

    Source: fact sheet 2, date window, and 5, per-dose record; nobody gets two doses at once.
    """
    unsigned = DoseRecord.objects.filter(patient=record.patient, started_at__isnull=False)
    earlier = unsigned.exclude(state=DoseState.SIGNED).exclude(pk=record.pk).order_by("started_at", "pk").first()
    if earlier is None:
        return []
    day = clock.local_date(earlier.started_at, earlier.appointment.site.time_zone)
    message = f"The infusion of {day:%d-%b-%Y} is not signed: whether this one is due cannot be told."
    return [blocker("earlier-dose-open", message, remedy="Finish and sign that record first.")]


def _interval_problems(visit: Appointment, today: dt.date) -> list[Problem]:
    """Too early needs approval: given when the visit was booked with a reason, else it stops the start."""
    found = interval_problems(visit.order, today)
    if not visit.override_reason:
        return found
    decided = f" Decided at booking: {visit.override_reason}"
    return [
        replace(one, severity=Severity.NOTE, message=one.message + decided)
        if one.severity == Severity.APPROVAL
        else one
        for one in found
    ]


def _plan_problems(record: DoseRecord, today: dt.date) -> list[Problem]:
    """The plan that was checked must still be the one that the rules give now: risks and schedules can change."""
    fresh = day_plan(record.appointment, record.product, today)
    if fresh is None:
        return [plan_missing()]
    if plan_differs(record, fresh):
        message = "The planned dose or rate has changed since it was prepared."
        return [blocker("plan-changed", message, remedy="Prepare again, then repeat the second check.")]
    return []


def plan_differs(record: DoseRecord, fresh) -> bool:
    kept = (record.planned_g, record.planned_volume_ml, record.max_rate_ml_per_h, record.plan)
    return kept != (fresh.planned_g, fresh.planned_volume_ml, fresh.max_rate_ml_per_h, fresh.plan)


def _baseline_problems(course: Course, now: dt.datetime) -> list[Problem]:
    """Source: fact sheet 4, vital signs before the start. Once it runs they could not be made up for.

    Those of today's check count as they are: the start takes them over.
    """
    if not course.signs_lacking(Phase.BASELINE):
        return []
    if course.baseline is None and set(NEEDED_SIGNS) <= set(checked_signs(course.record.appointment, now)):
        return []
    message = "Temperature, pressure and pulse before the infusion are missing."
    remedy = "Record them now; those of today's checklist are taken over by themselves."
    return [blocker("baseline-missing", message, remedy=remedy)]


def checked_signs(visit: Appointment, now: dt.datetime) -> dict[str, ChecklistAnswer]:
    """The vital signs of the check that was passed on the site's today, by field of VitalSigns."""
    first, following = clock.day_bounds(clock.local_date(now, visit.site.time_zone), visit.site.time_zone)
    passed = PreInfusionChecklist.objects.filter(
        appointment=visit,
        status__in=(RunStatus.PASSED, RunStatus.OVERRIDDEN),
        closed_at__gte=first,
        closed_at__lt=following,
    )
    run = passed.order_by("-closed_at").first()
    answers = latest_answers(run) if run else {}
    return {CHECKLIST_SIGNS[code]: answer for code, answer in answers.items() if code in CHECKLIST_SIGNS}


def _pace_problems(course: Course, now: dt.datetime) -> list[Problem]:
    """Sources: fact sheet 1b (begin at the lowest step) and 2 (what a pump can run)."""
    problems, most = [], course.record.appointment.site.pump_max_ml_per_h
    if reason := restart_reason_of(course.record, now):
        message = f"{reason}: from the lowest step, and no step before its time."
        problems.append(note("restart-lowest", message))
    fastest = max(step.rate_ml_per_h for step in course.steps)
    if fastest > most:
        message = f"The plan goes up to {fastest.normalize():f} mL/h; the pumps here stop at {most} mL/h."
        problems.append(warning("rate-above-pump", message, remedy=f"Stay at {most} mL/h or slower."))
    return problems
