"""Writes of the pre-infusion check: start a run, answer item by item, decide to let a problem pass, close."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, blocker, codes
from infusions.checklists import clinical, rules
from infusions.checklists.models import (
    ChecklistAnswer,
    ChecklistItem,
    ChecklistOverride,
    ChecklistTemplate,
    PatientReport,
    PreInfusionChecklist,
    RunStatus,
)
from infusions.checklists.queries import RunState, current_run, run_state
from infusions.checklists.values import UnreadableAnswer, Value, read_value
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.queries import risks_of
from patients.services import record_risk, record_weight

# Weighed before the nurse's eyes: what is odd about it stops the infusion here, by the rules of the check.
UNUSUAL_WEIGHTS = frozenset({"weight-implausible-for-age"})


@transaction.atomic
def start_checklist(*, appointment: Appointment, by, now: dt.datetime | None = None) -> PreInfusionChecklist:
    """The open run of today's visit: the one that a colleague began, else a new and empty one.

    Identity and vital signs are asked anew in every run, so nothing is carried over from an earlier one.
    """
    now = now or clock.now()
    appointment = locked_appointment(appointment)
    if appointment.state != State.ARRIVED:
        raise RuleViolation(
            [blocker("not-arrived", "The patient is not checked in.", remedy="Check the patient in first.")]
        )
    last = current_run(appointment)
    if last is not None and last.is_open:
        if began_today(last, now):
            return last
        end_run(last, RunStatus.FAILED, [left_open()], by, now)
    template = ChecklistTemplate.objects.filter(is_active=True).first()
    if template is None:
        raise RuleViolation([blocker("no-template", "No checklist is in use.", remedy="Ask a manager to set one up.")])
    run = PreInfusionChecklist.objects.create(appointment=appointment, template=template, started_at=now, started_by=by)
    record("checklist.started", run, by, version=template.version)
    return run


@transaction.atomic
def answer_item(
    *, run: PreInfusionChecklist, item: ChecklistItem, value: str | list[str], by, now: dt.datetime | None = None
) -> ChecklistAnswer:
    """Add an answer; the latest counts, earlier ones stay. The same answer again adds nothing, so a retry is harmless.

    Raises RuleViolation with the item's code as the field when the value is no answer to it.
    """
    now = now or clock.now()
    return add_answer(open_run(run, now), item, value, by, now)


@transaction.atomic
def answer_items(
    *, run: PreInfusionChecklist, values: Mapping[ChecklistItem, str | list[str]], by, now: dt.datetime | None = None
) -> list[ChecklistAnswer]:
    """Several answers at once: all of them, or none when one is refused."""
    now = now or clock.now()
    run = open_run(run, now)
    return [add_answer(run, item, value, by, now) for item, value in values.items()]


def open_run(run: PreInfusionChecklist, now: dt.datetime) -> PreInfusionChecklist:
    run = locked_run(run)
    refuse_unless_open(run, now)
    return run


def add_answer(
    run: PreInfusionChecklist,
    item: ChecklistItem,
    value: str | list[str],
    by,
    now: dt.datetime,
    report: PatientReport | None = None,
) -> ChecklistAnswer:
    """One more answer in an open and locked run. `report`: what the patient had said, verified by this answer."""
    if item.template_id != run.template_id:
        raise RuleViolation([blocker("foreign-item", "The question belongs to another checklist.")])
    try:
        kept = read_value(item, value)
    except UnreadableAnswer as unreadable:
        raise RuleViolation([blocker("unreadable-answer", str(unreadable), field=item.code)]) from None
    refuse_a_day_ahead(run, item, kept, now)
    last = run.answers.filter(item=item).select_related("answered_by").order_by("-id").first()
    if last is not None and last.value == kept and (report is None or last.report_id is not None):
        return last
    answer = ChecklistAnswer.objects.create(
        run=run, item=item, value=kept, answered_at=now, answered_by=by, report=report
    )
    record("checklist.answered", run, by, item=item.code, **({"report": report.public_id} if report else {}))
    return answer


@transaction.atomic
def override_problem(
    *, run: PreInfusionChecklist, code: str, reason: str, by, now: dt.datetime | None = None
) -> ChecklistOverride:
    """Let one problem pass, for a reason, by a named person. The last one needed turns a failed run into overridden."""
    now = now or clock.now()
    run = locked_run(run)
    if not has_permission(by, Permission.OVERRIDE_CHECKLIST):
        raise RuleViolation([blocker("may-not-override", "Your role may not override the checklist.")])
    refuse_unless_decidable(run, now)
    problem = next((p for p in run_state(run, now).problems if p.code == code), None)
    refused = rules.override_problems(problem, code, reason)
    if refused:
        raise RuleViolation(refused)
    override = ChecklistOverride.objects.create(
        run=run, problem_code=code, reason=reason.strip()[:300], overridden_at=now, overridden_by=by
    )
    record("checklist.overridden", run, by, problem=code)
    if run.status == RunStatus.FAILED and not run_state(run, now).undecided:
        run.status = RunStatus.OVERRIDDEN
        run.save(update_fields=["status", "updated_at"])
        record("checklist.passed_with_override", run, by)
    return override


@transaction.atomic
def close_checklist(*, run: PreInfusionChecklist, by, now: dt.datetime | None = None) -> PreInfusionChecklist:
    """Close as passed, overridden or failed; the problems are kept with the run. Raises while answers are missing."""
    now = now or clock.now()
    run = locked_run(run)
    refuse_unless_open(run, now)
    state = run_state(run, now)
    missing = rules.missing_problems(state.items, state.answers, state.context)
    if missing:
        raise RuleViolation(missing)
    problems = state.problems
    status = RunStatus.FAILED if state.undecided else RunStatus.PASSED
    if status == RunStatus.PASSED and rules.holding(problems):
        status = RunStatus.OVERRIDDEN
    keep_weight(state, by, now)
    keep_risks(state, by, now)
    end_run(run, status, problems, by, now)
    return run


def locked_appointment(appointment: Appointment) -> Appointment:
    """Two nurses pressing "Start" at once must get one run: the second waits here (SQLite: at BEGIN IMMEDIATE)."""
    Appointment.objects.select_for_update().get(pk=appointment.pk)
    return Appointment.objects.with_people().get(pk=appointment.pk)


def locked_run(run: PreInfusionChecklist) -> PreInfusionChecklist:
    run = PreInfusionChecklist.objects.select_for_update().get(pk=run.pk)
    run.appointment = Appointment.objects.with_people().get(pk=run.appointment_id)
    return run


def began_today(run: PreInfusionChecklist, now: dt.datetime) -> bool:
    zone_name = run.appointment.site.time_zone
    return clock.local_date(run.started_at, zone_name) == clock.local_date(now, zone_name)


def refuse_unless_open(run: PreInfusionChecklist, now: dt.datetime) -> None:
    if not run.is_open:
        raise RuleViolation(
            [blocker("checklist-closed", "This check is closed; its answers stand.", remedy="Start a new check.")]
        )
    if not began_today(run, now):
        raise RuleViolation([left_open()])
    if run.appointment.state != State.ARRIVED:
        raise RuleViolation([blocker("not-arrived", "The patient is no longer waiting for this infusion.")])


def refuse_unless_decidable(run: PreInfusionChecklist, now: dt.datetime) -> None:
    """Only the check in hand, of today, before the infusion, can still be decided on."""
    newer = PreInfusionChecklist.objects.filter(appointment=run.appointment, started_at__gt=run.started_at).exists()
    if run.lets_pass or newer or not began_today(run, now) or run.appointment.state != State.ARRIVED:
        raise RuleViolation([blocker("checklist-closed", "This check is over; nothing is left to decide.")])


def left_open() -> Problem:
    return blocker("checklist-left-open", "The check was left open on an earlier day.", remedy="Start a new check.")


def refuse_a_day_ahead(run: PreInfusionChecklist, item: ChecklistItem, value: Value, now: dt.datetime) -> None:
    today = clock.local_date(now, run.appointment.site.time_zone)
    if item.kind == "date" and str(value) > today.isoformat():
        raise RuleViolation([blocker("unreadable-answer", "This day lies in the future.", field=item.code)])


def keep_weight(state: RunState, by, now: dt.datetime) -> None:
    """Today's weight becomes a weight of the patient, once a day and value, whatever the outcome of the check."""
    if "weight" not in state.latest:
        return
    patient, kg = state.run.appointment.patient, Decimal(str(state.answers["weight"]))
    # The site's day can be ahead of the patient's own, in which the weight must not lie in the future.
    measured_on = min(state.context.today, clock.local_date(now, patient.time_zone))
    if not patient.weights.current().filter(measured_on=measured_on, kg=kg).exists():
        record_weight(patient=patient, kg=kg, measured_on=measured_on, by=by, accepted=UNUSUAL_WEIGHTS, now=now)


def keep_risks(state: RunState, by, now: dt.datetime) -> None:
    """A risk factor that the answers tell of becomes one of the patient, whatever the outcome: the rate cap holds."""
    patient = state.run.appointment.patient
    for code in sorted(clinical.risks_of_answers(state.answers) - risks_of(patient)):
        record_risk(patient=patient, code=code, by=by, now=now)


def end_run(run: PreInfusionChecklist, status: RunStatus, problems: list[Problem], by, now: dt.datetime) -> None:
    run.status, run.closed_at, run.closed_by = status, now, by
    run.problems = [
        {"code": p.code, "severity": p.severity.value, "message": p.message, "field": p.field, "remedy": p.remedy}
        for p in problems
    ]
    run.save(update_fields=["status", "closed_at", "closed_by", "problems", "updated_at"])
    record("checklist.closed", run, by, status=status.value, problems=codes(problems))


def record(action: str, run: PreInfusionChecklist, by, **detail) -> None:
    appointment = run.appointment
    audit.record(action, run, by=by, patient=appointment.patient, site=appointment.site, **detail)
