import datetime as dt

import pytest

from patients.search_text import Term, kinds_of, read_search

TODAY = dt.date(2026, 11, 23)
BIRTHDAY = Term("date", ("19610312",))


@pytest.mark.parametrize(
    "text",
    [
        "1961-03-12",
        "1961/3/12",
        "12-Mar-1961",
        "12 march 1961",
        "12mar1961",
        "March 12, 1961",
        "Mar 12th 1961",
        "03/12/1961",
        "3/12/61",
        "3-12-1961",
        "12.3.1961",
        "12.03.61",
    ],
)
def test_a_date_of_birth_is_read_in_many_manners(text):
    assert read_search(text, TODAY) == [BIRTHDAY]


def test_a_day_above_twelve_settles_the_order():
    assert read_search("25/12/1961", TODAY) == [Term("date", ("19611225",))]
    assert read_search("12.25.1961", TODAY) == [Term("date", ("19611225",))]


@pytest.mark.parametrize("text", ["31/31/1961", "1961-02-30"])
def test_an_impossible_date_is_no_date(text):
    assert "date" not in kinds_of(read_search(text, TODAY))


def test_eight_digits_are_a_number_or_a_date():
    assert read_search("03121961", TODAY) == [Term("number", ("03121961", "19610312"))]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(212) 555-0123", "2125550123"),
        ("+1 212 555 0123", "12125550123"),
        ("0123", "0123"),
        ("T-00012", "t00012"),
        ("MRN/104", "mrn104"),
    ],
)
def test_numbers_lose_their_marks(text, number):
    assert read_search(text, TODAY) == [Term("number", (number,))]


def test_names_and_dates_mix():
    terms = read_search("García-López 3/12/1961 josé", TODAY)
    assert terms == [BIRTHDAY, Term("name", ("garcia",)), Term("name", ("lopez",)), Term("name", ("jose",))]


@pytest.mark.parametrize("text", ["", "   ", "-- ' ,"])
def test_nothing_typed_is_nothing_sought(text):
    assert read_search(text, TODAY) == []
