"""No clinical free text in the trail: what each call hands over by name, and by what expression."""

import ast
import re

import pytest

from tests.guards.audit_detail import ALLOWED, is_harmless
from tests.guards.source import modules

# What records, by the name that it is called by: audit.record and what features put before it.
RECORDERS = {"record", "_record", "keep", "_keep", "record_once"}
NO_DETAIL = {"by", "patient", "site", "what"}
# Attributes that hold what somebody typed.
TYPED = re.compile(r"\b(note|notes|comment|text|body|description|cancel_reason|answer|words)(\.strip\(\))?$")


def handed_over() -> list[tuple[str, str, str]]:
    """(module, key, expression) of every detail."""
    found = []
    for module, tree in modules().items():
        if "audit" not in ast.unparse(tree) or "demo" in module:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and name_of(node.func) in RECORDERS:
                found += [(module, key.arg, ast.unparse(key.value)) for key in node.keywords if key.arg]
    return [(module, key, value) for module, key, value in found if key not in NO_DETAIL]


def name_of(function) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_details_have_known_keys_only():
    assert sorted({(module, key) for module, key, _ in handed_over() if key not in ALLOWED}) == []


def test_no_typed_text_is_handed_over():
    assert [one for one in handed_over() if TYPED.search(one[2])] == []


def test_the_guard_sees_many_calls():
    assert len(handed_over()) > 60


@pytest.mark.parametrize(
    ("key", "value", "harmless"),
    [
        ("code", "penicillin", True),
        ("changed", ["city", "dose_mg_per_kg"], True),
        ("what", "the patient's audit trail", True),
        ("code", "Patient has a headache", False),
        ("changed", ["city", "felt dizzy at home"], False),
        ("note", "x", False),
        ("code", {"deep": "text"}, False),
        ("what", "x" * 200, False),
    ],
)
def test_what_is_harmless(key, value, harmless):
    assert is_harmless(key, value) is harmless
