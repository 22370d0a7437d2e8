from decimal import Decimal as D

import pytest

from infusions.formulary.dosing import (
    RateStep,
    adjusted_weight_kg,
    choose_vials,
    mg_per_kg_per_min,
    ml_per_kg_per_h,
    plan_infusion,
    pump_rate_ml_per_h,
)

LADDER = tuple(
    RateStep(mg_per_kg_per_min=D(rate), minutes=minutes)
    for rate, minutes in (("0.5", 30), ("1", 30), ("2", 30), ("4", 30), ("8", None))
)


def plan(**changes):
    order = {
        "dose_mg_per_kg": D("400"),
        "dosing_weight_kg": D("70"),
        "days": 1,
        "concentration_mg_per_ml": D("100"),
        "vial_sizes_g": (D("5"), D("10"), D("20"), D("40")),
        "round_to_g": D("5"),
        "steps": LADDER,
    }
    return plan_infusion(**order | changes)


def rows(day):
    return [(step.rate_ml_per_h, step.minutes, step.volume_ml) for step in day.steps]


def test_plan_infusion_of_400_mg_per_kg_for_70_kg_on_a_ten_percent_product():
    planned = plan()
    day = planned.days[0]
    assert (planned.exact_g, planned.total_g, round(planned.rounding_percent, 2)) == (D("28"), D("30"), D("7.14"))
    assert (day.grams, day.volume_ml, day.vials, day.waste_g) == (D("30"), D("300"), {D("20"): 1, D("10"): 1}, D("0"))
    assert rows(day) == [
        (D("21"), 30, D("10.5")),
        (D("42"), 30, D("21")),
        (D("84"), 30, D("42")),
        (D("168"), 30, D("84")),
        (D("336"), 26, D("142.5")),  # 25.4 minutes, up to a whole one
    ]
    assert (day.minutes, planned.minutes) == (146, 146)


def test_the_same_dose_of_a_five_percent_product_has_twice_the_volume_at_twice_the_rate():
    ten, five = plan().days[0], plan(concentration_mg_per_ml=D("50")).days[0]
    assert (five.volume_ml, five.minutes) == (ten.volume_ml * 2, ten.minutes)
    assert [step.rate_ml_per_h for step in five.steps] == [step.rate_ml_per_h * 2 for step in ten.steps]


@pytest.mark.parametrize(
    ("dose", "weight", "days", "round_to", "grams"),
    [
        ("400", "70", 1, "5", ["30"]),
        ("400", "70", 1, "1", ["28"]),
        ("500", "65", 1, "5", ["35"]),  # 32.5 is a tie and goes up
        ("500", "55", 1, "5", ["30"]),  # 27.5 too, where half-even would as well
        ("500", "45", 1, "5", ["25"]),  # 22.5 up, where half-even would go down
        ("2000", "70", 5, "5", ["30"] * 5),  # each day by itself: 28 g
        ("2000", "70", 2, "5", ["70", "70"]),
        ("1000", "68.4", 2, "2.5", ["35", "35"]),
        ("400", "68.4", 1, None, ["27.36"]),
        ("1000", "100", 3, None, ["33.333333", "33.333333", "33.333334"]),
        ("2000", "70", 5, None, ["28"] * 5),
    ],
)
def test_each_day_is_rounded_by_itself_and_the_days_add_up(dose, weight, days, round_to, grams):
    rounding = None if round_to is None else D(round_to)
    planned = plan(dose_mg_per_kg=D(dose), dosing_weight_kg=D(weight), days=days, round_to_g=rounding)
    assert [day.grams for day in planned.days] == [D(each) for each in grams]
    assert sum(day.grams for day in planned.days) == planned.total_g
    assert planned.exact_g == D(dose) * D(weight) / 1000


def test_a_dose_that_would_round_to_nothing_is_refused_because_one_step_would_be_a_multiple_of_it():
    with pytest.raises(ValueError, match=r"dose of 1\.2 g rounds to nothing in steps of 5 g"):
        plan(dosing_weight_kg=D("3"))
    assert plan(dosing_weight_kg=D("3"), round_to_g=None).total_g == D("1.2")


@pytest.mark.parametrize(
    ("grams", "sizes", "vials"),
    [
        ("30", "5 10 20 40", {"20": 1, "10": 1}),
        ("30", "10 25", {"10": 3}),  # greedy would open 25 + 10 and waste 5
        ("28", "5 10 20 40", {"20": 1, "10": 1}),
        ("27.36", "0.5 2.5 5 10 20", {"20": 1, "5": 1, "2.5": 1}),
        ("37.5", "1 2.5 5 10 20 40", {"20": 1, "10": 1, "5": 1, "2.5": 1}),
        ("6", "1 3 4", {"3": 2}),  # greedy would open 4 + 1 + 1
        ("26", "2 5 10 20 30", {"20": 1, "2": 3}),  # 30 is one vial but wastes 4
        ("3", "5", {"5": 1}),
        ("12", "5", {"5": 3}),
        ("0.3", "0.5 2.5", {"0.5": 1}),
        ("1000", "5 10 20 40", {"40": 25}),
    ],
)
def test_choose_vials_wastes_least_and_then_opens_fewest(grams, sizes, vials):
    chosen = dict(choose_vials(D(grams), tuple(D(size) for size in sizes.split())))
    assert chosen == {D(size): count for size, count in vials.items()}


def test_every_step_is_cut_to_the_cap_and_the_dose_takes_longer():
    at_risk = plan(max_mg_per_kg_per_min=D("3.3")).days[0]
    assert [step.mg_per_kg_per_min for step in at_risk.steps] == [D("0.5"), D("1"), D("2"), D("3.3"), D("3.3")]
    assert [step.rate_ml_per_h for step in at_risk.steps] == [D("21"), D("42"), D("84"), D("138.6"), D("138.6")]
    assert (sum(step.volume_ml for step in at_risk.steps), at_risk.minutes) == (D("300"), 189)


def test_the_rate_weight_drives_the_rate_and_not_the_dose():
    lighter = plan(rate_weight_kg=D("50")).days[0]
    assert (lighter.grams, lighter.steps[0].rate_ml_per_h) == (D("30"), D("15"))


def test_a_small_dose_ends_inside_its_first_step():
    assert rows(plan(dose_mg_per_kg=D("10"), round_to_g=None).days[0]) == [(D("21"), 20, D("7"))]


def test_a_dose_that_ends_with_a_step_gets_no_empty_step_after_it():
    day = plan(dose_mg_per_kg=D("15"), round_to_g=None).days[0]
    assert rows(day) == [(D("21"), 30, D("10.5"))]
    # 0.83333333 mg/kg/min is 0.5 mL/kg/h with a tail: the tail must not become a step or a minute either
    tail = (RateStep(mg_per_kg_per_min=D("0.83333333"), minutes=60), RateStep(mg_per_kg_per_min=D("1.66666667")))
    assert rows(plan(dose_mg_per_kg=D("50"), round_to_g=None, steps=tail).days[0]) == [(D("34.99999986"), 60, D("35"))]


def test_the_last_rate_goes_on_when_every_step_has_minutes_and_the_dose_is_not_done():
    timed = (RateStep(mg_per_kg_per_min=D("1"), minutes=30), RateStep(mg_per_kg_per_min=D("2"), minutes=30))
    assert rows(plan(steps=timed).days[0]) == [(D("42"), 30, D("21")), (D("84"), 200, D("279"))]


def test_a_step_without_minutes_runs_to_the_end_wherever_it_stands():
    steps = (RateStep(mg_per_kg_per_min=D("2")), RateStep(mg_per_kg_per_min=D("8"), minutes=30))
    assert rows(plan(steps=steps).days[0]) == [(D("84"), 215, D("300"))]


@pytest.mark.parametrize(
    "impossible",
    [
        {"dose_mg_per_kg": D("0")},
        {"dose_mg_per_kg": D("-400")},
        {"dose_mg_per_kg": 400.0},
        {"dosing_weight_kg": D("0")},
        {"dosing_weight_kg": D("NaN")},
        {"dosing_weight_kg": D("Infinity")},
        {"dosing_weight_kg": D("1E+30")},
        {"rate_weight_kg": D("0")},
        {"days": 0},
        {"days": -1},
        {"days": D("2")},
        {"days": True},
        {"concentration_mg_per_ml": D("0")},
        {"vial_sizes_g": ()},
        {"vial_sizes_g": (D("0"), D("5"))},
        {"round_to_g": D("0")},
        {"steps": ()},
        {"steps": (RateStep(mg_per_kg_per_min=D("0"), minutes=30),)},
        {"steps": (RateStep(mg_per_kg_per_min=D("1"), minutes=0),)},
        {"steps": (RateStep(mg_per_kg_per_min=D("1"), minutes=D("7.5")),)},
        {"max_mg_per_kg_per_min": D("0")},
        {"max_mg_per_kg_per_min": D("-1")},
    ],
    ids=str,
)
def test_impossible_input_is_refused_with_a_sentence(impossible):
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        plan(**impossible)


@pytest.mark.parametrize(
    ("concentration", "mg", "ml"),
    [("100", "1", "0.6"), ("50", "1", "1.2"), ("100", "8", "4.8"), ("50", "4", "4.8"), ("100", "12", "7.2")],
)
def test_the_two_rate_units_agree_with_the_labels(concentration, mg, ml):
    assert ml_per_kg_per_h(D(mg), D(concentration)) == D(ml)
    assert mg_per_kg_per_min(D(ml), D(concentration)) == D(mg)


def test_rounding_traps_of_printed_labels_are_not_followed():
    # Gammagard Liquid prints 0.5 mL/kg/h as 0.8 and 5 mL/kg/h as 8 mg/kg/min; Octagam 5% 3.33 as 0.07 mL/kg/min
    assert round(mg_per_kg_per_min(D("0.5"), D("100")), 2) == D("0.83")
    assert round(mg_per_kg_per_min(D("5"), D("100")), 2) == D("8.33")
    assert round(ml_per_kg_per_h(D("3.33"), D("50")) / 60, 4) == D("0.0666")


@pytest.mark.parametrize(
    ("rate", "pump"), [("349.99999986", "350.0"), ("36.0303", "36.0"), ("36.09", "36.0"), ("336", "336.0")]
)
def test_a_pump_rate_is_cut_to_a_tenth_and_never_rounded_up(rate, pump):
    assert pump_rate_ml_per_h(D(rate)) == D(pump)


@pytest.mark.parametrize(
    ("sex", "height", "actual", "factor", "expected"),
    [
        ("M", "177.8", "113", "0.4", "89"),  # 70 in: ideal 73
        ("F", "165.1", "97", "0.4", "73"),  # 65 in: ideal 57
        ("F", "165.1", "97", "0.5", "77"),
        ("F", "165.1", "97", "0", "57"),
        ("F", "165.1", "50", "0.4", "50"),  # below ideal: actual
        ("M", "152.4", "100", "0.4", "70"),  # 60 in: ideal 50
        ("M", "140", "100", "0.4", "70"),  # under 60 in: the ideal of 60 in
        ("F", "140", "95.5", "0.4", "65.5"),
        ("M", "120", "22", "0.4", "22"),  # a child keeps the actual weight
    ],
)
def test_adjusted_weight_is_devine_plus_a_share_of_the_excess(sex, height, actual, factor, expected):
    weight = adjusted_weight_kg(sex=sex, height_cm=D(height), actual_kg=D(actual), factor=D(factor))
    assert weight == D(expected)


@pytest.mark.parametrize(
    "impossible",
    [{"sex": "X"}, {"height_cm": D("0")}, {"actual_kg": D("-1")}, {"factor": D("1.1")}, {"factor": D("-0.1")}],
    ids=str,
)
def test_adjusted_weight_refuses_impossible_input(impossible):
    with pytest.raises(ValueError, match=r"\.$"):
        adjusted_weight_kg(**{"sex": "M", "height_cm": D("180"), "actual_kg": D("90")} | impossible)
