"""Every column of ours has a decision how long it is kept, and the documents say the same."""

import pytest

from infusion_center.core import retention
from infusions.retention import SWEEPS
from tests.guards.source import ROOT

pytestmark = pytest.mark.once
BEGIN, END = "<!-- made from retention.toml -->\n", "\n<!-- end -->"


def test_every_column_is_named_exactly_once():
    assert retention.policy_errors() == []


def test_a_column_without_a_decision_is_found(monkeypatch):
    columns = retention.our_columns()
    columns["patients_patient"].add("shoe_size")
    columns["patients_pet"] = {"id", "name"}
    columns["patients_weight"].remove("kg")
    monkeypatch.setattr(retention, "our_columns", lambda: columns)
    assert retention.policy_errors() == [
        "patients_patient.shoe_size: not named",
        "patients_pet: not named, nor its columns id, name",
        "patients_weight.kg: there is no such column",
    ]


def test_the_program_deletes_what_the_file_says_and_nothing_else():
    rules, tables = retention.policy()
    deleting = {name for name, rule in rules.items() if rule.then == "delete" and not rule.done_by}
    assert deleting == {*SWEEPS, "cache"}
    # Clinical records are a person's decision, whatever somebody writes into the file.
    clinical = ("patients_patient", "infusions_doserecord", "infusions_infusionorder", "infusions_vialused")
    assert {rules[tables[name].rule].then for name in clinical} == {"by hand"}


def test_the_document_shows_the_file():
    text = (ROOT / "docs/data-handling.md").read_text()
    assert text.partition(BEGIN)[2].partition(END)[0] == retention.as_markdown()
