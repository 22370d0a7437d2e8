"""Reactions learned of after signing: beside the signed record; grade 3 and more hold every order of the patient."""

import datetime as dt

import pytest

from infusions.doses.models import DoseState
from infusions.doses.reaction_models import LateReaction, ReactionStep
from infusions.doses.services import record_late_reaction, record_reaction, record_reaction_step, sign_dose
from infusions.orders.models import OrderStatus
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import at
from tests.infusions.doses.test_reactions import refusal


@pytest.fixture
def signed(make_visit):
    return make_dose_record(make_visit(state=State.COMPLETED), state=DoseState.SIGNED)


@pytest.fixture
def tell(signed, nurse_user):
    def told(grade=1, **fields):
        values = {"record": signed, "kind": "thrombosis", "action": "Hospital", "learned_from": "Letter"}
        values |= {"onset_on": signed.started_at.date(), "by": nurse_user, "now": at(60 * 24 * 40)}
        return record_late_reaction(grade=grade, **values | fields)

    return told


@pytest.mark.parametrize("grade", [1, 2, 3, 4, 5])
def test_a_late_reaction_stands_beside_the_signed_record_and_from_grade_3_on_holds_every_order(signed, tell, grade):
    other, strangers = make_order(patient=signed.patient), make_order()
    content = signed.content_hash
    late = tell(grade, onset_on=signed.started_at.date() + dt.timedelta(days=12))
    signed.refresh_from_db()
    held = []
    for order in (signed.order, other, strangers):
        order.refresh_from_db()
        held.append(order.status == OrderStatus.HELD)
    assert held == [grade >= 3, grade >= 3, False]
    assert (signed.content_hash, signed.state, [*signed.late_reactions.all()]) == (content, DoseState.SIGNED, [late])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"grade": 6}, "reaction-grade"),
        ({"action": " "}, "reaction-action-missing"),
        ({"learned_from": ""}, "late-reaction-source"),
        ({"onset_on": dt.date(2026, 11, 22)}, "late-reaction-onset"),  # the day before
        ({"onset_on": dt.date(2027, 1, 3)}, "late-reaction-onset"),  # tomorrow
    ],
)
def test_a_late_reaction_is_refused(signed, tell, fields, code):
    assert refusal(tell, **fields) == {code}
    signed.order.refresh_from_db()
    assert (LateReaction.objects.count(), signed.order.status) == (0, OrderStatus.SIGNED)


def test_a_late_reaction_belongs_to_a_signed_record_only(make_visit, tell):
    running = make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()))
    assert refusal(tell, record=running) == {"not-signed"}
    assert not LateReaction.objects.exists()


def test_after_signing_a_press_is_refused(make_visit, nurse_user):
    record = make_dose_record(make_visit(state=State.COMPLETED), state=DoseState.ENDED)
    now = record.observation_ended_at
    reaction = record_reaction(record=record, kind="rash", grade=1, action="Watched", by=nurse_user, now=now)
    sign_dose(record=record, by=nurse_user, now=now)
    arguments = {"reaction": reaction, "kind": "resolved", "by": nurse_user, "now": now + dt.timedelta(hours=1)}
    assert refusal(record_reaction_step, **arguments) == {"signed"}
    assert not ReactionStep.objects.exists()
