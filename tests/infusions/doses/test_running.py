from decimal import Decimal

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation, codes
from infusions.doses import running_rules as rules
from infusions.doses.course import course_of
from infusions.doses.models import DoseRecord, DoseState, Outcome, Phase, RateChange
from infusions.doses.reaction_models import Reaction
from infusions.doses.services import (
    change_rate,
    end_infusion,
    end_observation,
    pause_infusion,
    record_reaction,
    record_vital_signs,
    resume_infusion,
)
from infusions.orders.models import OrderStatus
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record, make_rate, make_vital_signs
from tests.factories.formulary import make_product
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import at

# The factory starts at minute 30: 21, 42, 84, 168, 336 mL/h, half an hour each; the cap is 336.


@pytest.fixture
def running(make_visit):
    return make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()))


@pytest.fixture
def at_84(running):
    """Third step since minute 90, vital signs fresh."""
    make_rate(running, "step", at(60), 42, step=2)
    make_rate(running, "step", at(90), 84, step=3)
    make_vital_signs(running, Phase.DURING, at(90))
    return running


def rates_of(record) -> list[tuple]:
    return [(rate.kind, rate.rate_ml_per_h, rate.step) for rate in record.rates.order_by("at", "pk")]


def refusal(service, **arguments) -> set[str]:
    with pytest.raises(RuleViolation) as refused:
        service(**arguments)
    return refused.value.codes


def test_change_rate_steps_up_when_the_step_is_due(running, nurse_user):
    change_rate(record=running, rate_ml_per_h=Decimal("42"), by=nurse_user, now=at(60))
    assert rates_of(running) == [("start", 21, 1), ("step", 42, 2)]


def test_change_rate_slows_freely(at_84, nurse_user):
    change_rate(record=at_84, rate_ml_per_h=Decimal("30"), by=nurse_user, now=at(95))
    assert rates_of(at_84)[-1] == ("change", 30, 1)


@pytest.mark.parametrize(
    ("rate", "minute", "codes"),
    [
        ("336.1", 60, {"rate-above-cap"}),
        ("0", 60, {"rate-not-positive"}),
        ("21", 60, {"rate-unchanged"}),
        ("42", 50, {"rate-ahead-of-plan"}),
        ("84", 60, {"rate-ahead-of-plan"}),
    ],
)
def test_change_rate_refuses(running, nurse_user, rate, minute, codes):
    refused = refusal(change_rate, record=running, rate_ml_per_h=Decimal(rate), by=nurse_user, now=at(minute))
    assert refused == codes
    assert rates_of(running) == [("start", 21, 1)]


def test_change_rate_never_passes_the_cap_whatever_the_reason(running, nurse_user):
    arguments = {"record": running, "rate_ml_per_h": Decimal("337"), "reason": "In a hurry", "by": nurse_user}
    assert refusal(change_rate, now=at(60), **arguments) == {"rate-above-cap"}


def test_change_rate_ahead_of_the_plan_keeps_its_reason(running, nurse_user):
    change_rate(record=running, rate_ml_per_h=Decimal("42"), reason="Tolerates it", by=nurse_user, now=at(45))
    assert RateChange.objects.get(kind="step").reason == "Tolerates it"


@pytest.mark.parametrize(
    ("grade", "rate", "expected"),
    [
        (1, "42", set()),  # slower than when it came
        (1, "84", {"rate-after-reaction"}),
        (2, "42", set()),  # half of it
        (2, "43", {"rate-after-reaction"}),
    ],
)
def test_rate_after_a_reaction_stays_below_the_one_it_came_at(at_84, nurse_user, grade, rate, expected):
    Reaction.objects.create(
        record=at_84,
        kind="headache",
        grade=grade,
        onset_at=at(95),
        rate_ml_per_h=84,
        action="Slowed",
        recorded_at=at(95),
        recorded_by=nurse_user,
    )
    make_rate(at_84, "change", at(95), 21, step=1)
    problems = rules.rate_problems(course_of(at_84), Decimal(rate), at(200))
    assert set(codes(problems)) - {"vital-signs-before-step", "rate-ahead-of-plan"} == expected


def test_stepping_up_without_fresh_vital_signs_warns(running):
    assert codes(rules.rate_problems(course_of(running), Decimal("42"), at(60))) == ["vital-signs-before-step"]
    make_vital_signs(running, Phase.DURING, at(55))
    assert rules.rate_problems(course_of(running), Decimal("42"), at(60)) == []


def test_stepping_up_on_vital_signs_outside_the_limits_needs_a_reason(running, nurse_user):
    make_vital_signs(running, Phase.DURING, at(59), systolic=84)
    step = {"record": running, "rate_ml_per_h": Decimal("42"), "by": nurse_user, "now": at(60)}
    assert refusal(change_rate, **step) == {"rate-while-holding"}
    make_vital_signs(running, Phase.DURING, at(59.5))
    assert change_rate(**step).rate_ml_per_h == 42


def test_pause_and_resume_at_the_same_rate(at_84, nurse_user):
    pause_infusion(record=at_84, reason="Bathroom", by=nurse_user, now=at(100))
    assert at_84.state == DoseState.PAUSED
    resume_infusion(record=at_84, by=nurse_user, now=at(105))
    assert (at_84.state, rates_of(at_84)[-2:]) == (DoseState.INFUSING, [("pause", 0, None), ("resume", 84, 3)])


def test_resume_refuses_a_faster_rate(at_84, nurse_user):
    pause_infusion(record=at_84, by=nurse_user, now=at(100))
    refused = refusal(resume_infusion, record=at_84, rate_ml_per_h=Decimal("85"), by=nurse_user, now=at(105))
    assert refused == {"resume-faster"}
    assert at_84.rates.last().kind == "pause"


def test_pause_refuses_what_does_not_run(at_84, nurse_user):
    pause_infusion(record=at_84, by=nurse_user, now=at(100))
    assert refusal(pause_infusion, record=at_84, by=nurse_user, now=at(101)) == {"wrong-state"}


def react(record, by, grade, now, **more):
    return record_reaction(record=record, kind="chills_fever", grade=grade, action="Told", by=by, now=now, **more)


def test_grade_1_keeps_the_infusion_running(at_84, nurse_user):
    reaction = react(at_84, nurse_user, 1, at(100))
    assert (reaction.rate_ml_per_h, reaction.onset_at, at_84.state) == (84, at(100), DoseState.INFUSING)


def test_grade_2_pauses_and_restarts_at_half_by_order(at_84, nurse_user):
    react(at_84, nurse_user, 2, at(100))
    assert (at_84.state, rates_of(at_84)[-1]) == (DoseState.PAUSED, ("pause", 0, None))
    above = {"record": at_84, "rate_ml_per_h": Decimal("50"), "reason": "Dr. Example", "by": nurse_user}
    assert refusal(resume_infusion, now=at(120), **above) == {"resume-above-half"}
    assert refusal(resume_infusion, record=at_84, by=nurse_user, now=at(120)) == {"restart-needs-order"}
    resume_infusion(record=at_84, reason="Dr. Example by phone", by=nurse_user, now=at(120))
    assert (at_84.state, rates_of(at_84)[-1]) == (DoseState.INFUSING, ("resume", 42, 2))


def test_grade_2_noticed_later_still_halves_the_rate_it_came_at(at_84, nurse_user):
    react(at_84, nurse_user, 2, at(100), onset_at=at(85))  # began at 42 mL/h
    assert rules.resume_rate_ml_per_h(course_of(at_84)) == 21


@pytest.mark.parametrize("grade", [3, 4, 5])
def test_grade_3_and_more_stops_for_good_and_holds_the_order(at_84, nurse_user, grade):
    react(at_84, nurse_user, grade, at(100))
    at_84.refresh_from_db()
    at_84.order.refresh_from_db()
    assert (at_84.state, at_84.outcome, at_84.ended_at) == (DoseState.OBSERVING, Outcome.STOPPED_EARLY, at(100))
    # 10.5 + 21 + 84 x 10/60 mL
    assert (at_84.volume_given_ml, at_84.waste_ml) == (Decimal("45.50"), Decimal("254.50"))
    assert at_84.order.status == OrderStatus.HELD
    assert refusal(resume_infusion, record=at_84, by=nurse_user, now=at(110)) == {"wrong-state"}


def test_grade_3_after_the_end_holds_the_order(make_visit, nurse_user):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS), state=DoseState.OBSERVING)
    reaction = react(record, nurse_user, 3, record.ended_at)
    record.order.refresh_from_db()
    assert (reaction.rate_ml_per_h, record.outcome) == (None, Outcome.COMPLETED)
    assert record.order.status == OrderStatus.HELD


def test_grade_3_holds_every_signed_order_of_the_patient_and_nobody_elses(at_84, nurse_user):
    other, stopped = (make_order(patient=at_84.patient, status=status) for status in ("signed", "stopped"))
    strangers = make_order()
    react(at_84, nurse_user, 3, at(100))
    for order in (other, stopped, strangers):
        order.refresh_from_db()
    assert [order.status for order in (other, stopped, strangers)] == ["held", "stopped", "signed"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"grade": 6}, "reaction-grade"),
        ({"action": " "}, "reaction-action-missing"),
        ({"onset_at": at(10)}, "reaction-onset"),
        ({"onset_at": at(101)}, "reaction-onset"),
    ],
)
def test_record_reaction_refuses(at_84, nurse_user, values, code):
    arguments = {"kind": "rash", "grade": 1, "action": "Watched"} | values
    assert refusal(record_reaction, record=at_84, by=nurse_user, now=at(100), **arguments) == {code}
    assert not Reaction.objects.exists()


def test_end_infusion_completes_the_dose(running, nurse_user):
    make_rate(running, "change", at(31), 336)
    end_infusion(record=running, by=nurse_user, now=at(86))
    kept = (running.state, running.outcome, running.volume_given_ml, running.waste_ml, running.ended_at)
    assert kept == (DoseState.OBSERVING, Outcome.COMPLETED, 300, 0, at(86))
    assert rates_of(running)[-1] == ("stop", 0, None)


def test_end_infusion_before_the_volume_is_in_needs_a_reason(running, nurse_user):
    assert refusal(end_infusion, record=running, by=nurse_user, now=at(60)) == {"stop-reason-missing"}
    end_infusion(record=running, stop_reason="Line lost", by=nurse_user, now=at(60))
    kept = (running.outcome, running.stop_reason, running.volume_given_ml, running.waste_ml)
    assert kept == (Outcome.STOPPED_EARLY, "Line lost", Decimal("10.50"), Decimal("289.50"))


def test_end_observation_finishes_the_visit(make_visit, nurse_user):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS), state=DoseState.OBSERVING)
    over = record.ended_at.replace() + (at(30) - at(0))
    assert refusal(end_observation, record=record, by=nurse_user, now=record.ended_at) == {"observation-short"}
    end_observation(record=record, by=nurse_user, now=over)
    record.appointment.refresh_from_db()
    assert (record.state, record.observation_ended_at) == (DoseState.ENDED, over)
    assert record.appointment.state == State.COMPLETED


def test_observation_takes_an_hour_after_another_brand_than_ordered(make_visit, nurse_user):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS), state=DoseState.OBSERVING)
    DoseRecord.objects.filter(pk=record.pk).update(product=make_product())
    record.refresh_from_db()
    after_59_minutes = record.ended_at + (at(59) - at(0))
    assert refusal(end_observation, record=record, by=nurse_user, now=after_59_minutes) == {"observation-short"}
    end_observation(record=record, by=nurse_user, now=record.ended_at + (at(60) - at(0)))
    assert record.state == DoseState.ENDED


def test_end_observation_early_keeps_its_reason(make_visit, nurse_user):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS), state=DoseState.OBSERVING)
    end_observation(record=record, reason="Taken to hospital", by=nurse_user, now=record.ended_at)
    assert (record.state, record.notes) == (DoseState.ENDED, "Observation ended early: Taken to hospital")


def test_every_act_leaves_its_event(at_84, nurse_user):
    pause_infusion(record=at_84, by=nurse_user, now=at(100))
    resume_infusion(record=at_84, by=nurse_user, now=at(101))
    change_rate(record=at_84, rate_ml_per_h=Decimal("42"), by=nurse_user, now=at(102))
    record_vital_signs(record=at_84, by=nurse_user, now=at(103), pulse=70)
    react(at_84, nurse_user, 1, at(104))
    end_infusion(record=at_84, stop_reason="Enough", by=nurse_user, now=at(105))
    end_observation(record=at_84, reason="Left", by=nurse_user, now=at(106))
    events = AuditEvent.objects.filter(target_id=at_84.public_id).order_by("pk")
    assert list(events.values_list("action", "patient_id")) == [
        (f"dose.{verb}", at_84.patient.public_id)
        for verb in (
            "paused",
            "resumed",
            "rate_changed",
            "vital_signs_recorded",
            "reaction_recorded",
            "ended",
            "observation_ended",
        )
    ]
