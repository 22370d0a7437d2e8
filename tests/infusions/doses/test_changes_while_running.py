"""What comes to light while the pump runs counts at the next rate."""

from decimal import Decimal

import pytest
from django.urls import reverse

from infusion_center.core.rules import RuleViolation
from infusions.doses.course import course_of
from infusions.doses.meanwhile_rules import meanwhile_problems
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.services import change_rate, pause_infusion, resume_infusion
from infusions.orders.services import hold_order
from infusions.scheduling.states import State
from patients.services import record_risk
from tests.factories.doses import make_dose_record, make_rate, make_vital_signs
from tests.factories.orders import make_order
from tests.factories.stock import make_recall
from tests.infusions.doses.conftest import at


@pytest.fixture
def at_168(make_visit):
    """70 kg, 10 %: at risk the cap is 138.6 mL/h instead of 336."""
    record = make_dose_record(make_visit(state=State.IN_PROGRESS, order=make_order()))
    for minute, rate, step in ((60, 42, 2), (90, 84, 3), (120, 168, 4)):
        make_rate(record, "step", at(minute), rate, step=step)
    make_vital_signs(record, "during", at(145))
    return record


def refusal(service, **arguments) -> set[str]:
    with pytest.raises(RuleViolation) as refused:
        service(**arguments)
    return refused.value.codes


def last_rate(record):
    return record.rates.order_by("-at", "-pk").first().rate_ml_per_h


def test_a_risk_found_meanwhile_caps_the_next_rates(at_168, nurse_user):
    record_risk(patient=at_168.patient, code="thrombosis_history", by=nurse_user)
    up = {"record": at_168, "rate_ml_per_h": Decimal(336), "by": nurse_user, "now": at(150)}
    assert refusal(change_rate, **up) == {"rate-above-cap"}
    pause_infusion(record=at_168, by=nurse_user, now=at(151))
    assert refusal(resume_infusion, record=at_168, by=nurse_user, now=at(152)) == {"rate-above-cap"}
    resume_infusion(record=at_168, rate_ml_per_h=Decimal("138.6"), by=nurse_user, now=at(153))
    assert (at_168.state, last_rate(at_168)) == (DoseState.INFUSING, Decimal("138.6"))


def test_an_order_held_meanwhile_needs_a_decision_to_go_faster_or_on(at_168, nurse_user, pharmacist):
    hold_order(order=at_168.order, reason="New laboratory values", by=pharmacist)
    up = {"record": at_168, "rate_ml_per_h": Decimal(336), "by": nurse_user, "now": at(150)}
    assert refusal(change_rate, **up) == {"order-not-in-force"}
    change_rate(**up | {"rate_ml_per_h": Decimal(84)})
    pause_infusion(record=at_168, by=nurse_user, now=at(151))
    assert refusal(resume_infusion, record=at_168, by=nurse_user, now=at(152)) == {"order-not-in-force"}
    resume_infusion(record=at_168, reason="Dr. Example by phone", by=nurse_user, now=at(153))
    assert (at_168.state, last_rate(at_168)) == (DoseState.INFUSING, 84)


def told(record, minute) -> list[tuple]:
    problems = meanwhile_problems(course_of(DoseRecord.objects.get(pk=record.pk)), at(minute))
    return [(problem.code, problem.message) for problem in problems]


def test_a_rate_above_a_cap_that_fell_is_told_until_it_is_slowed(at_168, nurse_user, client_for, morning):
    assert told(at_168, 150) == []
    record_risk(patient=at_168.patient, code="thrombosis_history", by=nurse_user)
    message = "168 mL/h is above the maximum that holds now, 138.6."
    assert told(at_168, 150) == [("rate-above-cap-now", message)]
    morning.move_to(at(150))
    status = client_for("nurse").get(reverse("doses:dose-status", args=[at_168.appointment.public_id]))
    assert message in status.content.decode()
    change_rate(record=at_168, rate_ml_per_h=Decimal(84), by=nurse_user, now=at(151))
    assert told(at_168, 152) == []


def test_a_lot_recalled_while_it_runs_is_told_and_needs_a_decision_to_go_faster_or_on(at_168, nurse_user):
    make_recall(at_168.product, "LOT1", reason="Particles", opened_at=at(149))
    recalled = [("lot-recalled-meanwhile", "Lot LOT1 runs here and is recalled: Particles.")]
    up = {"record": at_168, "rate_ml_per_h": Decimal(336), "by": nurse_user, "now": at(150)}
    assert (told(at_168, 150), refusal(change_rate, **up)) == (recalled, {"lot-recalled-meanwhile"})
    pause_infusion(record=at_168, by=nurse_user, now=at(151))
    assert refusal(resume_infusion, record=at_168, by=nurse_user, now=at(152)) == {"lot-recalled-meanwhile"}
    assert (at_168.state, told(at_168, 152)) == (DoseState.PAUSED, recalled)
    resume_infusion(record=at_168, reason="Dr. Example by phone", by=nurse_user, now=at(153))
    assert (at_168.state, last_rate(at_168)) == (DoseState.INFUSING, 168)
