"""Reactions: what is kept at the onset, the act by grade, presses timed by the server, calls, reactions told later.

Source: fact sheet 5. The factory starts at minute 30: 21, 42, 84, 168, 336 mL/h, half an hour each.
"""

import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.doses.course import course_of
from infusions.doses.due import DueKind, all_due
from infusions.doses.models import DoseRecord, DoseState, Phase
from infusions.doses.reaction_calls import call_problems, tolerated_ml_per_h
from infusions.doses.reaction_cards import reaction_cards
from infusions.doses.reaction_forms import ACTS, CALLED
from infusions.doses.reaction_kinds import GROUPS, SIGNS
from infusions.doses.reaction_models import Reaction, ReactionKind, ReactionStep
from infusions.doses.services import (
    change_rate,
    record_reaction,
    record_reaction_step,
    resume_infusion,
    sign_dose,
    slow_for_reaction,
)
from infusions.orders.models import OrderStatus
from infusions.orders.services import release_order
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record, make_rate, make_vital_signs
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import at


@pytest.fixture
def running(make_visit):
    """At 84 mL/h since minute 90, vital signs fresh."""
    record = make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()))
    make_rate(record, "step", at(60), 42, step=2)
    make_rate(record, "step", at(90), 84, step=3)
    make_vital_signs(record, Phase.DURING, at(90))
    return record


@pytest.fixture
def react(running, nurse_user):
    def reacted(grade=1, now=None, **fields):
        values = {"record": running, "kind": "headache", "action": "Watched", "by": nurse_user} | fields
        return record_reaction(grade=grade, now=now or at(100), **values)

    return reacted


@pytest.fixture
def press(nurse_user):
    def pressed(reaction, kind, now=None):
        return record_reaction_step(reaction=reaction, kind=kind, by=nurse_user, now=now or at(101))

    return pressed


def refusal(service, **arguments) -> set[str]:
    with pytest.raises(RuleViolation) as refused:
        service(**arguments)
    return refused.value.codes


def rates_of(record) -> list[tuple]:
    return list(record.rates.order_by("at", "pk").values_list("kind", "rate_ml_per_h"))


def steps_of(reaction) -> list[tuple]:
    return list(reaction.steps.order_by("at", "pk").values_list("kind", "at", "note"))


def reaction_dues(record, now) -> list[tuple]:
    """(kind, minutes, overdue) of what reactions ask for."""
    dues = all_due(course_of(DoseRecord.objects.get(pk=record.pk)), now)
    return [
        (due.kind, (due.at - at(0)) / dt.timedelta(minutes=1), due.is_overdue)
        for due in dues
        if due.kind in (DueKind.CALL, DueKind.LOOK_AGAIN)
    ]


# What the form offers


def test_every_kind_stands_in_one_group_and_has_its_signs():
    grouped = [kind for _, kinds in GROUPS for kind in kinds]
    assert sorted(grouped) == sorted(ReactionKind)
    assert sorted(SIGNS) == sorted(ReactionKind)
    assert set(CALLED) <= set(ACTS)


# What is kept at the onset


@pytest.mark.parametrize(
    ("minute", "rate", "volume"),
    [
        (45, 21, "5.25"),
        (100, 84, "45.50"),  # 10.5 + 21 + 84 x 10/60
    ],
)
def test_rate_and_volume_are_those_of_the_onset(react, minute, rate, volume):
    reaction = react(onset_at=at(minute))
    assert (reaction.rate_ml_per_h, reaction.volume_ml, reaction.lots) == (rate, Decimal(volume), ["LOT1"])


def test_after_the_end_the_volume_is_what_was_given_and_there_is_no_rate(make_visit, nurse_user):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS), state=DoseState.OBSERVING)
    late = record_reaction(record=record, kind="rash", grade=1, action="Watched", by=nurse_user, now=record.ended_at)
    assert (late.rate_ml_per_h, late.volume_ml) == (None, record.volume_given_ml)


def test_of_several_lots_the_nurse_may_name_the_one_that_ran(running, react):
    running.vials.filter(pk=running.vials.first().pk).update(lot="LOT2")
    assert (react().lots, react(lots=["LOT2"]).lots) == (["LOT1", "LOT2"], ["LOT2"])
    before = Reaction.objects.count()
    with pytest.raises(RuleViolation) as refused:
        react(lots=["LOT9"])
    assert (refused.value.codes, Reaction.objects.count()) == ({"reaction-lot-unknown"}, before)


# Grade 1: one tap slows


@pytest.mark.parametrize(("rate", "expected"), [("84", 42), ("100", 84), ("42", 21), ("21", 0), (None, None)])
def test_the_last_tolerated_rate_is_the_step_below_the_one_it_came_at(running, rate, expected):
    reaction = Reaction(record=running, rate_ml_per_h=rate and Decimal(rate))
    assert tolerated_ml_per_h(course_of(running), reaction) == expected


def test_slowing_sets_the_last_tolerated_rate_and_is_timed(running, react, nurse_user):
    reaction = react()
    [card] = reaction_cards(course_of(running))
    assert card.slow_to == 42
    slow_for_reaction(reaction=reaction, by=nurse_user, now=at(101))
    assert rates_of(running)[-1] == ("change", 42)
    assert steps_of(reaction) == [("slowed", at(101), "to 42 mL/h")]
    [card] = reaction_cards(course_of(DoseRecord.objects.get(pk=running.pk)))
    assert card.slow_to is None
    before = rates_of(running)
    assert refusal(slow_for_reaction, reaction=reaction, by=nurse_user, now=at(102)) == {"already-slower"}
    assert (rates_of(running), ReactionStep.objects.count()) == (before, 1)


def test_at_the_first_step_slowing_is_a_pause(make_visit, nurse_user):
    record = make_dose_record(make_visit(state=State.IN_PROGRESS))
    reaction = record_reaction(record=record, kind="flushing", grade=1, action="Watched", by=nurse_user, now=at(40))
    slow_for_reaction(reaction=reaction, by=nurse_user, now=at(41))
    record.refresh_from_db()
    assert (record.state, rates_of(record)[-1]) == (DoseState.PAUSED, ("pause", 0))


def test_grade_1_asks_to_look_again_every_15_minutes_until_it_is_over(running, react, press):
    reaction = react()
    assert reaction_dues(running, at(121)) == [(DueKind.LOOK_AGAIN, 115, True)]
    press(reaction, "reassessed", at(116))
    assert reaction_dues(running, at(117)) == [(DueKind.LOOK_AGAIN, 131, False)]
    press(reaction, "resolved", at(130))
    assert reaction_dues(running, at(140)) == []
    assert reaction_cards(course_of(DoseRecord.objects.get(pk=running.pk))) == []


def test_of_two_reactions_one_that_is_over_leaves_the_other_open(running, react, press):
    press(react(), "resolved")
    react(kind="rash", now=at(102))
    assert reaction_dues(running, at(103)) == [(DueKind.LOOK_AGAIN, 117, False)]


# Grade 2


def test_grade_2_offers_half_the_rate_and_warns_at_signing_without_a_call(running, react, press):
    reaction = react(2)
    [card] = reaction_cards(course_of(running))
    assert (card.slow_to, card.restart_at, card.is_stopped) == (None, 42, False)
    assert [press.kind for press in card.presses] == [
        "prescriber_called",
        "pharmacist_told",
        "reassessed",
        "resolved",
    ]
    [problem] = call_problems(course_of(running))
    assert (problem.code, problem.severity) == ("reaction-call-missing", "warning")
    assert reaction_dues(running, at(101)) == [(DueKind.LOOK_AGAIN, 115, False)]
    press(reaction, "prescriber_called")
    assert call_problems(course_of(DoseRecord.objects.get(pk=running.pk))) == []


# Grade 3 and more


@pytest.mark.parametrize("grade", [3, 4, 5])
def test_from_grade_3_on_the_call_is_overdue_after_10_minutes(running, react, press, grade):
    reaction = react(grade)
    assert reaction_dues(running, at(110))[0] == (DueKind.CALL, 100, False)
    assert reaction_dues(running, at(110.1))[0] == (DueKind.CALL, 100, True)
    assert all_due(course_of(DoseRecord.objects.get(pk=running.pk)), at(111))[0].what == "Call the prescriber"
    press(reaction, "prescriber_called", at(112))
    assert [kind for kind, *_ in reaction_dues(running, at(113))] == [DueKind.LOOK_AGAIN]


def test_a_call_before_the_second_reaction_does_not_count_for_it(running, react, press):
    press(react(3), "prescriber_called", at(103))
    react(3, now=at(105), kind="thrombosis")
    assert reaction_dues(running, at(106))[0] == (DueKind.CALL, 105, False)


@pytest.mark.parametrize("grade", [3, 4, 5])
def test_from_grade_3_on_nothing_restarts_and_slows(running, react, nurse_user, grade):
    reaction = react(grade)
    before = rates_of(running)
    acts = {"record": running, "rate_ml_per_h": Decimal(21), "reason": "Dr. Example said so", "by": nurse_user}
    refused = [
        refusal(resume_infusion, now=at(130), **acts),
        refusal(change_rate, now=at(130), **acts),
        refusal(slow_for_reaction, reaction=reaction, by=nurse_user, now=at(130)),
    ]
    running.refresh_from_db()
    assert (refused, running.state, rates_of(running)) == ([{"wrong-state"}] * 3, DoseState.OBSERVING, before)
    [card] = reaction_cards(course_of(DoseRecord.objects.get(pk=running.pk)))
    assert (card.is_stopped, card.slow_to, card.restart_at) == (True, None, None)


@pytest.mark.parametrize("grade", [3, 4, 5])
def test_a_grave_dose_is_not_signed_before_the_prescriber_was_called(make_visit, nurse_user, press, grade):
    record = make_dose_record(make_visit(state=State.COMPLETED), state=DoseState.ENDED)
    now = record.observation_ended_at
    reaction = record_reaction(record=record, kind="thrombosis", grade=grade, action="911", by=nurse_user, now=now)
    assert refusal(sign_dose, record=record, by=nurse_user, now=now) == {"reaction-call-missing"}
    assert not DoseRecord.objects.filter(state=DoseState.SIGNED).exists()
    press(reaction, "prescriber_called", now)
    sign_dose(record=DoseRecord.objects.get(pk=record.pk), by=nurse_user, now=now)
    assert DoseRecord.objects.get().state == DoseState.SIGNED


def test_calls_ticked_in_the_form_are_timed_steps(react):
    reaction = react(4, called=["prescriber_called", "emergency_called"])
    assert sorted(steps_of(reaction)) == [
        ("emergency_called", at(100), ""),
        ("prescriber_called", at(100), ""),
    ]


# Presses


def test_a_second_press_within_a_minute_adds_nothing(react, press):
    reaction = react(3)
    first = press(reaction, "emergency_called", at(101))
    assert press(reaction, "emergency_called", at(101.5)) == first
    press(reaction, "emergency_called", at(103))
    assert len(steps_of(reaction)) == 2


@pytest.mark.parametrize(
    ("kind", "code"),
    [("slowed", "reaction-step-unknown"), ("danced", "reaction-step-unknown"), ("reassessed", "reaction-over")],
)
def test_presses_that_are_refused(react, press, nurse_user, kind, code):
    reaction = react()
    press(reaction, "resolved", at(101))
    assert refusal(record_reaction_step, reaction=reaction, kind=kind, by=nurse_user, now=at(110)) == {code}
    assert [kind for kind, *_ in steps_of(reaction)] == ["resolved"]


def test_presses_leave_their_trail(running, react, press):
    press(react(3), "pharmacist_told")
    events = AuditEvent.objects.filter(action="dose.reaction_step_recorded")
    assert [(event.detail["kind"], event.patient_id) for event in events] == [
        ("pharmacist_told", running.patient.public_id)
    ]


# Held orders, and who clears them


def test_the_pharmacist_clears_a_held_order(running, react, pharmacist):
    react(3)
    order = running.order
    order.refresh_from_db()
    assert (order.status, order.status_reason) == (
        OrderStatus.HELD,
        "Reaction at the last dose: Headache, grade 3",
    )
    release_order(order=order, reason="Dr. Example: other brand, slower", by=pharmacist)
    order.refresh_from_db()
    assert (order.status, order.status_reason) == (OrderStatus.SIGNED, "")
