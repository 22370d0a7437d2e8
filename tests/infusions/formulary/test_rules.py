from decimal import Decimal as D

import pytest

from infusion_center.core.rules import Severity
from infusions.formulary.models import Regimen
from infusions.formulary.rules import dose_problems, excipient_problems, rounding_problems, schedule_problems
from tests.factories.formulary import make_indication, make_product, make_rate_schedule

pytestmark = pytest.mark.django_db
B, A, W = Severity.BLOCKER, Severity.APPROVAL, Severity.WARNING


def found(problems):
    return [(problem.code, problem.severity) for problem in problems]


@pytest.fixture
def pi():
    return make_rate_schedule(indication=make_indication())


@pytest.fixture
def cidp():
    indication = make_indication(code="cidp", regimen=Regimen.IMMUNOMODULATION)
    return make_rate_schedule(
        indication=indication, dose_min_mg_per_kg=D("1000"), dose_max_mg_per_kg=D("2000"), days_max=5
    )


def problems_with(schedule, dose, days=1, **more):
    return found(
        dose_problems(schedule=schedule, indication=schedule.indication, dose_mg_per_kg=D(dose), days=days, **more)
    )


@pytest.mark.parametrize(
    ("dose", "expected"),
    [
        ("400", []),
        ("800", []),
        ("399", [("dose-unusual", W)]),  # in the label's 200-800, below the usual 400-800
        ("200", [("dose-unusual", W)]),
        ("199.99", [("dose-below-range", A)]),
        ("800.01", [("dose-above-range", A)]),
        ("1001", [("dose-above-range", A), ("daily-dose-high", A)]),
        ("2001", [("dose-above-range", A), ("daily-dose-extreme", B)]),
        ("4000", [("dose-above-range", A), ("daily-dose-extreme", B)]),
    ],
)
def test_replacement_doses(pi, dose, expected):
    assert problems_with(pi, dose) == expected


@pytest.mark.parametrize(
    ("dose", "days", "expected"),
    [
        ("1000", 1, []),
        ("2000", 2, []),
        ("2000", 5, []),
        ("2000", 1, [("daily-dose-high", A)]),
        ("1000.01", 1, [("daily-dose-high", A)]),
        ("2000", 6, [("days-outside-label", W)]),
        ("2000", 0, [("days-missing", B)]),
        ("999", 1, [("dose-below-range", A)]),
    ],
)
def test_immunomodulation_doses_and_days(cidp, dose, days, expected):
    assert problems_with(cidp, dose, days) == expected


@pytest.mark.parametrize(
    ("dose", "expected"), [("2000", []), ("2010", [("dose-above-range", A), ("daily-dose-extreme", B)])]
)
def test_kawasaki_disease_allows_two_grams_per_kg_in_one_day(dose, expected):
    kawasaki = make_indication(code="kawasaki", regimen=Regimen.IMMUNOMODULATION, max_g_per_kg_per_day=D("2"))
    schedule = make_rate_schedule(
        indication=kawasaki, dose_min_mg_per_kg=D("1000"), dose_max_mg_per_kg=D("2000"), days_max=4
    )
    assert problems_with(schedule, dose) == expected


def test_without_a_schedule_the_regimen_decides():
    pi = make_indication()
    for dose, expected in (("500", []), ("300", [("dose-unusual", A)]), ("900", [("dose-unusual", A)])):
        assert found(dose_problems(schedule=None, indication=pi, dose_mg_per_kg=D(dose), days=1)) == expected


@pytest.mark.parametrize(
    ("interval", "expected"),
    [(20, [("interval-short", A)]), (21, []), (28, []), (35, [("interval-long", W)]), (None, [])],
)
def test_interval_against_the_label(pi, interval, expected):
    assert problems_with(pi, "500", interval_days=interval) == expected


@pytest.mark.parametrize(("age", "expected"), [(11, [("below-label-age", A)]), (12, []), (None, [])])
@pytest.mark.parametrize(("own", "products"), [(12, None), (2, 12), (None, 12)])
def test_the_higher_of_the_two_ages_counts(age, expected, own, products):
    schedule = make_rate_schedule(product=make_product(min_age_years=products), min_age_years=own)
    assert problems_with(schedule, "500", age_years=age) == expected


@pytest.mark.parametrize(
    ("excipients", "conditions", "expected"),
    [
        (["sorbitol"], {"hereditary_fructose_intolerance"}, [("sorbitol-fructose-intolerance", B)]),
        (["l_proline"], {"hyperprolinemia"}, [("proline-hyperprolinemia", B)]),
        (["maltose"], {"corn"}, [("maltose-corn-allergy", B)]),
        (["maltose"], {"diabetes"}, [("maltose-glucose-meter", W)]),
        (["glucose", "glycine"], {"diabetes"}, [("glucose-load-diabetes", W)]),
        (["maltose"], {"corn", "diabetes"}, [("maltose-corn-allergy", B), ("maltose-glucose-meter", W)]),
        (["glycine"], {"hereditary_fructose_intolerance", "hyperprolinemia", "corn", "diabetes", "latex"}, []),
        (["sorbitol"], {"corn", "latex", "diabetes"}, []),
        (["glycine"], {"ig_reaction"}, [("ig-reaction", B)]),
        (["glycine"], {"iga_deficiency_anti_iga"}, [("anti-iga", B)]),
        (["unknown"], {"corn"}, [("excipients-unknown", B)]),
        (["unknown"], {"latex", "diabetes"}, []),
        (["sorbitol"], set(), []),
    ],
)
def test_excipients_against_conditions(excipients, conditions, expected):
    assert found(excipient_problems(make_product(excipients=excipients), conditions=conditions)) == expected


def test_a_locked_or_missing_schedule_blocks_and_says_where_to_go():
    locked = make_rate_schedule(locked=True)
    product, indication = locked.product, locked.indication
    problems = schedule_problems(product=product, indication=indication, schedule=locked)
    assert found(problems) == [("schedule-locked", B)]
    assert problems[0].url == locked.get_absolute_url()
    assert found(schedule_problems(product=product, indication=indication, schedule=None)) == [("no-schedule", B)]


def test_a_verified_schedule_of_an_available_product_is_no_problem(pi):
    assert schedule_problems(product=pi.product, indication=pi.indication, schedule=pi) == []
    pi.product.is_available = False
    problems = schedule_problems(product=pi.product, indication=pi.indication, schedule=pi)
    assert found(problems) == [("product-unavailable", B)]


def test_problems_say_what_is_wrong_with_numbers(pi):
    (problem,) = dose_problems(schedule=pi, indication=pi.indication, dose_mg_per_kg=D("150.00"), days=1)
    assert problem.message == (
        f"150 mg/kg lies below: the label of {pi.product} gives 200-800 mg/kg for Primary humoral immunodeficiency."
    )
    assert problem.field == "dose_mg_per_kg"


@pytest.mark.parametrize(
    ("percent", "expected"),
    [("7.14", []), ("10", []), ("-10", []), ("10.1", [("rounding-large", A)]), ("-12", [("rounding-large", A)])],
)
def test_rounding_further_than_ten_percent_needs_approval(percent, expected):
    assert found(rounding_problems(D(percent))) == expected
