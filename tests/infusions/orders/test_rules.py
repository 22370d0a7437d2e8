import datetime as dt
from decimal import Decimal as D

import pytest

from infusion_center.core import clock
from infusion_center.core.rules import Severity
from infusions.orders.models import OrderStatus
from infusions.orders.rules import (
    order_problems,
    standing_problems,
    validity_problems,
    year_after,
)
from patients.models import Allergy, Risk, RiskFactor, Weight
from tests.factories.accounts import make_staff
from tests.factories.formulary import make_indication, make_product, make_rate_schedule
from tests.factories.orders import make_order
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
B, A, W, N = Severity.BLOCKER, Severity.APPROVAL, Severity.WARNING, Severity.NOTE


def today():
    return clock.now().date()


def day(offset):
    return today() + dt.timedelta(days=offset)


def draft(**fields):
    fields.setdefault("patient", make_patient(time_zone="UTC"))
    return make_order(status=OrderStatus.DRAFT, **fields)


def found(problems):
    return [(problem.code, problem.severity) for problem in problems]


def weigh(patient, kg, measured_on):
    Weight.objects.create(
        patient=patient, kg=D(kg), measured_on=measured_on, recorded_at=clock.now(), recorded_by=make_staff()
    )


def give_condition(patient, code):
    Allergy.objects.create(patient=patient, code=code, recorded_at=clock.now(), recorded_by=make_staff())


def test_a_lawful_order_has_no_problems():
    assert order_problems(draft()) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"dose_mg_per_kg": "900"}, [("dose-above-range", A)]),
        ({"dose_mg_per_kg": "1200"}, [("dose-above-range", A), ("daily-dose-high", A)]),
        ({"dose_mg_per_kg": "2100"}, [("daily-dose-extreme", B), ("dose-above-range", A)]),
        ({"interval_days": 14}, [("interval-short", A)]),
        ({"interval_days": 42}, [("interval-long", W)]),
        ({"round_to_g": D("20"), "dose_mg_per_kg": "450"}, [("rounding-large", A)]),
        ({"round_to_g": D("99"), "dose_mg_per_kg": "400"}, [("plan-impossible", B)]),
        ({"round_to_g": None}, []),
        ({"is_first_dose": True}, [("first-dose", N)]),
        ({"is_first_dose": True, "home_allowed": True}, [("home-first-dose", W), ("first-dose", N)]),
        ({"rate_weight_kg": D("80")}, [("rate-weight-heavier", A)]),
        ({"rate_weight_kg": D("60")}, []),
    ],
)
def test_order_problems_of_what_was_entered(fields, expected):
    assert found(order_problems(draft(**fields))) == expected


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        (0, 365, []),
        (-30, 340, [("validity-long", A)]),
        (-30, -1, [("order-expired", B)]),
        (-30, 0, []),
    ],
)
def test_order_problems_of_its_dates(starts, ends, expected):
    assert found(order_problems(draft(starts_on=day(starts), valid_until=day(ends)))) == expected


def test_a_year_after_the_leap_day_is_the_last_of_february():
    assert year_after(dt.date(2028, 2, 29)) == dt.date(2029, 2, 28)


@pytest.mark.parametrize(
    ("born", "measured", "expected"),
    [
        (dt.date(1980, 3, 12), -183, []),
        (dt.date(1980, 3, 12), -184, [("weight-old", A)]),
        (dt.date(2012, 3, 12), -31, []),
        (dt.date(2012, 3, 12), -32, [("weight-old", A)]),
        (dt.date(1980, 3, 12), 1, [("weight-in-future", B)]),
    ],
)
def test_the_weight_must_be_fresh(born, measured, expected):
    patient = make_patient(date_of_birth=born, kg=None, time_zone="UTC")
    weigh(patient, "70", day(measured))
    assert found(order_problems(draft(patient=patient))) == expected


def test_the_weight_must_be_on_record():
    patient = make_patient(kg=None, time_zone="UTC")
    order = draft(patient=patient, actual_weight_kg=D("70"), weight_measured_on=today())
    assert found(order_problems(order)) == [("weight-missing", A)]


@pytest.mark.parametrize(
    ("kg", "expected"),
    [("63.01", []), ("63", [("weight-changed", B)]), ("76.99", []), ("77", [("weight-changed", B)])],
)
def test_a_weight_change_of_ten_percent_holds_the_order(kg, expected):
    order = make_order(patient=make_patient(time_zone="UTC"))
    weigh(order.patient, kg, today())
    assert found(order_problems(order)) == expected
    assert found(validity_problems(order, today())) == expected


def test_a_dosing_weight_from_the_height_needs_the_height():
    patient = make_patient(height_cm=None, time_zone="UTC")
    assert found(order_problems(draft(patient=patient, weight_method="adjusted"))) == [("height-missing", B)]


def test_an_obese_patient_by_actual_weight_gets_a_note():
    patient = make_patient(kg="90", height_cm=D("168"), time_zone="UTC")
    assert found(order_problems(draft(patient=patient))) == [("consider-adjusted-weight", N)]
    assert order_problems(draft(patient=patient, weight_method="adjusted")) == []


def test_a_pump_that_cannot_run_so_fast_is_a_warning():
    patient = make_patient(kg="210", height_cm=None, time_zone="UTC")
    assert found(order_problems(draft(patient=patient))) == [("rate-above-pump", W)]


def test_a_patient_at_risk_gets_a_note_with_the_cap():
    patient = make_patient(time_zone="UTC")
    RiskFactor.objects.create(patient=patient, code=Risk.OESTROGEN, recorded_at=clock.now(), recorded_by=make_staff())
    (problem,) = order_problems(draft(patient=patient))
    assert (problem.code, problem.severity, "at or below 3.3 mg/kg/min" in problem.message) == ("at-risk", N, True)


def test_a_risk_found_after_signing_is_told_on_the_signed_order():
    order = make_order(patient=make_patient(time_zone="UTC"))
    assert standing_problems(order, order_problems(order), today()) == []
    RiskFactor.objects.create(
        patient=order.patient, code=Risk.OESTROGEN, recorded_at=clock.now(), recorded_by=make_staff()
    )
    problems = standing_problems(order, order_problems(order), today())
    assert found(problems) == [("risk-since-signing", W), ("at-risk", N)]


def test_what_was_decided_with_the_signature_is_not_asked_again():
    order = make_order(dose_mg_per_kg="1200", patient=make_patient(time_zone="UTC"))
    assert standing_problems(order, order_problems(order), today()) == []


@pytest.mark.parametrize(
    ("excipient", "condition", "expected"),
    [
        ("sorbitol", "hereditary_fructose_intolerance", ("sorbitol-fructose-intolerance", B)),
        ("l_proline", "hyperprolinemia", ("proline-hyperprolinemia", B)),
        ("maltose", "corn", ("maltose-corn-allergy", B)),
        ("maltose", "diabetes", ("maltose-glucose-meter", W)),
        ("glycine", "iga_deficiency_anti_iga", ("anti-iga", B)),
        ("glycine", "ig_reaction", ("ig-reaction", B)),
    ],
)
def test_the_patients_conditions_meet_the_excipients_of_any_product(excipient, condition, expected):
    patient, indication = make_patient(time_zone="UTC"), make_indication()
    give_condition(patient, condition)
    harmful = make_rate_schedule(product=make_product(excipients=[excipient]), indication=indication).product
    harmless = make_rate_schedule(product=make_product(excipients=[]), indication=indication).product
    assert found(order_problems(draft(patient=patient, product=harmful))) == [expected]
    assert found(order_problems(draft(patient=patient, product=harmless, alternatives=[harmful]))) == [expected]


def test_diabetes_recorded_as_a_risk_factor_meets_the_excipients_too():
    patient = make_patient(time_zone="UTC")
    RiskFactor.objects.create(patient=patient, code=Risk.DIABETES, recorded_at=clock.now(), recorded_by=make_staff())
    maltose = make_rate_schedule(product=make_product(excipients=["maltose"]), indication=make_indication()).product
    assert ("maltose-glucose-meter", W) in found(order_problems(draft(patient=patient, product=maltose)))


def test_an_unverified_schedule_blocks():
    schedule = make_rate_schedule(locked=True)
    assert found(order_problems(draft(product=schedule.product))) == [("schedule-locked", B)]


def test_an_alternative_without_rates_for_the_indication_blocks():
    problems = found(order_problems(draft(alternatives=[make_product()])))
    assert problems == [("no-schedule", B)]


def test_an_age_below_the_label_needs_approval():
    schedule = make_rate_schedule(min_age_years=18)
    patient = make_patient(date_of_birth=dt.date(2012, 3, 12), time_zone="UTC")
    assert found(order_problems(draft(patient=patient, product=schedule.product))) == [("below-label-age", A)]


def test_a_change_of_brand_must_be_said():
    before = make_order(
        doses_given=3, last_dose_on=day(-28), status=OrderStatus.STOPPED, patient=make_patient(time_zone="UTC")
    )
    other = make_rate_schedule(indication=before.indication).product
    order = draft(patient=before.patient, product=other)
    assert found(order_problems(order)) == [("brand-change-unmarked", A)]
    order.is_first_dose = True
    assert found(order_problems(order)) == [("first-dose", N)]
    assert order_problems(draft(patient=before.patient, product=before.product)) == []


@pytest.mark.parametrize(
    ("status", "ends", "expected"),
    [
        ("signed", 0, [("other-order", W)]),
        ("held", 0, [("other-order-held", A), ("other-order", W)]),
        ("signed", -1, []),
        ("draft", 0, []),
        ("stopped", 0, []),
    ],
)
def test_another_order_in_force_at_the_same_time_is_told_and_one_on_hold_asks_for_a_decision(status, ends, expected):
    other = make_order(patient=make_patient(time_zone="UTC"), status=status, valid_until=day(ends))
    order = draft(patient=other.patient, product=other.product, starts_on=day(0), valid_until=day(90))
    assert found(order_problems(order)) == expected
