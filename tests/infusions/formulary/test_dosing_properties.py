"""What must hold for every dose, weight, schedule and set of vials, not only for the tables."""

from decimal import Decimal as D
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from infusions.formulary.dosing import RateStep, choose_vials, plan_infusion

SETS = ("5 10 20 40", "1 2.5 5 10 20 40", "0.5 2.5 5 10 20", "2 5 10 20 30", "5", "10 25")
SMALL_SIZES = tuple(D(size) for size in ("0.5", "1", "2", "2.5", "3", "5", "7", "10"))


def decimals(low, high, places=1):
    return st.decimals(min_value=low, max_value=high, places=places, allow_nan=False, allow_infinity=False)


weights = decimals(2, 250)
doses = decimals(100, 2000, places=0)
vial_sets = st.sampled_from([tuple(D(size) for size in sizes.split()) for sizes in SETS])
rungs = st.lists(st.tuples(decimals("0.1", 14, places=2), st.integers(1, 90)), min_size=1, max_size=8)
ladders = st.tuples(rungs, st.booleans()).map(
    lambda drawn: tuple(
        RateStep(mg_per_kg_per_min=rate, minutes=None if drawn[1] and number == len(drawn[0]) else minutes)
        for number, (rate, minutes) in enumerate(drawn[0], start=1)
    )
)
orders = st.fixed_dictionaries(
    {
        "dose_mg_per_kg": doses,
        "dosing_weight_kg": weights,
        "days": st.integers(1, 5),
        "concentration_mg_per_ml": st.sampled_from([D("50"), D("100"), D("160"), D("30")]),
        "vial_sizes_g": vial_sets,
        "round_to_g": st.sampled_from([None, D("0.01")]),
        "steps": ladders,
        "max_mg_per_kg_per_min": st.none() | decimals("0.2", 14, places=2),
        "rate_weight_kg": st.none() | weights,
    }
)


@settings(max_examples=150, deadline=None)
@given(orders)
def test_volumes_add_up_to_the_dose_and_no_step_passes_the_cap(order):
    plan = plan_infusion(**order)
    weight, concentration = order["rate_weight_kg"] or order["dosing_weight_kg"], order["concentration_mg_per_ml"]
    cap = min([order["max_mg_per_kg_per_min"] or D(99), max(step.mg_per_kg_per_min for step in order["steps"])])

    assert sum(day.grams for day in plan.days) == plan.total_g
    assert len(plan.days) == order["days"]
    for day in plan.days:
        assert sum(step.volume_ml for step in day.steps) == day.volume_ml
        assert abs(day.volume_ml * concentration / 1000 - day.grams) < D("1e-20")
        assert sum(size * count for size, count in day.vials.items()) >= day.grams
        for step in day.steps:
            assert step.rate_ml_per_h * concentration / 60 / weight <= cap
            assert step.volume_ml > 0
            running = step.rate_ml_per_h * step.minutes / 60
            assert step.volume_ml - D("0.001") <= running <= step.volume_ml + step.rate_ml_per_h / 60 + D("0.001")


@settings(max_examples=150, deadline=None)
@given(orders, weights, st.sampled_from([None, D("0.5"), D("5")]))
def test_a_heavier_patient_never_gets_fewer_grams(order, other_weight, round_to_g):
    lighter, heavier = sorted([order["dosing_weight_kg"], other_weight])
    totals = []
    for weight in (lighter, heavier):
        try:
            totals.append(plan_infusion(**order | {"dosing_weight_kg": weight, "round_to_g": round_to_g}).total_g)
        except ValueError:  # rounds to nothing
            totals.append(D(0))
    assert totals[0] <= totals[1]


@settings(max_examples=100, deadline=None)
@given(orders)
def test_without_rounding_the_time_does_not_depend_on_the_weight(order):
    order |= {"rate_weight_kg": None, "round_to_g": None}
    heavier = order | {"dosing_weight_kg": order["dosing_weight_kg"] * 2}
    for day, other in zip(plan_infusion(**order).days, plan_infusion(**heavier).days, strict=True):
        assert abs(day.minutes - other.minutes) <= 1


@settings(max_examples=100, deadline=None)
@given(orders, decimals("0.2", 14, places=2))
def test_a_lower_cap_never_shortens_the_infusion(order, cap):
    free = plan_infusion(**order | {"max_mg_per_kg_per_min": None})
    capped = plan_infusion(**order | {"max_mg_per_kg_per_min": cap})
    assert capped.total_g == free.total_g
    assert all(slow.minutes >= fast.minutes for slow, fast in zip(capped.days, free.days, strict=True))


@settings(max_examples=150, deadline=None)
@given(
    decimals("0.1", 20, places=1),
    st.lists(st.sampled_from(SMALL_SIZES), min_size=1, max_size=3, unique=True),
)
def test_choose_vials_equals_the_best_of_all_combinations(grams, sizes):
    sizes = tuple(sorted(sizes, reverse=True))
    reach = [range(int(grams / size) + 2) for size in sizes]
    best = min(
        (total - grams, sum(counts))
        for counts in product(*reach)
        if (total := sum(size * count for size, count in zip(sizes, counts, strict=True))) >= grams
    )
    chosen = choose_vials(grams, sizes)
    assert (sum(size * count for size, count in chosen) - grams, sum(count for _, count in chosen)) == best
