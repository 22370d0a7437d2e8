import datetime as dt
from decimal import Decimal as D

import pytest

from infusion_center.core import clock
from infusions.facility.models import Setting
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.orders.queries import (
    VisitLength,
    active_order,
    order_plan,
    visit_length,
    work_list,
    work_list_counts,
)
from patients.models import Risk, RiskFactor
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site
from tests.factories.formulary import make_indication, make_product, make_rate_schedule
from tests.factories.orders import make_order
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db


def today():
    return clock.now().date()


def days_ago(number):
    return today() - dt.timedelta(days=number)


def rates(plan):
    return [step.mg_per_kg_per_min for step in plan.days[0].steps]


def give_risk(patient):
    RiskFactor.objects.create(patient=patient, code=Risk.DIABETES, recorded_at=clock.now(), recorded_by=make_staff())


def test_order_plan_follows_the_schedule_of_the_product():
    plan = order_plan(make_order())
    assert (plan.exact_g, plan.total_g, plan.days[0].volume_ml, plan.days[0].vials) == (
        D("28.000"),
        D("30"),
        D("300"),
        {D("20"): 1, D("10"): 1},
    )
    assert rates(plan) == [D("0.5"), D("1"), D("2"), D("4"), D("8")]


def test_order_plan_caps_the_rate_of_a_patient_at_risk():
    patient = make_patient()
    give_risk(patient)
    order = make_order(patient=patient)
    assert order.at_risk
    assert rates(order_plan(order)) == [D("0.5"), D("1"), D("2"), D("3.3")]


def test_order_plan_takes_the_labels_lower_number_for_a_patient_at_risk():
    patient = make_patient(date_of_birth=dt.date(1950, 1, 1))
    schedule = make_rate_schedule(at_risk_max_mg_per_kg_per_min=D("2"))
    assert max(rates(order_plan(make_order(patient=patient, product=schedule.product)))) == D("2")


def test_order_plan_caps_the_rate_for_a_risk_found_after_signing():
    order = make_order()
    give_risk(order.patient)
    assert max(rates(order_plan(order))) == D("3.3")


def test_order_plan_is_none_while_the_schedule_is_locked_or_missing():
    locked = make_rate_schedule(locked=True)
    order = make_order(product=locked.product, status=OrderStatus.DRAFT)
    assert order_plan(order) is None
    assert order_plan(make_order(), make_product()) is None


def test_order_plan_of_another_product_uses_its_own_concentration():
    indication = make_indication()
    five = make_rate_schedule(product=make_product(concentration_mg_per_ml=D("50")), indication=indication).product
    assert order_plan(make_order(), five).days[0].volume_ml == D("600")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, VisitLength(30, 100, 30)),
        ({"is_first_dose": True}, VisitLength(30, 100, 60)),
        ({"is_first_dose": True, "doses_given": 1}, VisitLength(30, 100, 30)),
        ({"last_dose_on": 56}, VisitLength(30, 100, 30)),
        ({"last_dose_on": 57}, VisitLength(30, 100, 60)),
    ],
)
def test_visit_length_is_preparation_infusion_and_observation(fields, expected):
    if "last_dose_on" in fields:
        fields = {"last_dose_on": days_ago(fields["last_dose_on"])}
    order = make_order(infusion_minutes=100, patient=make_patient(time_zone="UTC"), **fields)
    assert visit_length(order, make_site(), Setting.FACILITY, on=today()) == expected


@pytest.mark.parametrize(
    ("fields", "booked_before", "expected"),
    [
        # Only the first of a series is the first dose, and each visit follows the one booked before it.
        ({"is_first_dose": True}, 28, VisitLength(30, 100, 30)),
        ({"last_dose_on": 84}, 28, VisitLength(30, 100, 30)),
        ({"last_dose_on": 84}, 57, VisitLength(30, 100, 60)),
        ({"last_dose_on": 28}, 84, VisitLength(30, 100, 30)),
    ],
)
def test_visit_length_looks_back_to_the_visit_booked_before(fields, booked_before, expected):
    if "last_dose_on" in fields:
        fields = {"last_dose_on": days_ago(fields["last_dose_on"])}
    order = make_order(infusion_minutes=100, patient=make_patient(time_zone="UTC"), **fields)
    found = visit_length(order, make_site(), Setting.FACILITY, on=today(), last_on=days_ago(booked_before))
    assert found == expected


def test_visit_length_adds_reconstitution_and_the_sites_own_minutes():
    product = make_product(reconstitution_minutes=25)
    site = make_site(preparation_minutes=20, observation_minutes=45, first_observation_minutes=30)
    order = make_order(product=product, infusion_minutes=100, is_first_dose=True)
    assert visit_length(order, site, Setting.HOME) == VisitLength(45, 100, 45)


def test_visit_length_grows_with_a_risk_found_after_signing():
    order, site = make_order(), make_site()
    give_risk(order.patient)
    before, after = order.infusion_minutes, visit_length(order, site, Setting.FACILITY).infusion
    assert (before, after) == (146, order_plan(order).days[0].minutes)
    assert after > before


def test_visit_length_of_many_days_asks_the_database_once(django_assert_max_num_queries):
    order, site = make_order(), make_site()
    with django_assert_max_num_queries(3):
        for number in range(60):
            visit_length(order, site, Setting.FACILITY, on=today() + dt.timedelta(days=number))


@pytest.mark.parametrize(("minutes", "total"), [(100, 165), (105, 165), (106, 180)])
def test_visit_length_is_rounded_up_to_quarters_in_total(minutes, total):
    assert VisitLength(30, minutes, 30).total == total


def test_infusion_minutes_are_those_of_the_slowest_product_that_may_be_given():
    indication = make_indication()
    slow = make_rate_schedule(indication=indication, steps=((D("0.5"), 30), (D("1"), None))).product
    order = make_order(product=make_rate_schedule(indication=indication).product, alternatives=[slow])
    assert order.infusion_minutes == order_plan(order, slow).days[0].minutes > order_plan(order).days[0].minutes


def test_active_order_is_signed_before_held_and_not_expired():
    patient = make_patient()
    make_order(patient=patient, starts_on=days_ago(400), valid_until=days_ago(2))
    make_order(patient=patient, status=OrderStatus.DRAFT)
    assert active_order(patient) is None
    held = make_order(patient=patient, status=OrderStatus.HELD)
    assert active_order(patient) == held
    signed = make_order(patient=patient)
    assert active_order(patient) == signed


def test_work_lists_sort_orders_by_what_is_to_do():
    draft, held = make_order(status=OrderStatus.DRAFT), make_order(status=OrderStatus.HELD)
    stopped, signed = make_order(status=OrderStatus.STOPPED), make_order()
    expiring = make_order(valid_until=today() + dt.timedelta(days=30))
    expired = make_order(valid_until=days_ago(1))
    expected = {
        "to-sign": {draft},
        "held": {held},
        "expiring": {expiring},
        "active": {signed, expiring},
        "stopped": {stopped},
        "all": {draft, held, stopped, signed, expiring, expired},
    }
    assert {name: set(work_list(name, today(), among=InfusionOrder.objects.all())) for name in expected} == expected
    assert work_list_counts(today(), among=InfusionOrder.objects.all()) == {
        "to-sign": 1,
        "held": 1,
        "expiring": 1,
        "active": 2,
    }
