"""What the answers of the days after a visit mean: how soon somebody calls, and why."""

import itertools

import pytest

from infusion_center.core.rules import codes
from infusions.reminders.after_care import (
    GRAVITY,
    QUESTIONS,
    RULES,
    TO_BE_ANSWERED,
    answer_problems,
    assess,
    call_problems,
)
from infusions.reminders.after_care_models import Urgency
from infusions.reminders.after_care_sheet import ASKED
from infusions.reminders.emergency_numbers import emergency_number

ALONE = {
    "chest-pain": "emergency",
    "breathing": "emergency",
    "one-side": "emergency",
    "face-swelling": "emergency",
    "fainted": "emergency",
    "limb": "urgent",
    "dark-urine": "urgent",
    "little-urine": "urgent",
    "yellow-or-pale": "urgent",
    "headache": "today",
    "stiff-neck": "urgent",
    "light-hurts": "today",
    "vomiting": "today",
    "fever": "today",
    "rash": "today",
    "both-legs": "today",
    "tired": "today",
}


def yes(*said):
    return dict.fromkeys(said, "yes")


def test_each_sign_alone():
    assert {code: assess(yes(code)).urgency.value for code in QUESTIONS} == ALONE


def test_every_question_has_its_words_for_the_nurse_and_a_rule():
    assert (set(ASKED), {code for rule in RULES for code in rule.needs}) == (set(QUESTIONS), set(QUESTIONS))


@pytest.mark.parametrize(
    ("said", "urgency", "reasons"),
    [
        ((), "none", []),
        (
            ("headache", "vomiting"),
            "urgent",
            ["after-care-headache-signs", "after-care-headache", "after-care-vomiting"],
        ),
        (
            ("headache", "light-hurts"),
            "urgent",
            ["after-care-headache-signs", "after-care-headache", "after-care-light-hurts"],
        ),
        (("headache", "fever"), "urgent", ["after-care-headache-signs", "after-care-headache", "after-care-fever"]),
        (("fever", "vomiting"), "today", ["after-care-vomiting", "after-care-fever"]),
        (("limb", "breathing"), "emergency", ["after-care-breathing", "after-care-limb"]),
        (("little-urine", "both-legs"), "urgent", ["after-care-little-urine", "after-care-both-legs"]),
        (("rash", "face-swelling"), "emergency", ["after-care-face-swelling", "after-care-rash"]),
    ],
)
def test_signs_together_the_gravest_first(said, urgency, reasons):
    found = assess(yes(*said))
    assert (found.urgency.value, codes(found.reasons)) == (urgency, reasons)


def test_one_more_yes_never_makes_a_call_less_urgent():
    for first, second in itertools.combinations(QUESTIONS, 2):
        both = GRAVITY[assess(yes(first, second)).urgency]
        assert both <= min(GRAVITY[assess(yes(one)).urgency] for one in (first, second)), (first, second)


def test_words_and_a_wish_ask_for_a_call_today_and_hide_nothing_graver():
    assert (assess({}, comment="Odd").urgency, assess({}, wants_call=True).urgency) == (Urgency.TODAY, Urgency.TODAY)
    both = assess(yes("chest-pain"), comment="Odd", wants_call=True)
    reasons = ["after-care-chest-pain", "after-care-wrote", "after-care-wants-call"]
    assert (both.urgency, codes(both.reasons)) == (Urgency.EMERGENCY, reasons)


ALL_NO = dict.fromkeys(TO_BE_ANSWERED, "no")


@pytest.mark.parametrize(
    ("values", "more", "problems"),
    [
        (ALL_NO, {}, []),
        ({**ALL_NO, "rash": None}, {}, ["after-care-unreadable"]),
        ({"weather": "yes"}, {}, ["after-care-unreadable"]),
        ({}, {}, ["after-care-left-open"] * len(TO_BE_ANSWERED)),
        ({code: "no" for code in TO_BE_ANSWERED if code != "limb"}, {}, ["after-care-left-open"]),
        (yes("tired"), {}, []),  # what asks for a call is taken however much was left open
        ({}, {"wants_call": True}, []),
        ({}, {"comment": "Odd"}, []),
        (ALL_NO, {"comment": "x" * 301}, ["after-care-comment-long"]),
    ],
)
def test_only_a_full_no_is_a_no(values, more, problems):
    assert codes(answer_problems(values, **more)) == problems


@pytest.mark.parametrize(
    ("outcome", "note", "problems"),
    [
        ("reached", "", []),
        ("not_reached", "", []),
        ("passed_on", "Dr. Sample, will see her", []),
        ("passed_on", "", ["after-care-note-missing"]),
        ("", "", ["after-care-outcome-missing"]),
        ("reached", "x" * 501, ["after-care-note-long"]),
    ],
)
def test_a_call_says_what_came_of_it(outcome, note, problems):
    assert codes(call_problems(outcome, note)) == problems


def test_the_emergency_number_is_that_of_the_country_or_none():
    found = {country: emergency_number(country) for country in ("US", "ca", "GB", "ES", "DE", "JP", "")}
    assert found == {"US": "911", "ca": "911", "GB": "999", "ES": "112", "DE": "112", "JP": "", "": ""}
