import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.core.rules import RuleViolation, codes, needs_approval, warning
from patients import fact_rules, rules
from patients.models import Patient
from patients.rules import Weighing

TODAY = dt.date(2026, 11, 23)


def unsaved(**fields):
    values = {
        "mrn": "T1",
        "given_name": "José",
        "family_name": "García",
        "date_of_birth": dt.date(1961, 3, 12),
        "sex": "M",
        "email": "jose@example.org",
        "phone": "+12125550123",
    }
    return Patient(**{**values, **fields})


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2026-11-24", ["born-in-future"]),
        ("2026-11-23", []),
        ("1905-11-24", []),
        ("1905-11-23", ["age-implausible"]),
        ("1900-01-01", ["age-implausible"]),
    ],
)
def test_birth_problems(born, expected):
    assert codes(rules.birth_problems(dt.date.fromisoformat(born), TODAY)) == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"mrn": "t1", "family_name": "Unlike"}, ["mrn-taken"]),
        ({}, ["possible-duplicate"]),
        ({"given_name": "Garcia", "family_name": "Jose"}, ["possible-duplicate"]),
        ({"family_name": "Garsia", "email": "", "phone": ""}, ["possible-duplicate"]),
        ({"date_of_birth": dt.date(1990, 1, 1), "email": ""}, ["possible-duplicate"]),
        ({"date_of_birth": dt.date(1990, 1, 1), "phone": "", "email": "JOSE@example.org"}, ["possible-duplicate"]),
        ({"given_name": "Rosa", "chosen_name": "Jose"}, ["possible-duplicate"]),
        ({"given_name": "Beatriz"}, []),
        ({"date_of_birth": dt.date(1990, 1, 1), "phone": "", "email": ""}, []),
    ],
)
def test_duplicate_problems(other, expected):
    values = {"mrn": "T2", "public_id": "abc"} | other
    assert codes(rules.duplicate_problems(unsaved(), [unsaved(**values)])) == expected


def test_a_duplicate_without_phone_and_email_is_not_alike_by_having_none():
    bare = {"phone": "", "email": ""}
    other = unsaved(mrn="T2", date_of_birth=dt.date(1990, 1, 1), **bare)
    assert rules.duplicate_problems(unsaved(**bare), [other]) == []


@pytest.mark.parametrize(
    ("consents", "email", "phone", "expected"),
    [
        ({"email": True}, "a@example.org", "", []),
        (
            {"email": True, "phone": True},
            "",
            "",
            ["consent-without-email", "consent-without-phone", "no-way-to-remind"],
        ),
        ({"email": False}, "a@example.org", "", ["no-way-to-remind"]),
        ({}, "a@example.org", "", ["email-consent-missing", "no-way-to-remind"]),
        ({"email": True}, "a@example.org", "+12125550123", ["phone-consent-missing"]),
        ({}, "", "", ["no-way-to-remind"]),
    ],
)
def test_consent_problems(consents, email, phone, expected):
    assert codes(rules.consent_problems(consents, email=email, phone=phone)) == expected


@pytest.mark.parametrize(
    ("kg", "measured_on", "born", "previous", "expected"),
    [
        ("70", "2026-11-23", "1980-01-01", None, []),
        ("0.99", "2026-11-23", "1980-01-01", None, ["weight-out-of-range"]),
        ("400.01", "2026-11-23", "1980-01-01", None, ["weight-out-of-range"]),
        ("400", "2026-11-23", "1980-01-01", None, ["weight-implausible-for-age"]),
        ("70", "2026-11-24", "1980-01-01", None, ["weight-in-future"]),
        ("4", "2026-10-01", "2026-10-02", None, ["weight-before-birth"]),
        ("4", "2026-11-23", "2026-10-02", None, []),
        ("16", "2026-11-23", "2026-10-02", None, ["weight-implausible-for-age"]),
        ("25", "2026-11-23", "2020-10-02", None, []),
        ("154", "2026-11-23", "2012-11-23", None, ["weight-implausible-for-age"]),
        ("29.99", "2026-11-23", "1980-01-01", None, ["weight-implausible-for-age"]),
        ("77", "2026-11-23", "1980-01-01", "70", ["weight-changed"]),
        ("76.99", "2026-11-23", "1980-01-01", "70", []),
        ("63", "2026-11-23", "1980-01-01", "70", ["weight-changed"]),
        ("63.01", "2026-11-23", "1980-01-01", "70", []),
        ("251", "2026-11-23", "1980-01-01", "70", ["weight-implausible-for-age", "weight-changed"]),
    ],
)
def test_weight_problems(kg, measured_on, born, previous, expected):
    day = dt.date.fromisoformat
    earlier = Weighing(Decimal(previous), day("2026-10-01")) if previous else None
    problems = rules.weight_problems(
        Weighing(Decimal(kg), day(measured_on)), date_of_birth=day(born), today=TODAY, previous=earlier
    )
    assert codes(problems) == expected


@pytest.mark.parametrize(
    ("measured_on", "expected"),
    [(None, ["weight-missing"]), ("2026-05-24", []), ("2026-05-23", ["weight-stale"]), ("2026-11-23", [])],
)
def test_weight_age_problems(measured_on, expected):
    weight = Weighing(Decimal(70), dt.date.fromisoformat(measured_on)) if measured_on else None
    assert codes(rules.weight_age_problems(weight, TODAY)) == expected


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []),
        ({"diagnosis_code": "D83.9"}, []),
        ({"diagnosis_code": "D83"}, []),
        ({"diagnosis_code": "M1A.00X0"}, []),
        ({"diagnosis_code": "83.9"}, ["diagnosis_code"]),
        ({"diagnosis_code": "D83."}, ["diagnosis_code"]),
        ({"email": "nobody"}, ["email"]),
        ({"phone": "+1212"}, ["phone"]),
        ({"mrn": "A B"}, ["mrn"]),
        ({"height_cm": Decimal("20")}, ["height_cm"]),
        ({"sex": "X"}, ["sex"]),
        ({"time_zone": "Mars/Olympus"}, ["time_zone"]),
        ({"family_name": ""}, ["family_name"]),
    ],
)
def test_field_problems(changes, fields):
    assert [problem.field for problem in rules.field_problems(unsaved(**changes))] == fields


@pytest.mark.parametrize(
    ("code", "text", "current", "expected"),
    [
        ("latex", "", (), []),
        ("latex", "", ("latex",), ["allergy-recorded"]),
        ("other", "penicillin", ("other",), []),
        ("other", "  ", (), ["allergy-without-text"]),
        ("other", "x" * 200, (), []),
        ("other", "x" * 201, (), ["allergy-too-long"]),
        ("pollen", "", (), ["unknown-allergy"]),
    ],
)
def test_allergy_problems(code, text, current, expected):
    assert codes(fact_rules.allergy_problems(code, text, frozenset(current))) == expected


@pytest.mark.parametrize(
    ("code", "current", "expected"),
    [("sepsis", (), []), ("sepsis", ("sepsis",), ["risk-recorded"]), ("age", (), ["unknown-risk"])],
)
def test_risk_problems(code, current, expected):
    assert codes(fact_rules.risk_problems(code, frozenset(current))) == expected


def test_what_needs_approval_passes_only_when_its_very_code_was_accepted():
    problems = [needs_approval("odd", "Odd."), warning("slight", "Slight.")]
    for accepted in ((), ("other",)):
        with pytest.raises(RuleViolation) as refused:
            rules.refuse_unless_accepted(problems, accepted)
        assert refused.value.codes == {"odd"}
    assert rules.refuse_unless_accepted(problems, ("odd", "other")) == ["odd"]
