"""Arithmetic of the check by its tables: fluids of a day, weight in percent."""

from decimal import Decimal

import pytest

from infusions.checklists import clinical


@pytest.mark.parametrize(
    ("kg", "known", "target"),
    [
        # Holliday-Segar for children, never above the site's target; a restriction overrides everything.
        ("8", {"is_adult": False}, 800),
        ("10", {"is_adult": False}, 1000),
        ("20", {"is_adult": False}, 1500),
        ("45", {"is_adult": False}, 2000),
        ("90", {"is_adult": False}, 2000),
        ("20", {"is_adult": False, "restriction_ml": 600}, 600),
        ("70", {"is_adult": True}, 2000),
        ("70", {"is_adult": True, "site_ml": 2500}, 2500),
        ("70", {"is_adult": True, "restriction_ml": 1200}, 1200),
        (None, {"is_adult": False}, 2000),
    ],
)
def test_the_fluid_target_of_a_day(kg, known, target):
    asked = {"site_ml": 2000, "restriction_ml": None, "kg": kg and Decimal(kg), **known}
    assert clinical.intake_target_ml(**asked) == target


@pytest.mark.parametrize(
    ("today", "order", "percent"),
    [("70", "70", "0.0"), ("73.5", "70", "5.0"), ("66", "70", "-5.7"), ("63", "70", "-10.0")],
)
def test_the_change_of_weight_in_percent(today, order, percent):
    assert clinical.weight_change_percent(Decimal(today), Decimal(order)) == Decimal(percent)
