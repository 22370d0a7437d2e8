"""Which words tell what somebody is treated for, and which only look like it."""

import pytest

from infusions.formulary.catalog import load_catalog
from infusions.formulary.clinical_words import forget_names
from infusions.reminders.words import clinical_words, is_neutral, stems_in
from tests.factories.formulary import make_product

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "text",
    [
        *("Riverside Center", "St. Mary Medical Center", "Diffusion Street", "Plenty of water", "Nursery Road 4"),
        *("12 G Street", "Bloodgood Lane, Needles, CA", "Sangre de Cristo Avenue", "Medicine Hat, Alberta"),
        *("Calle Vialidad 3", "Mis citas: medio día", "1 Motor Avenue", "Please bring your card", "Chronicle Square"),
        *("Traiga por favor su tarjeta. Dónde: puerta 2", "dossier"),
    ],
)
def test_everyday_words_are_neutral(text):
    load_catalog()
    assert (clinical_words(text), is_neutral(text)) == ([], True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Infusion Suite", ["Infusion"]),
        ("IVIG day unit", ["IVIG"]),
        ("Su infusión de la dosis", ["infusión", "dosis"]),
        ("FARMACIA Central", ["FARMACIA"]),
        ("Blood bank, hematología", ["Blood", "hematología"]),
        ("Síndrome / sindrome", ["Síndrome", "sindrome"]),
        ("30 g at 10 a.m., 1,5 ml", ["ml", "30 g", "1,5 ml"]),
        ("Bring your Privigen from Grifols", ["Privigen", "Grifols"]),
        ("for ITP or Guillain-Barre", ["ITP", "Guillain", "Barre"]),
    ],
)
def test_clinical_words_are_named_as_they_were_written(text, words):
    load_catalog()
    assert clinical_words(text) == words


def test_words_that_run_together_are_told_in_addresses():
    found = clinical_words("riversideinfusion@mycancercenter.org", run_together=True)
    assert (found, is_neutral("riversideinfusion")) == (["riversideinfusion", "mycancercenter"], True)


def test_a_product_added_to_the_formulary_becomes_a_word():
    assert is_neutral("Ask for Examplix")
    make_product(name="Examplix 10%")
    forget_names()
    assert clinical_words("Ask for Examplix") == ["Examplix"]


def test_names_are_not_asked_for_again_with_every_text(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert [is_neutral(text) for text in ("Riverside", "Hillside")] == [True, True]


def test_stems_are_found_at_the_beginning_of_words_only():
    assert stems_in("overdosed suffusion", ("dose", "fusion", "suff")) == ["suff"]
