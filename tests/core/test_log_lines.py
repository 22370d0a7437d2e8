"""What a line of the log holds: words of ours, of an error its kind and place, and nothing of what was typed."""

import json
import logging
import sys

import pytest
from django_guid import clear_guid, set_guid

from infusion_center.core.log_filters import Seldom
from infusion_center.core.log_lines import JsonLines, PlainLines

MARKER = "Zzmarker"


def broken():
    try:
        raise KeyError(MARKER)
    except KeyError as error:
        raise ValueError(f"{MARKER} is no number") from error


def record(name="infusions.reminders.sending", msg="told", args=(), *, raising=None, **extra):
    exc_info = None
    if raising:
        try:
            raising()
        except Exception:
            exc_info = sys.exc_info()
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, msg, args, exc_info)
    made.__dict__.update(extra)
    return made


def as_json(made) -> dict:
    line = json.loads(JsonLines().format(made))
    assert (line.pop("time")[10], line.pop("level"), line.pop("logger")) == ("T", "ERROR", made.name)
    return line


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (record(msg="reminder %s after %d tries", args=("abc", 3)), "reminder abc after 3 tries"),
        (record(msg="away: %s", args=(OSError(MARKER),)), "away: OSError"),
        (record(msg=ValueError(MARKER)), "ValueError"),
        (record("django.db.backends", "%s took %.1f", (MARKER, 0.25)), "… took 0.2"),
        (record("allauth", "%s signed in", (MARKER,)), "… signed in"),
        (record("smtplib", "code %d", (MARKER,)), "code %d"),
        (record("django.security.DisallowedHost", f"Invalid HTTP_HOST header: {MARKER}"), "refused: DisallowedHost"),
        (
            record(
                "celery.app.trace",
                "Task %(name)s[%(id)s] %(description)s: %(exc)s",
                ({"name": "t", "id": "1", "description": "raised", "exc": MARKER},),
            ),
            "Task t[1] raised: …",
        ),
        (record(msg="asked /v/%s/", args=("a" * 40,)), "asked /v/…/"),
    ],
)
def test_words_of_ours_are_shown_and_those_of_others_are_not(made, message):
    assert as_json(made) == {"message": message}
    assert PlainLines().format(made).endswith(f" ERROR {made.name} {message}")


def test_only_listed_keys_are_written():
    made = record(route="/patients/", status=200, user="abc", q=MARKER, request=MARKER, body=MARKER)
    assert as_json(made) == {"message": "told", "route": "/patients/", "status": 200, "user": "abc"}
    assert PlainLines().format(made).endswith("told route=/patients/ status=200 user=abc")


def test_of_an_error_its_kind_and_place_are_written():
    line = as_json(record(raising=broken))
    assert (line["message"], line["error"]) == ("told", "ValueError < KeyError")
    assert [place.rpartition(" ")[2] for place in line["at"]] == ["record", "broken"]
    assert line["at"][1].startswith("tests/core/test_log_lines.py:")


def test_no_line_holds_what_was_in_an_error():
    made = record(raising=broken)
    assert MARKER not in JsonLines().format(made) + PlainLines().format(made)


def test_lines_carry_the_number_of_the_request():
    set_guid("0123456789abcdef")
    try:
        assert as_json(record())["request_id"] == "0123456789abcdef"
    finally:
        clear_guid()


def test_what_strangers_cause_is_written_once_a_minute_with_a_count():
    seconds = iter([0, 1, 2, 59, 61])
    seldom = Seldom(clock=lambda: next(seconds))
    made = [record("django.security.DisallowedHost") for _ in range(5)]
    assert [seldom.filter(one) for one in made] == [True, False, False, False, True]
    assert (getattr(made[0], "more", 0), made[4].more) == (0, 3)


def test_faults_of_ours_are_all_written():
    seldom = Seldom()
    assert all(seldom.filter(record(raising=broken)) for _ in range(3))
