from decimal import Decimal as D

import pytest

from infusions.formulary import dosing
from infusions.formulary.queries import (
    dosing_steps,
    products_for,
    products_with_schedules,
    schedule_for,
    usable_schedule,
    vial_sizes_g,
)
from tests.factories.formulary import make_indication, make_product, make_rate_schedule

pytestmark = pytest.mark.django_db


def test_schedule_for_keys_by_strength_and_indication():
    ten, five = make_product(), make_product(concentration_mg_per_ml=D("50"))
    pi, itp = make_indication(), make_indication(code="itp")
    schedule = make_rate_schedule(product=ten, indication=pi)
    assert schedule_for(ten, pi) == schedule
    assert schedule_for(five, pi) is None
    assert schedule_for(ten, itp) is None


def test_usable_schedule_is_none_while_the_rate_is_unverified(pharmacist):
    schedule = make_rate_schedule(locked=True)
    product, indication = schedule.product, schedule.indication
    assert (schedule_for(product, indication), usable_schedule(product, indication)) == (schedule, None)
    type(schedule).objects.update(signed_by=pharmacist, signed_at="2026-01-05T09:00:00Z")
    assert usable_schedule(product, indication) == schedule


def test_a_schedule_that_names_no_source_for_its_rates_is_locked():
    assert not make_rate_schedule(sources={}).is_verified


def test_dosing_steps_feed_the_arithmetic_in_order_and_never_pass_the_maximum():
    schedule = make_rate_schedule(steps=((D("0.5"), 30), (D("6"), 30), (D("8"), None)), max_mg_per_kg_per_min=D("4"))
    assert dosing_steps(schedule) == (
        dosing.RateStep(mg_per_kg_per_min=D("0.5"), minutes=30),
        dosing.RateStep(mg_per_kg_per_min=D("4"), minutes=30),
        dosing.RateStep(mg_per_kg_per_min=D("4"), minutes=None),
    )


def test_a_rate_written_in_ml_per_kg_survives_storage():
    five_ml = dosing.mg_per_kg_per_min(D("5"), D("100")).quantize(D("1e-8"))
    schedule = make_rate_schedule(steps=((five_ml, None),))
    schedule = schedule_for(schedule.product, schedule.indication)
    step = dosing_steps(schedule)[0]
    assert dosing.pump_rate_ml_per_h(dosing.ml_per_kg_per_h(step.mg_per_kg_per_min, D("100")) * 200) == D("1000.0")


def test_vial_sizes_come_smallest_first_without_trailing_zeros():
    product = make_product(vial_sizes_g=("20", "2.5", "10"))
    assert [str(size) for size in vial_sizes_g(product)] == ["2.5", "10", "20"]


def test_products_for_lists_available_products_with_a_usable_schedule():
    pi = make_indication()
    usable = make_rate_schedule(product=make_product(name="B"), indication=pi).product
    locked = make_rate_schedule(product=make_product(name="A"), indication=pi, locked=True).product
    make_rate_schedule(product=make_product(is_available=False), indication=pi)
    make_product()
    assert products_for(pi) == [usable]
    assert products_for(pi, usable_only=False) == [locked, usable]


def test_reading_the_formulary_costs_the_same_for_one_product_as_for_many(django_assert_num_queries):
    def read():
        products = list(products_with_schedules())
        return [(vial_sizes_g(p), [dosing_steps(s) for s in p.schedules.all()]) for p in products]

    make_rate_schedule()
    with django_assert_num_queries(5):
        read()
    for _ in range(5):
        make_rate_schedule()
    with django_assert_num_queries(5):
        read()
    product, indication = make_product(), make_indication()
    make_rate_schedule(product=product, indication=indication)
    with django_assert_num_queries(3):
        schedule = schedule_for(product, indication)
        dosing_steps(schedule)
        vial_sizes_g(schedule.product)
