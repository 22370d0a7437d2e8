"""What the patient reports: when it is taken, how it reads beside its question, and that only a nurse confirms it."""

import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.checklists import patient_reports
from infusions.checklists.beside import lines_beside
from infusions.checklists.confirming import confirm_report
from infusions.checklists.models import PatientReport
from infusions.checklists.patient_reports import (
    advice_for,
    codes_asked,
    record_patient_report,
    reports_of,
    wanted_ml,
)
from infusions.checklists.queries import latest_answers, run_state
from infusions.checklists.services import answer_item
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.checklists import make_open_checklist
from tests.factories.facility import make_site
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
VISIT_DAY = dt.date(2026, 6, 18)
EVENING_BEFORE = dt.datetime(2026, 6, 17, 22, 20, tzinfo=dt.UTC)  # 18:20 in New York
MORNING = dt.datetime(2026, 6, 18, 11, 5, tzinfo=dt.UTC)
ARRIVED = dt.datetime(2026, 6, 18, 13, 10, tzinfo=dt.UTC)
SAID = {"intake-day-before": "1440", "urine-normal": "yes", "infection": "no", "new-drugs": ["none"]}


@pytest.fixture
def visit(time_machine):
    time_machine.move_to(EVENING_BEFORE, tick=False)
    site = make_site(name="Riverside", time_zone="America/New_York")
    return make_appointment(site=site, day=VISIT_DAY, at="09:00")


def reported(visit, now=EVENING_BEFORE, **values) -> PatientReport:
    values = {code.replace("_", "-"): value for code, value in values.items()} or SAID
    return record_patient_report(appointment=visit, values=values, now=now)


def opened(visit):
    """The check after the patient arrived at 09:10."""
    return make_open_checklist(visit, now=ARRIVED)


def item(run, code):
    return run.template.items.get(code=code)


def lines(run) -> dict[str, tuple]:
    beside = lines_beside(run_state(run, ARRIVED), None)
    return {code: (line.day, line.text, line.is_answer) for code, line in beside.reports.items()}


def test_a_report_is_kept_and_audited_as_the_patients_own_without_its_content(visit):
    report = record_patient_report(appointment=visit, values=SAID, comment=" A  bit tired ", now=EVENING_BEFORE)
    assert (report.values, report.comment, report.reported_at) == (SAID, "A bit tired", EVENING_BEFORE)
    event = AuditEvent.objects.get(action="checklist.reported_by_patient")
    assert (event.actor_name, event.actor_id, event.target_id) == ("Patient", None, visit.public_id)
    assert event.detail == {"items": ["infection", "intake-day-before", "new-drugs", "urine-normal"]}


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (dt.datetime(2026, 6, 16, 3, 59, tzinfo=dt.UTC), "report-early"),  # 23:59 three days before, at the site
        (dt.datetime(2026, 6, 16, 4, 0, tzinfo=dt.UTC), None),
        (dt.datetime(2026, 6, 18, 12, 59, tzinfo=dt.UTC), None),
        (dt.datetime(2026, 6, 18, 13, 0, tzinfo=dt.UTC), "report-over"),
    ],
)
def test_a_report_is_taken_from_two_days_before_until_the_visit(visit, now, code):
    assert [problem.code for problem in patient_reports.opening_problems(visit, now)] == ([code] if code else [])


@pytest.mark.parametrize("state", sorted(set(State) - {State.EXPECTED, State.CONFIRMED}))
def test_only_an_upcoming_visit_is_reported_on(visit, state):
    cancelled_at = EVENING_BEFORE if state == State.CANCELLED else None
    Appointment.objects.filter(pk=visit.pk).update(state=state, cancelled_at=cancelled_at)
    with pytest.raises(RuleViolation) as refused:
        reported(visit)
    assert refused.value.codes == {"report-over"}
    assert not PatientReport.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"weight": "70"},
        {"intake-today": "12,5"},
        {"intake-today": "8001"},
        {"intake-today": "²"},
        {"infection": "maybe"},
        {"new-drugs": ["nsaid"]},
    ],
)
def test_what_the_page_does_not_ask_is_refused_and_nothing_written(visit, values):
    with pytest.raises(RuleViolation):
        record_patient_report(appointment=visit, values=values, now=EVENING_BEFORE)
    assert not PatientReport.objects.exists()
    assert not AuditEvent.objects.filter(action="checklist.reported_by_patient").exists()


def test_a_link_cannot_fill_the_table(visit):
    for _ in range(patient_reports.MOST_REPORTS):
        reported(visit)
    with pytest.raises(RuleViolation) as refused:
        reported(visit)
    assert refused.value.codes == {"report-too-many"}
    assert PatientReport.objects.count() == patient_reports.MOST_REPORTS


@pytest.mark.parametrize(
    ("now", "fluids"),
    [
        (dt.datetime(2026, 6, 16, 16, tzinfo=dt.UTC), {}),
        (EVENING_BEFORE, {"intake-day-before": "today"}),
        (dt.datetime(2026, 6, 18, 3, 50, tzinfo=dt.UTC), {"intake-day-before": "today"}),  # 23:50 the evening before
        (MORNING, {"intake-day-before": "yesterday", "intake-today": "today"}),
    ],
)
def test_fluids_are_asked_for_the_days_that_the_check_asks_about(visit, now, fluids):
    asked = codes_asked(visit, now)
    assert {code: what for code, what in asked.items() if code.startswith("intake")} == fluids
    assert asked.keys() >= {"infection", "new-drugs"}


def test_of_each_question_the_latest_report_is_shown_and_nothing_is_answered(visit):
    reported(visit)
    reported(visit, MORNING, intake_today="240", intake_day_before="1680", new_drugs="yes")
    run = opened(visit)
    assert lines(run) == {
        "intake-day-before": ("today", "1,680 mL (7 glasses)", True),
        "intake-today": ("today", "240 mL (1 glass)", True),
        "urine-normal": ("yesterday", "Yes", True),
        "infection": ("yesterday", "No", True),
        "new-drugs": ("today", "Yes: ask which", False),
    }
    assert latest_answers(run) == {}


def test_a_visit_moved_to_another_day_leaves_its_reports_behind(visit):
    reported(visit)
    week = dt.timedelta(days=7)
    Appointment.objects.filter(pk=visit.pk).update(start=visit.start + week, end=visit.end + week)
    visit.refresh_from_db()
    assert reports_of(visit) == []


def test_confirming_makes_it_the_nurses_answer_and_names_the_report(visit):
    report = reported(visit)
    run, nurse = opened(visit), visit.nurse.user
    answer = confirm_report(run=run, item=item(run, "intake-day-before"), report=report, by=nurse, now=ARRIVED)
    again = confirm_report(run=run, item=item(run, "intake-day-before"), report=report, by=nurse, now=ARRIVED)
    assert (answer.value, answer.answered_by, answer.report) == ("1440", nurse, report)
    assert (again.pk, run.answers.count()) == (answer.pk, 1)


def test_a_nurse_who_finds_otherwise_answers_without_the_report(visit):
    report = reported(visit)
    run, nurse = opened(visit), visit.nurse.user
    confirm_report(run=run, item=item(run, "infection"), report=report, by=nurse, now=ARRIVED)
    answer_item(run=run, item=item(run, "infection"), value="yes", by=nurse, now=ARRIVED)
    kept = [(answer.value, answer.report) for answer in run.answers.order_by("id")]
    assert kept == [("no", report), ("yes", None)]


def test_only_the_report_that_was_seen_is_confirmed(visit):
    old = reported(visit)
    reported(visit, MORNING, infection="yes")
    run, nurse = opened(visit), visit.nurse.user
    with pytest.raises(RuleViolation) as refused:
        confirm_report(run=run, item=item(run, "infection"), report=old, by=nurse, now=ARRIVED)
    assert (refused.value.codes, run.answers.count()) == ({"report-changed"}, 0)


def test_a_yes_to_new_medicines_is_no_answer_because_it_names_none(visit):
    report = reported(visit, new_drugs="yes")
    run = opened(visit)
    with pytest.raises(RuleViolation) as refused:
        confirm_report(run=run, item=item(run, "new-drugs"), report=report, by=visit.nurse.user, now=ARRIVED)
    assert (refused.value.codes, run.answers.count()) == ({"unreadable-answer"}, 0)


@pytest.mark.parametrize(
    ("values", "may_drink", "advice"),
    [
        ({"infection": "yes"}, True, "call"),
        ({"urine-normal": "no"}, True, "call"),
        ({"urine-normal": "no", "intake-day-before": "240"}, False, "call"),
        ({"intake-day-before": "960"}, True, "drink"),
        ({"intake-day-before": "960"}, False, "fine"),
        ({"intake-day-before": "1200"}, True, "fine"),
        ({"new-drugs": "yes", "infection": "no"}, True, "fine"),
        ({}, True, "fine"),
    ],
)
def test_when_the_patient_is_asked_to_call(values, may_drink, advice):
    assert advice_for(values, may_drink=may_drink) == advice


@pytest.mark.parametrize(
    ("born", "kg", "wanted"),
    [
        (dt.date(1980, 3, 12), 12, 1000),
        (dt.date(2008, 6, 18), 12, 1000),  # grown on the day of the visit
        (dt.date(2008, 6, 19), 12, 550),
        (dt.date(2020, 1, 1), 30, 850),
        (dt.date(2010, 1, 1), 80, 1000),  # never above the site's target
    ],
)
def test_children_are_asked_to_drink_by_weight_as_the_check_does(visit, born, kg, wanted):
    visit.patient.date_of_birth, visit.order.actual_weight_kg = born, kg
    assert wanted_ml(visit) == wanted
