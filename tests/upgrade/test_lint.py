"""What the migration linter finds needs a reason, and each reason its finding."""

from tests.upgrade.lint import faults

FOUND = [("patients.0009_x", "DROP_COLUMN", "DROPPING columns")]
ACCEPTED = {"migration": "patients.0009_x", "code": "DROP_COLUMN", "reason": "Nothing has read it for two releases."}


def test_a_finding_without_a_reason_is_a_fault():
    assert faults(FOUND, []) == ["patients.0009_x: DROP_COLUMN: DROPPING columns"]
    assert faults(FOUND, [{**ACCEPTED, "reason": " "}]) == ["patients.0009_x: DROP_COLUMN: DROPPING columns"]
    assert faults(FOUND, [{**ACCEPTED, "migration": "patients.0010_y"}])[0] == faults(FOUND, [])[0]


def test_a_finding_with_a_reason_is_none():
    assert faults(FOUND, [ACCEPTED]) == []


def test_a_reason_whose_finding_is_gone_is_a_fault():
    assert faults([], [ACCEPTED]) == ["patients.0009_x: DROP_COLUMN is accepted, but not found"]
