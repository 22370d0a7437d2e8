import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.doses.models import DoseRecord, DoseState, Phase, RateChange, VialUsed, VitalSigns
from infusions.doses.running import SIGNS
from infusions.doses.services import (
    add_vial,
    add_vials,
    choose_product,
    prepare_dose,
    remove_vial,
    second_check,
    start_infusion,
)
from infusions.scheduling.states import State
from tests.factories.checklists import make_passed_checklist
from tests.factories.doses import make_dose_record, make_vial
from tests.factories.formulary import make_product, make_rate_schedule
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import NOON, at, make_passed

TODAY = dt.date(2026, 11, 23)
NEXT_YEAR = dt.date(2027, 10, 31)


@pytest.fixture
def record(visit):
    return make_dose_record(visit, state=DoseState.PREPARING, with_vials=False)


@pytest.fixture
def ready(visit, colleague):
    """Everything done but the start."""
    return make_dose_record(visit, state=DoseState.PREPARING, checked_by=colleague)


def test_prepare_dose_freezes_the_plan_of_the_day(visit, nurse_user):
    record = prepare_dose(appointment=visit, by=nurse_user)
    assert (record.planned_g, record.planned_volume_ml, record.weight_kg) == (30, 300, 70)
    assert record.max_rate_ml_per_h == Decimal("336")
    assert record.plan["vials"] == {"20": 1, "10": 1}
    assert [(step["rate_ml_per_h"], step["minutes"]) for step in record.plan["steps"]] == [
        ("21", 30),
        ("42", 30),
        ("84", 30),
        ("168", 30),
        ("336", 26),
    ]
    assert AuditEvent.objects.get(target_id=record.public_id).action == "dose.prepared"


def test_prepare_dose_caps_every_rate_for_a_patient_at_risk(make_visit, nurse_user):
    visit = make_visit(order=make_order(at_risk=True))
    record = prepare_dose(appointment=visit, by=nurse_user)
    assert record.max_rate_ml_per_h == Decimal("138.6")  # 3.3 mg/kg/min
    assert max(Decimal(step["rate_ml_per_h"]) for step in record.plan["steps"]) == Decimal("138.6")


def test_prepare_dose_again_gives_the_same_record(visit, nurse_user, colleague):
    first = prepare_dose(appointment=visit, by=nurse_user)
    assert prepare_dose(appointment=visit, by=colleague) == first
    assert AuditEvent.objects.filter(action__startswith="dose.").count() == 1


@pytest.mark.parametrize("state", [State.EXPECTED, State.CONFIRMED, State.NO_SHOW])
def test_prepare_dose_refuses_a_patient_who_has_not_arrived(make_visit, nurse_user, state):
    with pytest.raises(RuleViolation) as refused:
        prepare_dose(appointment=make_visit(state=state), by=nurse_user)
    assert refused.value.codes == {"not-arrived"}
    assert not DoseRecord.objects.exists()


def test_prepare_dose_refuses_a_product_whose_rates_are_unverified(make_visit, nurse_user):
    product = make_rate_schedule(locked=True).product
    with pytest.raises(RuleViolation) as refused:
        prepare_dose(appointment=make_visit(order=make_order(product=product)), by=nurse_user)
    assert refused.value.codes == {"plan-missing"}


def test_add_vial_keeps_lot_and_expiry_as_printed(record, nurse_user):
    vial = add_vial(record=record, grams=Decimal("20"), lot=" ab 12x ", expires_on=TODAY, by=nurse_user)
    kept = (vial.grams, vial.lot, vial.expires_on, vial.product, vial.recorded_by)
    assert kept == (20, "AB12X", TODAY, record.product, nurse_user)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"expires_on": TODAY - dt.timedelta(days=1)}, "vial-expired"),
        ({"expires_on": None}, "vial-expiry-missing"),
        ({"expires_on": dt.date(2062, 1, 1)}, "vial-expiry-implausible"),
        ({"lot": "  "}, "vial-lot-missing"),
        ({"grams": Decimal("2.5")}, "vial-size-unknown"),
        ({"serial": "SN1"}, "vial-serial-used"),
    ],
)
def test_add_vial_refuses(record, nurse_user, values, code):
    make_vial(record, serial="SN1")
    vial = {"grams": Decimal("10"), "lot": "L1", "expires_on": NEXT_YEAR} | values
    with pytest.raises(RuleViolation) as refused:
        add_vial(record=record, by=nurse_user, **vial)
    assert refused.value.codes == {code}
    assert VialUsed.objects.count() == 1


def test_add_vial_judges_expiry_by_the_local_day_of_the_site(record, nurse_user):
    late = dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC)  # still the 23rd in New York
    vial = add_vial(record=record, grams=Decimal("10"), lot="L1", expires_on=TODAY, by=nurse_user, now=late)
    assert VialUsed.objects.get() == vial


def test_add_vial_refuses_a_product_that_the_order_does_not_name(record, nurse_user):
    other = make_product()
    with pytest.raises(RuleViolation) as refused:
        add_vial(record=record, product=other, grams=Decimal("10"), lot="L", expires_on=NEXT_YEAR, by=nurse_user)
    assert refused.value.codes == {"product-not-ordered"}
    assert not VialUsed.objects.exists()


def test_first_vial_of_an_alternative_plans_anew_and_the_next_must_match(make_visit, nurse_user):
    ordered = make_rate_schedule()
    five = make_product(concentration_mg_per_ml=Decimal("50"), vial_sizes_g=("10",))
    make_rate_schedule(product=five, indication=ordered.indication)
    visit = make_visit(order=make_order(product=ordered.product, alternatives=[five]))
    record = prepare_dose(appointment=visit, by=nurse_user)
    add_vial(record=record, product=five, grams=Decimal("10"), lot="L", expires_on=NEXT_YEAR, by=nurse_user)
    record.refresh_from_db()
    assert (record.product, record.planned_volume_ml, record.max_rate_ml_per_h) == (five, 600, 672)
    with pytest.raises(RuleViolation) as refused:
        choose_product(record=record, product=ordered.product, by=nurse_user)
    assert refused.value.codes == {"vial-other-product"}


def test_add_and_remove_vial_void_the_second_check(record, nurse_user, colleague):
    vials = add_vials(record=record, count=2, grams=Decimal("10"), lot="L", expires_on=NEXT_YEAR, by=nurse_user)
    second_check(record=record, by=colleague)
    remove_vial(vial=vials[0], by=nurse_user)
    record.refresh_from_db()
    assert (record.second_check_by, list(record.vials.all())) == (None, [vials[1]])


def test_second_check_refuses_whoever_added_a_vial(record, nurse_user):
    add_vial(record=record, grams=Decimal("10"), lot="L", expires_on=NEXT_YEAR, by=nurse_user)
    with pytest.raises(RuleViolation) as refused:
        second_check(record=record, by=nurse_user)
    assert refused.value.codes == {"second-check-same-person"}


def test_second_check_refuses_a_role_that_may_not_infuse(ready, scheduler):
    with pytest.raises(RuleViolation) as refused:
        second_check(record=ready, by=scheduler)
    assert refused.value.codes == {"second-check-not-permitted"}


def test_second_check_alone_at_home_is_allowed(make_visit):
    home = make_visit(setting="home")
    record = make_dose_record(home, state=DoseState.PREPARING)
    assert second_check(record=record, by=home.nurse.user).second_check_by == home.nurse.user


def test_start_infusion_runs_at_the_first_planned_rate(ready, nurse_user):
    start_infusion(record=ready, by=nurse_user, now=at(30))
    ready.refresh_from_db()
    visit = ready.appointment
    visit.refresh_from_db()
    rate = RateChange.objects.get(record=ready)
    assert (ready.state, ready.started_at, ready.started_by) == (DoseState.INFUSING, at(30), nurse_user)
    assert (rate.kind, rate.at, rate.rate_ml_per_h, rate.step) == ("start", at(30), 21, 1)
    assert visit.state == State.IN_PROGRESS


def refused_start(record, by, now=NOON) -> set[str]:
    """Codes of the refusal; nothing may have been written."""
    with pytest.raises(RuleViolation) as refused:
        start_infusion(record=record, by=by, now=now)
    record.refresh_from_db()
    record.appointment.refresh_from_db()
    assert (record.state, record.appointment.state) == (DoseState.PREPARING, State.ARRIVED)
    assert not RateChange.objects.filter(record=record).exists()
    return refused.value.codes


def test_start_infusion_refuses_without_vials(record, nurse_user):
    assert refused_start(record, nurse_user) == {"vials-missing", "second-check-missing"}


def test_start_infusion_refuses_without_second_check(ready, nurse_user):
    DoseRecord.objects.update(second_check_by=None, second_check_at=None)
    assert refused_start(ready, nurse_user) == {"second-check-missing"}


def test_start_infusion_refuses_the_second_person_to_start(ready, colleague):
    assert refused_start(ready, colleague) == {"second-check-same-person"}


def test_start_infusion_refuses_without_a_checklist_of_today(make_visit, nurse_user):
    record = make_dose_record(make_visit(), state=DoseState.PREPARING)
    assert refused_start(record, nurse_user) == {"checklist-missing"}


def test_start_infusion_refuses_an_unsigned_order(make_visit, nurse_user):
    visit = make_visit(order=make_order(status="draft"))
    make_passed(visit)
    assert refused_start(make_dose_record(visit, state=DoseState.PREPARING), nurse_user) == {"order-unsigned"}


def test_start_infusion_refuses_a_vial_that_expired_meanwhile(ready, nurse_user):
    VialUsed.objects.filter(pk=ready.vials.first().pk).update(expires_on=TODAY - dt.timedelta(days=1))
    assert refused_start(ready, nurse_user) == {"vial-expired"}


def test_start_infusion_refuses_vials_of_another_product(ready, nurse_user):
    VialUsed.objects.filter(pk=ready.vials.first().pk).update(product=make_product())
    assert refused_start(ready, nurse_user) == {"vial-other-product"}


def test_start_infusion_refuses_an_excipient_that_the_patient_must_avoid(make_visit, nurse_user):
    product = make_product(excipients=["sorbitol"])
    visit = make_visit(order=make_order(product=product))
    make_passed(visit)
    visit.patient.allergies.create(code="hereditary_fructose_intolerance", recorded_at=NOON, recorded_by=nurse_user)
    record = make_dose_record(visit, state=DoseState.PREPARING)
    assert refused_start(record, nurse_user) == {"sorbitol-fructose-intolerance"}


def test_start_infusion_refuses_a_plan_that_no_longer_holds(ready, nurse_user):
    ready.patient.risk_factors.create(code="thrombosis_history", recorded_at=NOON, recorded_by=nurse_user)
    assert refused_start(ready, nurse_user) == {"plan-changed"}
    again = prepare_dose(appointment=ready.appointment, by=nurse_user)
    assert (again.max_rate_ml_per_h, again.second_check_by) == (Decimal("138.6"), None)


def test_start_infusion_refuses_without_vital_signs_before(visit, nurse_user):
    record = make_dose_record(visit, state=DoseState.PREPARING)
    record.vital_signs.update(pulse=None)
    assert refused_start(record, nurse_user) == {"baseline-missing"}
    record.vital_signs.all().delete()
    assert refused_start(record, nurse_user) == {"baseline-missing"}


def test_start_infusion_too_early_needs_the_decision_made_at_booking(make_visit, nurse_user):
    order = make_order(last_dose_on=TODAY - dt.timedelta(days=14), doses_given=3)
    visit = make_visit(order=order)
    make_passed(visit)
    record = make_dose_record(visit, state=DoseState.PREPARING)
    assert refused_start(record, nurse_user) == {"dose-too-early"}
    visit.override_reason = "Prescriber decided: infection"
    visit.save()
    record.refresh_from_db()
    assert start_infusion(record=record, by=nurse_user).state == DoseState.INFUSING


def test_start_infusion_at_home_needs_no_second_person(make_visit):
    home = make_visit(setting="home")
    make_passed(home)
    record = make_dose_record(home, state=DoseState.PREPARING, second_check_by=None, second_check_at=None)
    assert start_infusion(record=record, by=home.nurse.user).state == DoseState.INFUSING


@pytest.mark.parametrize(
    ("vials", "code"),
    [
        (("20", "5"), "vials-short"),
        (("10", "10"), "vials-short"),
        (("20", "10", "5"), "vials-too-many"),
        (("40", "5"), "vials-too-many"),
    ],
)
def test_start_infusion_refuses_vials_that_are_not_the_dose(record, nurse_user, colleague, vials, code):
    for grams in vials:
        make_vial(record, grams=grams)
    second_check(record=record, by=colleague)
    assert refused_start(record, nurse_user) == {code}


@pytest.mark.parametrize("vials", [("20", "10"), ("10", "10", "10"), ("40",)])
def test_start_infusion_takes_vials_that_make_up_the_dose(record, nurse_user, colleague, vials):
    """40 g for 30 g is one vial of which 10 g are waste: shown, but not forbidden."""
    for grams in vials:
        make_vial(record, grams=grams)
    second_check(record=record, by=colleague)
    assert start_infusion(record=record, by=nurse_user).state == DoseState.INFUSING


def test_start_infusion_takes_over_the_vital_signs_of_the_checklist(make_visit, nurse_user):
    visit = make_visit(order=make_order())
    run = make_passed_checklist(visit, temperature="36.8", systolic="118")
    record = make_dose_record(visit, state=DoseState.PREPARING)
    record.vital_signs.all().delete()
    start_infusion(record=record, by=nurse_user)
    signs = VitalSigns.objects.get(record=record)
    assert (signs.phase, signs.at, signs.recorded_by) == (Phase.BASELINE, run.closed_at, visit.nurse.user)
    assert [getattr(signs, name) for name in SIGNS] == [Decimal("36.8"), 118, 78, 72, 14, 98]
