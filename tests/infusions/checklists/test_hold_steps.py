"""What is done about a check that did not pass, and the second check after it."""

import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.checklists.confirming import confirm_earlier
from infusions.checklists.hold_services import record_hold_step
from infusions.checklists.models import HoldStep, RunStatus
from infusions.checklists.queries import context_of, latest_answers
from infusions.checklists.repeats import repeatable_answers
from infusions.checklists.services import start_checklist
from infusions.scheduling.states import State
from tests.factories.accounts import make_staff
from tests.factories.checklists import good_answers, make_open_checklist, make_passed_checklist

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 18, 16, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def failed(arrived):
    return make_passed_checklist(arrived, now=NOON, dehydration_signs=["thirst", "dizzy"])


def noted(run, kind, *, now=NOON, **more) -> HoldStep:
    return record_hold_step(run=run, kind=kind, by=run.closed_by or run.started_by, now=now, **more)


def restrict(run):
    run.appointment.patient.fluid_restriction_ml_per_day = 1200
    run.appointment.patient.save()


def test_fluids_are_noted_with_the_sites_time_to_check_again(failed, nurse):
    failed.appointment.site.recheck_minutes = 45
    failed.appointment.site.save()
    step = noted(failed, "fluids", amount_ml=500)
    assert (step.amount_ml, step.recheck_at, step.by) == (500, NOON + 45 * MINUTE, nurse)
    assert failed.recheck_at == step.recheck_at
    assert AuditEvent.objects.get(action="checklist.hold_step").detail == {"kind": "fluids"}


def test_the_latest_time_counts_and_no_infusion_today_ends_the_wait(failed):
    noted(failed, "fluids", amount_ml=250)
    noted(failed, "recheck", recheck_minutes=15)
    noted(failed, "called", note="Dr. Example: go on")
    assert failed.recheck_at == NOON + 15 * MINUTE
    noted(failed, "sent_home", note="Vomits")
    assert failed.recheck_at is None


@pytest.mark.parametrize(
    ("kind", "more", "code"),
    [
        ("fluids", {}, "fluids-amount"),
        ("fluids", {"amount_ml": 0}, "fluids-amount"),
        ("fluids", {"amount_ml": 1001}, "fluids-amount"),
        ("called", {"amount_ml": 250}, "fluids-amount"),
        ("recheck", {}, "recheck-implausible"),
        ("recheck", {"recheck_minutes": 4}, "recheck-implausible"),
        ("recheck", {"recheck_minutes": 241}, "recheck-implausible"),
        ("called", {"recheck_minutes": 30}, "recheck-implausible"),
        ("prayed", {}, "step-unknown"),
        ("called", {"note": "x" * 201}, "step-note-long"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(failed, kind, more, code):
    with pytest.raises(RuleViolation) as refused:
        noted(failed, kind, **more)
    assert (refused.value.codes, HoldStep.objects.count()) == ({code}, 0)


def test_a_fluid_restriction_asks_the_prescriber_first(failed):
    restrict(failed)
    for before in (None, "called without words"):
        if before:
            noted(failed, "called")
        with pytest.raises(RuleViolation) as refused:
            noted(failed, "fluids", amount_ml=250)
        assert refused.value.codes == {"fluids-restricted"}
    noted(failed, "called", note="Dr. Example: 250 mL slowly")
    assert noted(failed, "fluids", amount_ml=250).amount_ml == 250


def test_steps_belong_to_the_failed_check_in_hand(arrived, failed, nurse):
    second = start_checklist(appointment=arrived, by=nurse, now=NOON + MINUTE)
    for run, code in ((failed, "checklist-closed"), (second, "check-not-finished")):
        with pytest.raises(RuleViolation) as refused:
            noted(run, "recheck", recheck_minutes=30, now=NOON + 2 * MINUTE)
        assert refused.value.codes == {code}
    assert not HoldStep.objects.exists()


@pytest.mark.parametrize("change", ["passed", "next day", "left"])
def test_nothing_is_noted_about_a_check_that_is_over(arrived, change):
    run = make_passed_checklist(arrived, now=NOON, **({} if change == "passed" else {"consent": "no"}))
    if change == "left":
        arrived.state = State.EXPECTED
        arrived.save()
    with pytest.raises(RuleViolation) as refused:
        noted(run, "called", now=NOON + dt.timedelta(days=change == "next day"))
    assert (refused.value.codes, HoldStep.objects.count()) == ({"checklist-closed"}, 0)


def test_the_second_check_offers_again_what_cannot_change_within_the_hour(arrived, failed, nurse):
    second = start_checklist(appointment=arrived, by=nurse, now=NOON + 60 * MINUTE)
    asked_anew = {
        *("identity-name", "identity-birth-date", "order-matches"),
        *("intake-day-before", "intake-today", "urine-normal", "dehydration-signs"),
        *("temperature", "systolic", "diastolic", "pulse", "spo2", "respiration"),
    }
    offered = repeatable_answers(second, NOON + 60 * MINUTE)
    assert offered.keys() == good_answers(second).keys() - asked_anew
    assert latest_answers(second) == {}


def test_what_failed_is_asked_again(arrived, nurse):
    make_passed_checklist(arrived, now=NOON, consent="no", live_vaccine="yes", room_temperature="no")
    second = start_checklist(appointment=arrived, by=nurse, now=NOON)
    offered = repeatable_answers(second, NOON)
    assert {"consent", "room-temperature"} & offered.keys() == set()
    assert offered["live-vaccine"].value == "yes"  # it only warned


def test_one_tap_writes_a_new_answer_of_this_nurse(arrived, failed):
    other = make_staff(site=arrived.site)
    second = start_checklist(appointment=arrived, by=other, now=NOON + MINUTE)
    item = second.template.items.get(code="weight")
    answer = confirm_earlier(run=second, item=item, by=other, now=NOON + 2 * MINUTE)
    first = latest_answers(failed)["weight"]
    assert (answer.value, answer.answered_by, answer.answered_at) == (first.value, other, NOON + 2 * MINUTE)
    assert (answer.pk != first.pk, answer.run) == (True, second)


@pytest.mark.parametrize(("code", "minutes"), [("pulse", 60), ("identity-name", 60), ("weight", 241)])
def test_vital_signs_identity_and_old_answers_cannot_be_confirmed_by_one_tap(arrived, failed, nurse, code, minutes):
    at = NOON + minutes * MINUTE
    second = start_checklist(appointment=arrived, by=nurse, now=at)
    with pytest.raises(RuleViolation) as refused:
        confirm_earlier(run=second, item=second.template.items.get(code=code), by=nurse, now=at)
    assert (refused.value.codes, second.answers.count()) == ({"ask-again"}, 0)


def test_a_check_that_passed_or_of_another_day_is_never_repeated(arrived, nurse):
    make_open_checklist(arrived, now=NOON - dt.timedelta(days=1), answers={"weight": "70"})
    second = start_checklist(appointment=arrived, by=nurse, now=NOON)
    assert repeatable_answers(second, NOON) == {}
    passed = make_passed_checklist(arrived, now=NOON)
    third = start_checklist(appointment=arrived, by=nurse, now=NOON)
    assert (passed.status, repeatable_answers(third, NOON)) == (RunStatus.PASSED, {})


def test_nothing_is_repeated_of_a_check_that_was_left_open_over_midnight(arrived, nurse):
    """Nobody closed it, so what held in it was never told."""
    late = dt.datetime(2026, 6, 19, 3, 50, tzinfo=dt.UTC)  # ten to midnight at the site
    make_open_checklist(arrived, now=late, answers={"consent": "no", "weight": "70"})
    second = start_checklist(appointment=arrived, by=nurse, now=late + 20 * MINUTE)
    assert repeatable_answers(second, late + 20 * MINUTE) == {}


def test_fluids_given_make_up_for_yesterday_in_the_next_check_only(arrived, nurse):
    first = make_passed_checklist(arrived, now=NOON, intake_day_before="800")
    noted(first, "fluids", amount_ml=500)
    second = start_checklist(appointment=arrived, by=nurse, now=NOON + 60 * MINUTE)
    now = NOON + 60 * MINUTE
    given = [context_of(arrived, now, before=run).fluids_given_ml for run in (first, second)]
    assert given == [0, 500]
