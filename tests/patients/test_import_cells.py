"""What the cells of an uploaded sheet mean, and the words by which a wrong one is refused."""

import datetime as dt
from decimal import Decimal

import pytest

from patients import import_cells as cells
from patients.import_columns import COLUMNS, match_headings

MARCH = dt.date(1961, 3, 12)


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("1961-03-12", "", MARCH),
        ("1961-03-12 00:00:00", "", MARCH),
        ("3/12/1961", cells.MONTH_FIRST, MARCH),
        ("12/3/1961", cells.DAY_FIRST, MARCH),
        ("12.3.1961", cells.MONTH_FIRST, MARCH),
        ("12-Mar-1961", "", MARCH),
        ("12 March 1961", "", MARCH),
        ("  ", "", None),
    ],
)
def test_read_date_takes_the_usual_ways(text, order, day):
    assert cells.read_date(text, order) == day


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (cells.read_date, "3/12/61", "write the year with four digits"),
        (cells.read_date, "1961-02-30", "there is no such day"),
        (cells.read_date, "0061-02-03", "the year must lie between"),
        (cells.read_date, "12-Foo-1961", "names no month"),
        (cells.read_date, "yesterday", "is no date"),
        (cells.read_kilograms, "72 kg", "is no number"),
        (cells.read_kilograms, "-72", "is no number"),
        (cells.read_kilograms, "1e3", "is no number"),
        (cells.read_whole, "900.5", "must be a whole number"),
        (cells.read_sex, "other", "Write F or M"),
        (cells.read_language, "Klingon", "English or Spanish"),
        (cells.read_consent, "perhaps", "write yes or no"),
        (cells.read_allergies, "Latex allergy; Bees", "“Bees” is no allergy of the list"),
        (cells.read_risks, "Bad luck", "is no risk factor of the list"),
    ],
)
def test_cells_are_refused_in_plain_words(read, text, words):
    with pytest.raises(ValueError, match=words):
        read(text)


def test_pounds_and_inches_become_what_doses_are_computed_from():
    read = (cells.read_pounds("160"), cells.read_inches("66"), cells.read_kilograms("72,5"), cells.read_centimetres(""))
    assert read == (Decimal("72.57"), Decimal("167.6"), Decimal("72.50"), None)


def test_codes_are_known_by_code_and_by_word_and_once_each():
    assert cells.read_allergies("LATEX; Latex allergy ;IgA deficiency with anti-IgA;") == [
        "latex",
        "iga_deficiency_anti_iga",
    ]
    assert cells.read_risks("") == []


def test_words_for_sex_language_and_consent():
    assert [cells.read_sex(word) for word in ("Female", "m", "")] == ["F", "M", ""]
    assert [cells.read_language(word) for word in ("Spanish", "EN", "")] == ["es", "en", "en"]
    assert [cells.read_consent(word) for word in ("Yes", "no", "", "not asked")] == [True, False, None, None]


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["1961-03-12", "", "4/4/1961"], None),
        (["3/4/1961", "12/25/1961"], cells.MONTH_FIRST),
        (["3/4/1961", "25/12/1961"], cells.DAY_FIRST),
        (["3/4/1961"], ""),
        (["25/12/1961", "12/25/1961"], ""),
    ],
)
def test_the_sheet_tells_the_order_of_its_dates_or_somebody_must(texts, order):
    assert cells.order_told_by(texts) == order


def test_the_apostrophe_of_spreadsheets_is_no_part_of_a_cell():
    assert [cells.plain_text(text) for text in ("'+1 212 555 0100", "O'Brien", "'Aisha")] == [
        "+1 212 555 0100",
        "O'Brien",
        "'Aisha",
    ]


NEEDED = ["MRN", "Last name", "First name", "DOB", "Sex"]


def test_headings_are_known_by_synonyms_whatever_their_case():
    names, problems = match_headings(
        ["medical_record_number", "SURNAME", "Forename", "Birth-Date", "gender", "Shoe size"]
    )
    assert (names, problems) == (["mrn", "family_name", "given_name", "date_of_birth", "sex", ""], [])


@pytest.mark.parametrize(
    ("headings", "codes"),
    [
        (NEEDED[:3], {"column-missing"}),
        ([*NEEDED, "Weight"], {"unit-missing"}),
        ([*NEEDED, "Height"], {"unit-missing"}),
        ([*NEEDED, "Phone", "Mobile"], {"column-twice"}),
    ],
)
def test_a_sheet_is_refused_for_its_headings(headings, codes):
    assert {problem.code for problem in match_headings(headings)[1]} == codes


def test_the_example_of_each_column_can_be_read():
    assert [column.name for column in COLUMNS if column.example and not column.read(column.example)] == []
