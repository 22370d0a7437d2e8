"""The step as one act, staying at a rate, the pump's limit, and who may not climb ahead of the plan."""

import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.core.rules import RuleViolation, Severity
from infusions.doses import running_rules
from infusions.doses.course import course_of
from infusions.doses.due import DueKind, all_due
from infusions.doses.models import DoseRecord, DoseState, RateKind
from infusions.doses.restart import LastDose, restart_reason, restart_reason_of
from infusions.doses.rules import start_problems
from infusions.doses.services import change_rate, pause_infusion, resume_infusion, stay_at_rate, step_up
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record, make_vital_signs
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import NOON, at

# The factory starts at minute 30: 21, 42, 84, 168, 336 mL/h, half an hour each.
SIGNS = {"systolic": 118, "pulse": 76}
ON = dt.date(2026, 11, 23)


@pytest.fixture
def running(make_visit):
    return make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()))


def rates_of(record) -> list[tuple]:
    return [(rate.kind, rate.rate_ml_per_h) for rate in record.rates.order_by("at", "pk")]


def signs_of(record) -> list[tuple]:
    return [(one.systolic, one.pulse) for one in record.vital_signs.filter(phase="during").order_by("at")]


def step_at(record) -> dt.datetime:
    return course_of(DoseRecord.objects.get(pk=record.pk)).next_step.at


def test_step_up_keeps_vital_signs_and_raises_the_rate_in_one_act(running, nurse_user):
    done = step_up(record=running, rate_ml_per_h=Decimal(42), by=nurse_user, now=at(60), **SIGNS)
    assert (rates_of(running), signs_of(running), done.refused) == ([("start", 21), ("step", 42)], [(118, 76)], ())


def test_step_up_keeps_vital_signs_that_call_for_a_hold_and_leaves_the_rate(running, nurse_user):
    done = step_up(record=running, rate_ml_per_h=Decimal(42), by=nurse_user, now=at(60), systolic=85, pulse=76)
    assert [problem.code for problem in done.refused] == ["rate-while-holding"]
    assert (rates_of(running), signs_of(running), done.change) == ([("start", 21)], [(85, 76)], None)


def test_step_up_goes_on_despite_a_hold_with_a_reason(running, nurse_user):
    values = {"systolic": 85, "pulse": 76, "reason": "Dr. Example knows"}
    step_up(record=running, rate_ml_per_h=Decimal(42), by=nurse_user, now=at(60), **values)
    assert running.rates.get(kind="step").reason == "Dr. Example knows"


def test_step_up_with_a_typing_error_keeps_nothing(running, nurse_user):
    with pytest.raises(RuleViolation) as refused:
        step_up(record=running, rate_ml_per_h=Decimal(42), by=nurse_user, now=at(60), systolic=1180)
    assert refused.value.codes == {"vital-sign-implausible"}
    assert (rates_of(running), signs_of(running)) == ([("start", 21)], [])


def test_step_up_without_any_vital_signs_needs_a_reason(running, nurse_user):
    with pytest.raises(RuleViolation) as refused:
        step_up(record=running, rate_ml_per_h=Decimal(42), by=nurse_user, now=at(60), systolic=None)
    assert (refused.value.codes, rates_of(running)) == ({"step-without-signs"}, [("start", 21)])
    step_up(record=running, rate_ml_per_h=Decimal(42), reason="Cuff is broken", by=nurse_user, now=at(60))
    assert rates_of(running) == [("start", 21), ("step", 42)]


def test_step_up_uses_vital_signs_taken_just_before(running, nurse_user):
    make_vital_signs(running, "during", at(51))
    step_up(record=running, rate_ml_per_h=Decimal(42), by=nurse_user, now=at(60))
    assert rates_of(running) == [("start", 21), ("step", 42)]


def test_stay_puts_the_step_off_by_its_minutes_and_pauses_do_not_count(running, nurse_user):
    stay_at_rate(record=running, reason="Headache", by=nurse_user, now=at(58))
    assert (rates_of(running), step_at(running)) == ([("start", 21), ("hold", 21)], at(88))
    pause_infusion(record=running, by=nurse_user, now=at(68))
    resume_infusion(record=running, by=nurse_user, now=at(78))
    assert step_at(running) == at(98)
    due = [one for one in all_due(course_of(DoseRecord.objects.get(pk=running.pk)), at(90)) if one.kind == DueKind.STEP]
    assert [(one.at, one.is_due) for one in due] == [(at(98), False)]


@pytest.mark.parametrize(
    ("state", "rate", "reason", "code"),
    [
        (DoseState.INFUSING, "21", " ", "stay-reason-missing"),
        (DoseState.INFUSING, "336", "Headache", "nothing-to-put-off"),
        (DoseState.PAUSED, "21", "Headache", "wrong-state"),
    ],
)
def test_stay_refuses(make_visit, nurse_user, state, rate, reason, code):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()), state=state)
    record.rates.filter(kind=RateKind.START).update(rate_ml_per_h=Decimal(rate))
    before = rates_of(record)
    with pytest.raises(RuleViolation) as refused:
        stay_at_rate(record=record, reason=reason, by=nurse_user, now=at(58))
    assert (refused.value.codes, rates_of(record)) == ({code}, before)


@pytest.mark.parametrize(
    ("last", "is_first", "reason"),
    [
        (None, True, "First infusion of Privigen 10%"),
        (None, False, ""),  # known elsewhere, the order does not say when
        (LastDose(dt.date(2026, 10, 26), "Privigen 10%"), False, ""),
        (LastDose(dt.date(2026, 9, 28), "Privigen 10%"), False, ""),  # eight weeks to the day
        (LastDose(dt.date(2026, 9, 27), "Privigen 10%"), False, "Last infusion 57 days ago"),
        (LastDose(dt.date(2026, 9, 21)), False, "Last infusion 63 days ago"),
        (LastDose(dt.date(2026, 10, 26), "Octagam 10%"), False, "The last infusion was Octagam 10%"),
        (LastDose(dt.date(2026, 10, 26), "Octagam 10%"), True, "The last infusion was Octagam 10%"),
        (
            LastDose(dt.date(2026, 10, 26), "Privigen 10%"),
            True,
            "First infusion of Privigen 10%, or changed to it",
        ),
    ],
)
def test_a_first_dose_another_brand_and_a_long_gap_restart_at_the_lowest_step(last, is_first, reason):
    assert restart_reason(product="Privigen 10%", on=ON, last=last, is_first=is_first) == reason


def earlier_dose(make_visit, order, *, days: int) -> DoseRecord:
    visit = make_visit(order=order, start=NOON - dt.timedelta(days=days), state=State.COMPLETED)
    return make_dose_record(visit, state=DoseState.SIGNED)


def test_the_start_tells_of_a_long_gap(make_visit, nurse_user):
    order = make_order()
    earlier_dose(make_visit, order, days=63)
    record = make_dose_record(make_visit(order=order), state=DoseState.PREPARING)
    told = [one for one in start_problems(record, by=nurse_user, now=NOON) if one.code == "restart-lowest"]
    assert [(one.severity, one.message) for one in told] == [
        (Severity.NOTE, "Last infusion 63 days ago: from the lowest step, and no step before its time.")
    ]


def test_after_a_long_gap_no_reason_gets_ahead_of_the_plan(make_visit, nurse_user):
    order = make_order()
    earlier_dose(make_visit, order, days=63)
    running = make_dose_record(make_visit(state=State.IN_PROGRESS, order=order))
    with pytest.raises(RuleViolation) as refused:
        change_rate(record=running, rate_ml_per_h=Decimal(84), reason="Always well", by=nurse_user, now=at(60))
    assert [(p.code, p.severity) for p in refused.value.problems] == [("rate-ahead-of-plan", Severity.BLOCKER)]
    assert rates_of(running) == [("start", 21)]


def test_an_order_for_another_brand_counts_though_the_last_dose_here_was_this_one(make_visit, nurse_user):
    """The brand in between was given elsewhere: only the order tells of it."""
    earlier_dose(make_visit, make_order(), days=28)
    before = DoseRecord.objects.get()
    order = make_order(patient=before.patient, product=before.product, is_first_dose=True)
    running = make_dose_record(make_visit(state=State.IN_PROGRESS, order=order))
    with pytest.raises(RuleViolation) as refused:
        change_rate(record=running, rate_ml_per_h=Decimal(84), reason="Always well", by=nurse_user, now=at(60))
    assert [(p.code, p.severity) for p in refused.value.problems] == [("rate-ahead-of-plan", Severity.BLOCKER)]
    assert rates_of(running) == [("start", 21)]


def test_a_signed_first_dose_is_still_told_as_the_first(make_visit):
    order = make_order(is_first_dose=True)
    [first, second] = [earlier_dose(make_visit, order, days=days) for days in (56, 28)]
    order.doses_given = 2
    order.save()
    records = [DoseRecord.objects.get(pk=one.pk) for one in (first, second)]
    assert [restart_reason_of(one, NOON) for one in records] == [f"First infusion of {order.product}", ""]


def test_whoever_had_the_product_lately_may_get_ahead_with_a_reason(make_visit, nurse_user):
    order = make_order()
    earlier_dose(make_visit, order, days=28)
    running = make_dose_record(make_visit(state=State.IN_PROGRESS, order=order))
    change_rate(record=running, rate_ml_per_h=Decimal(84), reason="Always well", by=nurse_user, now=at(60))
    assert rates_of(running)[-1] == ("change", 84)


@pytest.mark.parametrize(("most", "warned"), [(300, True), (336, False)])
def test_what_the_pump_cannot_run_is_warned_of(make_visit, site, nurse_user, most, warned):
    site.pump_max_ml_per_h = most
    site.save()
    record = make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()))
    told = running_rules.rate_problems(course_of(record), Decimal(336), at(60))
    assert ("rate-above-pump" in {one.code for one in told}) is warned
    started = start_problems(record, by=nurse_user, now=at(60))
    assert ("rate-above-pump" in {one.code for one in started}) is warned
