"""Pre-infusion checks for tests, filled through the services: by default the shipped questions, all answered well."""

import datetime as dt

from infusion_center.core import clock
from infusions.checklists import rules
from infusions.checklists.catalog import load_template
from infusions.checklists.models import ChecklistAnswer, ChecklistTemplate, PreInfusionChecklist
from infusions.checklists.queries import run_state
from infusions.checklists.services import close_checklist, start_checklist
from infusions.checklists.values import Value, plain
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State

GOOD_NUMBERS = {
    "intake-day-before": "2200",
    "intake-today": "500",
    "creatinine": "0.8",
    "temperature": "36.7",
    "systolic": "124",
    "diastolic": "78",
    "pulse": "72",
    "spo2": "98",
    "respiration": "14",
}


def make_template() -> ChecklistTemplate:
    return load_template()


def make_open_checklist(
    appointment: Appointment, *, by=None, answers: dict[str, Value] | None = None, now: dt.datetime | None = None
) -> PreInfusionChecklist:
    """An open run of an arrived patient, with these answers (none by default)."""
    make_template()
    if appointment.state != State.ARRIVED:
        appointment.state, appointment.arrived_at = State.ARRIVED, now or clock.now()
        appointment.save()
    by = by or appointment.nurse.user
    run = start_checklist(appointment=appointment, by=by, now=now)
    give_answers(run, answers or {}, by=by, now=now)
    return run


def make_passed_checklist(
    appointment: Appointment, by=None, *, now: dt.datetime | None = None, **changed: Value
) -> PreInfusionChecklist:
    """Closed: passed, or failed when `changed` answers say so (underscores for hyphens: room_temperature="no")."""
    run = make_open_checklist(appointment, by=by, now=now)
    changes = {code.replace("_", "-"): value for code, value in changed.items()}
    by = by or appointment.nurse.user
    give_answers(run, good_answers(run) | changes, by=by, now=now)
    return close_checklist(run=run, by=by, now=now)


def good_answers(run: PreInfusionChecklist) -> dict[str, Value]:
    """An answer to each question asked of this visit, against which nothing stands."""
    state = run_state(run, run.started_at)
    order = run.appointment.order
    answers: dict[str, Value] = {
        **GOOD_NUMBERS,
        "weight": plain(order.actual_weight_kg),
        "dehydration-signs": ["none"],
        "changes": ["none"],
        "new-drugs": ["none"],
        "premedication": "taken" if order.premedication else "not-ordered",
        "creatinine-on": state.context.today.isoformat(),
        "premedication-at": "00:00",
    }
    for item in state.items:
        if item.expected:
            answers[item.code] = item.expected
    return {item.code: answers[item.code] for item in rules.asked_items(state.items, answers, state.context)}


def give_answers(run: PreInfusionChecklist, answers: dict[str, Value], *, by, now: dt.datetime | None = None) -> None:
    """Written at once, past the service: dozens of tests need them and none looks at how they came."""
    items = {item.code: item for item in run.template.items.all()}
    ChecklistAnswer.objects.bulk_create(
        ChecklistAnswer(run=run, item=items[code], value=value, answered_at=now or clock.now(), answered_by=by)
        for code, value in answers.items()
    )
