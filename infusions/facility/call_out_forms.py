"""Parses who cannot come when: whole days, or from a time to a time by the clock of the site."""

from __future__ import annotations

import datetime as dt

from django import forms

from infusion_center.core import clock
from infusions.facility.forms import ReasonedMixin, date_input, time_input
from infusions.facility.queries import working_hours

# Words, not free text: the trail keeps them for ever, and why somebody is ill is nobody's business there.
REASONS = ("Ill", "Family", "On the way, late", "Other duty", "Other")


class CallOutForm(ReasonedMixin, forms.Form):
    rows = (("first_day", "last_day"), ("starts", "ends"), "reason")

    first_day = forms.DateField(widget=date_input(), label="On")
    last_day = forms.DateField(widget=date_input(), label="To", required=False, help_text="Empty: that day only.")
    starts = forms.TimeField(
        widget=time_input(), label="From", required=False, help_text="Both empty: the whole shift."
    )
    ends = forms.TimeField(widget=time_input(), label="Until", required=False)
    reason = forms.ChoiceField(choices=[(reason, reason) for reason in REASONS], label="Why")

    def __init__(self, *args, site, nurse, **kwargs):
        self.site, self.nurse = site, nurse
        super().__init__(*args, **kwargs)

    def clean(self):
        data = super().clean()
        first, last = data.get("first_day"), data.get("last_day") or data.get("first_day")
        if self.errors or first is None:
            return data
        if last < first:
            self.add_error("last_day", "The last day lies before the first.")
            return data
        if (last - first).days > 366:
            self.add_error("last_day", "At most a year at a time.")
            return data
        zone = self.site.time_zone
        start, following = clock.day_bounds(first, zone)[0], clock.day_bounds(last, zone)[1]
        # A night shift belongs to the day on which it begins.
        hours = working_hours(self.nurse, start, following) or (start, following)
        starts, ends = data.get("starts"), data.get("ends")
        ends_next_day = starts is not None and ends is not None and first == last and ends <= starts
        data["starts_at"] = self._instant(first, "starts", hours[0])
        data["ends_at"] = self._instant(last + dt.timedelta(days=ends_next_day), "ends", hours[1])
        return data

    def _instant(self, day: dt.date, field: str, otherwise: dt.datetime) -> dt.datetime:
        if self.cleaned_data.get(field) is None:
            return otherwise
        try:
            return clock.from_local(day, self.cleaned_data[field], self.site.time_zone)
        except clock.NonexistentTime as gap:
            self.add_error(field, str(gap))
            return otherwise
