"""Every column of ours has a decision how long it is kept, and the documents say the same."""

from dataclasses import replace

import pytest
from django.apps import apps

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


# Of packages, and about nobody, or never written.
OF_PACKAGES = {
    "django_admin_log": "the admin changes nothing, so nothing is logged there",
    "auth_permission": "not used: roles are ours",
    "auth_group": "not used: roles are ours",
    "auth_group_permissions": "not used: roles are ours",
    "django_content_type": "names of tables",
    "account_emailconfirmation": "not written: a manager enters the address, nobody confirms it",
}


def test_the_tables_of_packages_are_named_or_about_nobody():
    every = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    unnamed = every - retention.our_columns().keys() - retention.policy()[1].keys()
    assert unnamed == OF_PACKAGES.keys()


def test_a_column_that_a_package_adds_to_a_named_table_is_found(monkeypatch):
    rules, tables = retention.policy()
    short = replace(tables["mfa_authenticator"], personal=("user_id",))
    monkeypatch.setattr(retention, "policy", lambda: (rules, tables | {"mfa_authenticator": short}))
    assert "mfa_authenticator.data: not named" in retention.policy_errors()


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
