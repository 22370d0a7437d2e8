"""Source of the times: fact sheet 4, vital signs generator rule. The factory starts the infusion at minute 30."""

import datetime as dt

import pytest

from infusions.doses.course import course_of
from infusions.doses.due import DueKind, all_due, next_due
from infusions.doses.models import DoseState, Phase
from infusions.doses.reaction_models import Reaction
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record, make_rate, make_vital_signs
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import NOON, at


@pytest.fixture
def make_record(make_visit):
    def made(state=DoseState.INFUSING):
        return make_dose_record(make_visit(order=make_order(), state=State.IN_PROGRESS), state=state)

    return made


def foreseen(record, now=NOON) -> list[tuple]:
    """(kind, minutes after the visit's start) of all that is due, first things first."""
    return [(due.kind, (due.at - NOON) / dt.timedelta(minutes=1)) for due in all_due(course_of(record), now)]


def due_kinds(record, now) -> tuple:
    due = next_due(record, now)
    return due.kind, due.is_due, due.is_overdue


def test_preparing_is_due_to_start_when_preparation_ends(make_record):
    assert foreseen(make_record(DoseState.PREPARING)) == [(DueKind.START, 30)]


def test_infusing_vital_signs_after_15_minutes_then_step_then_end(make_record):
    record = make_record()
    assert foreseen(record, at(31))[:2] == [(DueKind.VITAL_SIGNS, 45), (DueKind.STEP, 60)]
    assert next_due(record, at(31)).what == "Vital signs"


def test_infusing_vital_signs_come_just_before_the_step(make_record):
    record = make_record()
    make_vital_signs(record, Phase.DURING, at(46))
    assert foreseen(record, at(46))[:2] == [(DueKind.VITAL_SIGNS, 60), (DueKind.STEP, 60)]
    assert next_due(record, at(46)).what == "Vital signs before 42 mL/h"


def test_infusing_fresh_vital_signs_leave_only_the_step(make_record):
    record = make_record()
    make_vital_signs(record, Phase.DURING, at(55))
    assert foreseen(record, at(56))[0] == (DueKind.STEP, 60)


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        (44, (DueKind.VITAL_SIGNS, False, False)),
        (45, (DueKind.VITAL_SIGNS, True, False)),
        (50, (DueKind.VITAL_SIGNS, True, False)),
        (51, (DueKind.VITAL_SIGNS, True, True)),
    ],
)
def test_due_becomes_due_and_after_its_grace_overdue(make_record, minute, expected):
    assert due_kinds(make_record(), at(minute)) == expected


def test_at_the_maximum_vital_signs_come_every_half_hour(make_record):
    record = make_record()
    make_rate(record, "change", at(31), 100)
    make_rate(record, "change", at(32), 336)
    make_vital_signs(record, Phase.DURING, at(46))
    # 300 mL: 0.35 + 1.67 mL went in before, the rest takes 53.2 min.
    (end, minutes), (signs, later) = foreseen(record, at(47))[1], foreseen(record, at(47))[0]
    assert (signs, later, end, round(minutes, 1)) == (DueKind.VITAL_SIGNS, 76, DueKind.END, 85.2)


def test_a_reaction_brings_the_next_vital_signs_back_to_15_minutes(make_record, nurse_user):
    record = make_record()
    make_rate(record, "change", at(31), 336)
    make_vital_signs(record, Phase.DURING, at(46))
    Reaction.objects.create(
        record=record, kind="rash", grade=1, onset_at=at(46), action="-", recorded_at=at(46), recorded_by=nurse_user
    )
    assert foreseen(record, at(47))[0] == (DueKind.VITAL_SIGNS, 61)


def test_paused_asks_for_vital_signs_and_a_decision_after_15_minutes(make_record):
    assert foreseen(make_record(DoseState.PAUSED)) == [(DueKind.VITAL_SIGNS, 55), (DueKind.RESUME, 55)]


def test_observing_wants_vital_signs_at_the_end_and_half_an_hour_later(make_record):
    record = make_record(DoseState.OBSERVING)  # over at minute 176
    assert foreseen(record) == [(DueKind.VITAL_SIGNS, 206), (DueKind.OBSERVATION_END, 206)]
    record.vital_signs.filter(phase=Phase.END).delete()
    assert foreseen(record)[0] == (DueKind.VITAL_SIGNS, 176)
    make_vital_signs(record, Phase.END, at(177))
    make_vital_signs(record, Phase.OBSERVATION, at(200))
    assert foreseen(record) == [(DueKind.OBSERVATION_END, 206)]


def test_observing_after_a_first_dose_wants_vital_signs_again_at_the_hour(make_record):
    record = make_record(DoseState.OBSERVING)
    record.appointment.observation_minutes = 60
    make_vital_signs(record, Phase.OBSERVATION, at(206))
    assert foreseen(record) == [(DueKind.VITAL_SIGNS, 236), (DueKind.OBSERVATION_END, 236)]


def test_ended_wants_its_signature_and_signed_nothing(make_record):
    assert foreseen(make_record(DoseState.ENDED)) == [(DueKind.SIGN, 206)]
    assert next_due(make_record(DoseState.SIGNED), NOON) is None
