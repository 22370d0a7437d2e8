"""Answers that put a patient at risk: the cap beside them at once, and the risk on record when the check is closed."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.checklists.caps import Cap, Caps, caps_of
from infusions.checklists.clinical import risks_of_answers
from infusions.checklists.hints import cap_lowered, consequence_of, facts_beside
from infusions.checklists.queries import run_state
from infusions.doses.planning import day_plan
from infusions.formulary.models import RateSchedule
from patients.models import RiskFactor
from patients.services import record_risk
from tests.factories.checklists import give_answers, make_open_checklist, make_passed_checklist

pytestmark = pytest.mark.django_db
LOWERED = "At risk: at most 138.6 mL/h (3.3 mg/kg/min) instead of 336"


@pytest.fixture
def capped(arrived):
    """8 mg/kg/min at 70 kg on a 10 % product: 336 mL/h; 3.3 at risk."""
    RateSchedule.objects.update(max_mg_per_kg_per_min=Decimal(8), at_risk_max_mg_per_kg_per_min=Decimal("3.3"))
    return arrived


@pytest.mark.parametrize(
    ("answers", "risks"),
    [
        ({"pregnancy-estrogen": "yes"}, {"oestrogen"}),
        ({"pregnancy-estrogen": "no"}, set()),
        ({"new-drugs": ["nsaid"]}, {"nephrotoxic_drugs"}),
        ({"new-drugs": ["contrast"]}, {"nephrotoxic_drugs"}),
        ({"new-drugs": ["aminoglycoside"]}, {"nephrotoxic_drugs"}),
        ({"new-drugs": ["diuretic", "other"]}, {"nephrotoxic_drugs"}),
        ({"new-drugs": ["other"]}, set()),
        ({"new-drugs": ["none"]}, set()),
        ({"new-drugs": ["nsaid"], "pregnancy-estrogen": "yes"}, {"oestrogen", "nephrotoxic_drugs"}),
        # These hold the infusion, and pass.
        ({"infection": "yes", "dehydration-signs": ["postural-fall"]}, set()),
        ({}, set()),
    ],
)
def test_which_answers_are_risk_factors(answers, risks):
    assert risks_of_answers(answers) == risks


def hints(run) -> tuple:
    state = run_state(run, clock.now())
    items = {item.code: item for item in state.items}
    beside = [line for line in facts_beside(items["order-matches"], state) if line.startswith("At risk")]
    return consequence_of(items["new-drugs"], state), beside


def test_the_lower_cap_stands_beside_the_answer_and_the_order_at_once(capped):
    run = make_open_checklist(capped)
    assert hints(run) == ("", [])
    give_answers(run, {"new-drugs": ["nsaid"]}, by=run.started_by)
    assert hints(run) == (LOWERED, [LOWERED])


def test_whoever_is_at_risk_already_has_the_cap_beside_the_order(capped):
    record_risk(patient=capped.patient, code="diabetes", by=capped.nurse.user)
    run = make_open_checklist(capped)
    assert hints(run) == ("", [LOWERED])


def test_the_cap_beside_the_answer_is_the_one_that_the_dose_will_hold(capped):
    order, today = capped.order, clock.local_date(clock.now(), capped.site.time_zone)
    before = day_plan(capped, order.product, today).max_rate_ml_per_h
    make_passed_checklist(capped, new_drugs=["diuretic"])
    after = day_plan(capped, order.product, today).max_rate_ml_per_h
    caps = caps_of(order)
    assert (before, after) == (caps.ordinary.ml_per_h, caps.at_risk.ml_per_h) == (Decimal("336"), Decimal("138.6"))


def test_closing_records_the_risk_once_by_the_nurse_whatever_the_outcome(capped, nurse):
    for _ in range(2):
        make_passed_checklist(capped, new_drugs=["nsaid"], pregnancy_estrogen="yes", consent="no")
    rows = RiskFactor.objects.order_by("code").values_list("patient", "code", "recorded_by", "retracted_at")
    expected = [(capped.patient.pk, code, nurse.pk, None) for code in ("nephrotoxic_drugs", "oestrogen")]
    assert list(rows) == expected
    recorded = AuditEvent.objects.filter(action="risk.recorded").values_list("actor_id", flat=True)
    assert list(recorded) == [nurse.pk, nurse.pk]


def test_an_answer_corrected_before_closing_leaves_no_risk(capped):
    run = make_open_checklist(capped)
    give_answers(run, {"new-drugs": ["nsaid"]}, by=run.started_by, now=clock.now() - dt.timedelta(minutes=1))
    make_passed_checklist(capped)
    assert not RiskFactor.objects.exists()


def test_words_for_a_product_without_rates_and_for_a_cap_that_changes_nothing():
    cap = Cap(Decimal("168"), Decimal("4"))
    caps = Caps(ordinary=cap, at_risk=cap)
    assert cap_lowered(None) == "At risk: the lowest rate practicable"
    assert cap_lowered(caps) == "At risk: at most 168 mL/h (4 mg/kg/min), as planned"
    lower = dataclasses.replace(caps, at_risk=Cap(Decimal("84"), Decimal("2")))
    assert cap_lowered(lower) == "At risk: at most 84 mL/h (2 mg/kg/min) instead of 168"
