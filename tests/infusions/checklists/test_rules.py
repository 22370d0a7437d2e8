"""Tables of the check's rules: each consequence by its limits, on the shipped questions and on made-up ones."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from infusion_center.core.rules import Severity
from infusions.checklists.catalog import SHIPPED, item_of
from infusions.checklists.context import CheckContext, Limits
from infusions.checklists.models import ChecklistItem, ChecklistOverride, ChecklistTemplate
from infusions.checklists.rules import (
    NEVER_OVERRIDDEN,
    answer_problems,
    asked_items,
    missing_items,
    missing_problems,
    overridden_codes,
)

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
LIMITS = Limits(
    temperature_c=Decimal("38.0"), systolic_low=90, systolic_high=180, pulse_low=50, pulse_high=120, spo2_percent=94
)
B, A, W, N = Severity.BLOCKER, Severity.APPROVAL, Severity.WARNING, Severity.NOTE


@pytest.fixture(scope="module")
def items():
    template = ChecklistTemplate(version=1)
    shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))["items"]
    return [item_of(template, position, fields) for position, fields in enumerate(shipped, start=1)]


def context(**known) -> CheckContext:
    return CheckContext(**{"now": NOON, "limits": LIMITS, "order_weight_kg": Decimal(70), **known})


def found(items, answers, **known) -> list[tuple[str, Severity]]:
    """Codes and severities, the missing creatinine left out: it has tests of its own."""
    problems = answer_problems(items, answers, context(**known))
    return sorted((p.code, p.severity) for p in problems if p.code != "creatinine-missing")


@pytest.mark.parametrize(
    ("code", "failing", "passing", "severity"),
    [
        ("identity-name", "no", "yes", B),
        ("identity-birth-date", "no", "yes", B),
        ("order-matches", "no", "yes", B),
        ("urine-normal", "no", "yes", B),
        ("infection", "yes", "no", B),
        ("live-vaccine", "yes", "no", W),
        ("pregnancy-estrogen", "yes", "no", W),
        ("room-temperature", "no", "yes", B),
        ("vials-inspected", "no", "yes", B),
        ("iv-access", "no", "yes", B),
        ("consent", "no", "yes", B),
        ("emergency-set", "no", "yes", A),
    ],
)
def test_a_yes_or_no_fails_by_its_severity(items, code, failing, passing, severity):
    assert found(items, {code: failing}) == [(code, severity)]
    assert found(items, {code: passing}) == []


@pytest.mark.parametrize(
    ("kg", "expected"),
    [
        ("63", [("weight-change", B)]),
        ("63.01", []),
        ("70", []),
        ("76.99", []),
        ("77", [("weight-change", B)]),
        ("90", [("weight-change", B)]),
    ],
)
def test_a_weight_change_of_ten_percent_holds(items, kg, expected):
    assert found(items, {"weight": kg}) == expected


@pytest.mark.parametrize(
    ("drunk", "known", "expected"),
    [
        ("999", {}, [("intake-day-before-low", B)]),
        ("1000", {}, [("intake-day-before-below", N)]),
        ("1999", {}, [("intake-day-before-below", N)]),
        ("2000", {}, []),
        ("999", {"hydration_target_ml": 1500}, [("intake-day-before-low", B)]),
        # Given here since an earlier check: yesterday is made up for, or not yet.
        ("750", {"fluids_given_ml": 250}, [("intake-day-before-made-up", W)]),
        ("749", {"fluids_given_ml": 250}, [("intake-day-before-low", B)]),
        ("599", {"fluids_given_ml": 500, "fluid_restriction_ml": 1200}, [("intake-day-before-low", A)]),
        # A fluid restriction takes the place of the target and asks the prescriber.
        ("700", {"fluid_restriction_ml": 1200}, []),
        ("600", {"fluid_restriction_ml": 1200}, []),
        ("599", {"fluid_restriction_ml": 1200}, [("intake-day-before-low", A)]),
        ("1201", {"fluid_restriction_ml": 1200}, [("intake-day-before-over", W)]),
        # A child of 12 kg needs 1100 mL a day: half of it is too little.
        ("549", {"is_adult": False, "order_weight_kg": Decimal(12)}, [("intake-day-before-low", B)]),
        ("550", {"is_adult": False, "order_weight_kg": Decimal(12)}, [("intake-day-before-below", N)]),
        ("1100", {"is_adult": False, "order_weight_kg": Decimal(12)}, []),
    ],
)
def test_fluids_of_the_day_before(items, drunk, known, expected):
    assert found(items, {"intake-day-before": drunk}, **known) == expected


@pytest.mark.parametrize(
    ("drunk", "expected"), [("249", [("intake-today-low", W)]), ("250", []), ("0", [("intake-today-low", W)])]
)
def test_fluids_of_today(items, drunk, expected):
    assert found(items, {"intake-today": drunk}) == expected


@pytest.mark.parametrize(
    ("signs", "weight", "expected"),
    [
        (["none"], "70", []),
        (["thirst"], "70", [("dehydration-signs-one", W)]),
        (["thirst", "dizzy"], "70", [("dehydration-signs-hold", B)]),
        (["postural-fall"], "70", [("dehydration-signs-hold", B)]),
        # 3 % lost since the last visit, at 72.2 kg, counts as a sign.
        (["none"], "70.03", [("dehydration-signs-one", W)]),
        (["thirst"], "70.03", [("dehydration-signs-hold", B)]),
        (["thirst"], "70.04", [("dehydration-signs-one", W)]),
    ],
)
def test_two_signs_of_dehydration_or_a_postural_fall_hold(items, signs, weight, expected):
    last = Decimal("72.2") if weight != "70" else None
    answers = {"weight": weight, "dehydration-signs": signs}
    assert found(items, answers, last_weight_kg=last) == expected


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("temperature", "37.9", []),
        ("temperature", "38.0", [("temperature-high", B)]),
        ("systolic", "89", [("systolic-low", B)]),
        ("systolic", "90", []),
        ("systolic", "180", []),
        ("systolic", "181", [("systolic-high", B)]),
        ("pulse", "49", [("pulse-low", B)]),
        ("pulse", "50", []),
        ("pulse", "120", []),
        ("pulse", "121", [("pulse-high", B)]),
        ("spo2", "93", [("spo2-low", B)]),
        ("spo2", "94", []),
        ("diastolic", "130", []),
        ("respiration", "40", []),
    ],
)
def test_vital_signs_hold_at_the_limits_of_the_site(items, code, value, expected):
    assert found(items, {code: value}) == expected


@pytest.mark.parametrize(
    ("now", "before", "measured_on", "expected"),
    [
        ("1.09", "0.8", "2026-11-20", []),
        ("1.1", "0.8", "2026-11-20", [("creatinine-rise", B)]),
        ("0.6", "0.4", "2026-11-20", [("creatinine-rise", B)]),
        ("0.59", "0.4", "2026-11-20", []),
        ("2.0", "0.8", "2026-10-25", []),  # the very sample that the earlier value came from
        ("2.0", None, "2026-11-20", []),
    ],
)
def test_a_rise_of_creatinine_holds(items, now, before, measured_on, expected):
    known = {"last_creatinine": before and Decimal(before), "last_creatinine_on": dt.date(2026, 10, 25)}
    assert found(items, {"creatinine": now, "creatinine-on": measured_on}, **known) == expected


@pytest.mark.parametrize(
    ("days", "known", "expected"),
    [
        (366, {}, []),
        (367, {}, [("creatinine-on-old", W)]),
        (35, {"at_risk": True}, []),
        (36, {"at_risk": True}, [("creatinine-on-old", W)]),
        (28, {"at_risk": True, "interval_days": 21}, []),
        (29, {"at_risk": True, "interval_days": 21}, [("creatinine-on-old", W)]),
        (92, {"is_first_dose": True}, []),
        (93, {"is_first_dose": True}, [("creatinine-on-old", A)]),
    ],
)
def test_an_old_creatinine(items, days, known, expected):
    measured_on = (NOON.date() - dt.timedelta(days=days)).isoformat()
    assert found(items, {"creatinine": "0.8", "creatinine-on": measured_on}, **known) == expected


# Nothing known at all, or the value of an earlier visit that many days ago.
@pytest.mark.parametrize(
    ("days", "first", "expected"),
    [(None, True, [A]), (None, False, [W]), (366, False, []), (367, False, [W]), (92, True, []), (93, True, [A])],
)
def test_no_new_creatinine(items, days, first, expected):
    last = {} if days is None else {"last_creatinine_on": NOON.date() - dt.timedelta(days=days)}
    problems = answer_problems(items, {}, context(is_first_dose=first, **last))
    assert [(p.code, p.severity) for p in problems] == [("creatinine-missing", severity) for severity in expected]


@pytest.mark.parametrize(
    ("answers", "ordered", "expected"),
    [
        ({"premedication": "not-taken"}, "", [("premedication-not-taken", A)]),
        ({"premedication": "not-ordered"}, "", []),
        ({"premedication": "not-ordered"}, "Cetirizine 10 mg", [("premedication-ordered", A)]),
        ({"premedication": "taken", "premedication-at": "11:30"}, "x", []),
        ({"premedication": "taken", "premedication-at": "11:31"}, "x", [("premedication-at-recent", W)]),
        ({"premedication": "taken", "premedication-at": "12:01"}, "x", [("premedication-at-ahead", W)]),
        # A time left over from an answer that was changed asks nothing any more.
        ({"premedication": "not-ordered", "premedication-at": "11:59"}, "", []),
    ],
)
def test_premedication(items, answers, ordered, expected):
    assert found(items, answers, premedication=ordered) == expected


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"changes": ["none"]}, []),
        ({"changes": ["headache", "rash"]}, [("changes-headache", W), ("changes-rash", W)]),
        (
            {"changes": ["dark-urine", "swelling", "er-visit", "new-allergy"]},
            [("changes-dark-urine", A), ("changes-er-visit", A), ("changes-new-allergy", A), ("changes-swelling", A)],
        ),
        ({"new-drugs": ["nsaid", "other"]}, [("new-drugs-nsaid", W), ("new-drugs-other", N)]),
    ],
)
def test_changes_since_the_last_infusion(items, answers, expected):
    assert found(items, answers) == expected


def test_an_unsigned_order_blocks_whatever_is_answered(items):
    assert found(items, {}, order_signed=False) == [("order-not-signed", B)]


def test_problems_come_gravest_first_and_point_to_their_question(items):
    answers = {"live-vaccine": "yes", "premedication": "not-taken", "infection": "yes", "creatinine": "0.8"}
    problems = answer_problems(items, answers, context())
    assert [(p.severity, p.field) for p in problems] == [(B, "infection"), (A, "premedication"), (W, "live-vaccine")]


@pytest.mark.parametrize(
    ("known", "answers", "special"),
    [
        ({}, {}, {"emergency-set"}),
        ({"is_home": True}, {}, {"emergency-kit-home"}),
        ({"is_first_dose": True}, {}, {"emergency-set", "ride-home"}),
        ({"is_first_dose": True, "is_home": True}, {}, {"emergency-kit-home"}),
        ({}, {"premedication": "taken"}, {"emergency-set", "premedication-at"}),
        ({}, {"premedication": "not-taken"}, {"emergency-set"}),
        ({}, {"creatinine": "0.8"}, {"emergency-set", "creatinine-on"}),
    ],
)
def test_questions_are_asked_by_setting_first_dose_and_answers(items, known, answers, special):
    conditional = {"emergency-set", "emergency-kit-home", "ride-home", "premedication-at", "creatinine-on"}
    assert {item.code for item in asked_items(items, answers, context(**known))} & conditional == special


def test_missing_items_are_the_required_ones_in_their_order(items):
    given = {item.code: "yes" for item in items if item.code not in ("pulse", "consent", "creatinine")}
    missing = missing_items(items, given, context())
    assert [item.code for item in missing] == ["pulse", "consent"]
    assert [p.message for p in missing_problems(items, given, context())] == [
        "Not answered: Pulse",
        "Not answered: Consent signed and not older than 12 months?",
    ]


def test_limits_of_a_center_s_own_question_hold_too():
    own = ChecklistItem(
        code="glucose",
        kind="number",
        text="Glucose",
        unit="mg/dL",
        minimum=Decimal(70),
        maximum=Decimal(250),
        severity=A,
    )
    table = {value: found([own], {"glucose": value}) for value in ("69", "70", "250", "251")}
    assert table == {"69": [("glucose-low", A)], "70": [], "250": [], "251": [("glucose-high", A)]}


def test_what_can_never_be_overridden_is_in_the_shipped_questions_and_blocks(items):
    known = {item.code for item in items if item.severity == B}
    assert NEVER_OVERRIDDEN - known == {"order-not-signed", "weight-change"}


def test_an_override_of_what_can_never_be_overridden_counts_for_nothing(items):
    problems = answer_problems(items, {"room-temperature": "no", "consent": "no"}, context())
    overrides = [
        ChecklistOverride(problem_code=code, reason="x", overridden_at=NOON) for code in ("room-temperature", "consent")
    ]
    earlier = {"room-temperature": NOON - dt.timedelta(minutes=1), "consent": NOON - dt.timedelta(minutes=1)}
    assert overridden_codes(overrides, problems, earlier) == {"consent"}
