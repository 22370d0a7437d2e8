"""Form fields for what is printed on vials."""

from __future__ import annotations

import calendar
import datetime as dt
import re

from django import forms

ISO = re.compile(r"^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?$")
SLASHES = re.compile(r"^(\d{1,2})/(?:(\d{1,2})/)?(\d{4})$")
WORDS = ("%d-%b-%Y", "%d %b %Y", "%b %Y", "%b-%Y")


class ExpiryField(forms.CharField):
    """As printed on a vial: 2027-10-31, 10/31/2027, 31-Oct-2027; a month alone is good until its last day."""

    def clean(self, value) -> dt.date | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parsed_expiry(text)
        except ValueError:
            raise forms.ValidationError("Write it as 2027-10-31, 10/31/2027 or 10/2027.") from None


def parsed_expiry(text: str) -> dt.date:
    if match := ISO.match(text):
        return day_or_month_end(*match.groups())
    if match := SLASHES.match(text):
        month, day, year = match.groups()
        return day_or_month_end(year, month, day)
    for pattern in WORDS:
        try:
            found = dt.datetime.strptime(text, pattern).date()  # noqa: DTZ007  a day, no instant
        except ValueError:
            continue
        return found if "%d" in pattern else day_or_month_end(found.year, found.month, None)
    raise ValueError(text)


def day_or_month_end(year, month, day) -> dt.date:
    year, month = int(year), int(month)
    return dt.date(year, month, int(day) if day else calendar.monthrange(year, month)[1])
