"""How typed and tapped answers are read, and how they are shown."""

from decimal import Decimal

import pytest

from infusions.checklists.models import ChecklistItem
from infusions.checklists.values import UnreadableAnswer, read_value, show_value

WEIGHT = ChecklistItem(
    code="w", kind="number", unit="kg", decimal_places=2, lowest=Decimal(1), highest=Decimal(400), text="Weight"
)
PULSE = ChecklistItem(code="p", kind="number", unit="/min", lowest=Decimal(20), highest=Decimal(250), text="Pulse")
SIGNS = ChecklistItem(code="s", kind="multi", choices=[["a", "Thirst"], ["b", "Rash"], ["none", "None"]], text="Signs")
ONE = ChecklistItem(code="o", kind="choice", choices=[["x", "Taken"], ["y", "Not taken", "approval"]], text="One")


def of_kind(kind):
    return ChecklistItem(code="k", kind=kind, text="Question")


@pytest.mark.parametrize(
    ("item", "raw", "kept", "shown"),
    [
        (WEIGHT, " 70.50 ", "70.5", "70.5 kg"),
        (WEIGHT, "070", "70", "70 kg"),
        (WEIGHT, "100", "100", "100 kg"),
        (WEIGHT, "1", "1", "1 kg"),
        (WEIGHT, "400.00", "400", "400 kg"),
        (PULSE, "72", "72", "72 /min"),
        (PULSE, "72.0", "72", "72 /min"),
        (SIGNS, ["b", "a"], ["a", "b"], "Thirst, Rash"),
        (SIGNS, "none", ["none"], "None"),
        (ONE, "y", "y", "Not taken"),
        (of_kind("yes_no"), "yes", "yes", "Yes"),
        (of_kind("date"), "2026-11-03", "2026-11-03", "3 Nov 2026"),
        (of_kind("time"), "9:30".rjust(5, "0"), "09:30", "09:30"),
        (of_kind("time"), "09:30:20", "09:30", "09:30"),
        (of_kind("text"), " Felt well. ", "Felt well.", "Felt well."),
    ],
)
def test_an_answer_is_read_and_shown(item, raw, kept, shown):
    assert (read_value(item, raw), show_value(item, read_value(item, raw))) == (kept, shown)


@pytest.mark.parametrize(
    ("item", "raw"),
    [
        (WEIGHT, ""),
        (WEIGHT, "abc"),
        (WEIGHT, "70,5"),
        (WEIGHT, "70.123"),
        (WEIGHT, "0.99"),
        (WEIGHT, "400.01"),
        (WEIGHT, "-70"),
        (WEIGHT, "7e1"),
        (WEIGHT, "NaN"),
        (WEIGHT, "٧٠"),
        (WEIGHT, "1" * 40),
        (PULSE, "72.5"),
        (PULSE, "19"),
        (SIGNS, []),
        (SIGNS, [""]),
        (SIGNS, ["a", "none"]),
        (SIGNS, ["c"]),
        (ONE, "z"),
        (of_kind("yes_no"), "Yes"),
        (of_kind("date"), "3/11/2026"),
        (of_kind("date"), "2026-02-30"),
        (of_kind("time"), "24:00"),
        (of_kind("text"), "x" * 501),
        (of_kind("text"), "a\x00b"),
    ],
)
def test_what_is_no_answer_is_refused(item, raw):
    with pytest.raises(UnreadableAnswer):
        read_value(item, raw)
