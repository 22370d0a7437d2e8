import pytest

from infusions.reminders.words import is_neutral, stems_in


@pytest.mark.parametrize("text", ["Riverside Center", "St. Mary Medical Center", "Diffusion Street", "Plenty of water"])
def test_everyday_words_are_neutral(text):
    assert is_neutral(text)


@pytest.mark.parametrize(
    "text", ["Infusion Suite", "IVIG day unit", "Immunology", "Oncology", "infusión", "Su dosis", "Blood bank"]
)
def test_clinical_words_are_not(text):
    assert not is_neutral(text)


def test_stems_are_found_at_the_beginning_of_words_only():
    assert stems_in("overdosed suffusion", ("dose", "fusion", "suff")) == ["suff"]
