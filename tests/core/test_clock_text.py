"""Instants and days as pages send them."""

import datetime as dt

import pytest
from django import forms

from infusion_center.core import clock
from infusion_center.core.forms import FormMixin


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-03T09:00:00-0500", dt.datetime(2026, 3, 3, 14, tzinfo=dt.UTC)),
        ("2026-03-03T14:00:00+00:00", dt.datetime(2026, 3, 3, 14, tzinfo=dt.UTC)),
        ("2026-03-03T14:00:00", None),
        ("2026-02-30T14:00:00+00:00", None),
        ("0001-01-01T00:00:00+0000", None),
        ("9999-12-31T23:59:59+0000", None),
        ("2026-03-03", None),
        ("", None),
        ("soon", None),
    ],
)
def test_an_instant_is_read_or_is_none(text, expected):
    assert clock.parse_instant(text) == expected


@pytest.mark.parametrize(
    ("day", "wrong"), [("1880-01-01", False), ("2199-12-31", False), ("1879-12-31", True), ("9999-12-31", True)]
)
def test_a_day_off_the_calendar_is_refused_at_its_field(day, wrong):
    class DayForm(FormMixin, forms.Form):
        day = forms.DateField()

    form = DayForm({"day": day})
    assert form.errors == ({"day": ["Choose a year between 1880 and 2199."]} if wrong else {})
