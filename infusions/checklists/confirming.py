"""Answers by one tap: the nurse verifies what the patient reported, or repeats what the check before found."""

import datetime as dt

from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker
from infusions.checklists.models import ChecklistAnswer, ChecklistItem, PatientReport, PreInfusionChecklist
from infusions.checklists.patient_reports import reported_values, reports_of
from infusions.checklists.repeats import repeatable_answers
from infusions.checklists.services import add_answer, open_run


@transaction.atomic
def confirm_report(
    *, run: PreInfusionChecklist, item: ChecklistItem, report: PatientReport, by, now: dt.datetime | None = None
) -> ChecklistAnswer:
    """What the patient reported becomes this nurse's answer; only what she saw: the latest report of the question."""
    now = now or clock.now()
    run = open_run(run, now)
    reported = reported_values(reports_of(run.appointment)).get(item.code)
    if reported is None or reported.report.pk != report.pk:
        message = "The patient reported something else meanwhile." if reported else "The patient reported nothing here."
        raise RuleViolation([blocker("report-changed", message, field=item.code, remedy="Look again.")])
    return add_answer(run, item, reported.value, by, now, report=report)


@transaction.atomic
def confirm_earlier(
    *, run: PreInfusionChecklist, item: ChecklistItem, by, now: dt.datetime | None = None
) -> ChecklistAnswer:
    """The answer of the check before, which did not pass, given again by this nurse."""
    now = now or clock.now()
    run = open_run(run, now)
    earlier = repeatable_answers(run, now).get(item.code)
    if earlier is None:
        raise RuleViolation([blocker("ask-again", "This has to be asked again.", field=item.code)])
    return add_answer(run, item, earlier.value, by, now)
