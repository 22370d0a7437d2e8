"""Text of the series pages into typed values: what to plan, and the lines of a plan as they were changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from django import forms

from infusion_center.core import clock
from infusion_center.core.forms import FormMixin
from infusion_center.core.rules import Problem, blocker
from infusions.facility.models import WEEKDAYS, Setting, Site
from infusions.scheduling.forms import DATE, SeenFields
from infusions.scheduling.series_dates import MOST_LINES
from infusions.scheduling.series_lines import LineWish, SeriesLine, SeriesPlan

TIME = forms.TimeInput(attrs={"type": "time", "step": "900"}, format="%H:%M")
UNREADABLE = blocker("unreadable", "Give a day and a time.", remedy="The line is not booked until it has both.")


class SeriesForm(FormMixin, forms.Form):
    """What to plan. Lives in the URL, so a plan can be sent to a colleague."""

    count = forms.IntegerField(label="Visits", min_value=1, max_value=MOST_LINES, required=False)
    until = forms.DateField(label="Until", required=False, widget=DATE)
    weekday = forms.TypedChoiceField(
        label="Weekday", choices=[("", "As usual"), *WEEKDAYS], coerce=int, empty_value=None, required=False
    )
    time = forms.TimeField(label="Start", required=False, widget=TIME)
    first_on = forms.DateField(label="First visit about", required=False, widget=DATE)
    setting = forms.ChoiceField(label="Where", choices=Setting.choices, required=False)
    site = forms.ModelChoiceField(
        Site.objects.none(), label="Site", to_field_name="public_id", required=False, empty_label=None
    )

    def __init__(self, data, *, sites, site: Site, setting: str):
        super().__init__(data)
        self.fields["site"].queryset = sites
        self.is_valid()
        self.site = self.cleaned_data.get("site") or site
        self.setting = self.cleaned_data.get("setting") or setting

    def wishes(self) -> dict:
        """What plan_series takes."""
        asked = {name: self.cleaned_data.get(name) for name in ("count", "until", "weekday", "first_on")}
        return {
            **asked,
            "local_time": self.cleaned_data.get("time"),
            "site": self.site,
            "setting": self.setting,
        }


class LineForm(forms.Form):
    """One line of a plan. `was` and `why` come from the plan: an untouched line keeps its explanation."""

    day = forms.DateField(label="Day", widget=DATE)
    time = forms.TimeField(label="Start", widget=TIME)
    keep = forms.BooleanField(label="Book", required=False)
    was = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    why = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, data=None, *, number: int, **kwargs):
        self.number = number
        super().__init__(data, prefix=f"line-{number}", use_required_attribute=False, **kwargs)

    @classmethod
    def of(cls, line: SeriesLine) -> LineForm:
        was = f"{line.day:%Y-%m-%d}T{line.time:%H:%M}"
        initial = {"day": line.day, "time": line.time, "keep": line.is_kept, "was": was, "why": line.why}
        return cls(number=line.number, initial=initial)

    def wish(self) -> LineWish | None:
        """None where day or time cannot be read."""
        if not self.is_valid():
            return None
        typed = self.cleaned_data
        is_untouched = typed["was"] == f"{typed['day']:%Y-%m-%d}T{typed['time']:%H:%M}"
        return LineWish(self.number, typed["day"], typed["time"], typed["keep"], typed["why"] if is_untouched else "")


class ReasonForm(FormMixin, forms.Form):
    """What goes with all lines: the reason where one needs a decision, and what makes a double press harmless."""

    override_reason = forms.CharField(label="Reason", max_length=200, required=False)
    token = forms.CharField(max_length=24, required=False, widget=forms.HiddenInput)


class SeriesSheet:
    """The lines of a plan as a page shows them: each with its fields and what was found out about it."""

    def __init__(self, forms_by_number: dict[int, LineForm], data=None):
        self.forms = forms_by_number
        self.plan = SeriesPlan()
        self.data = data

    @classmethod
    def planned(cls, plan: SeriesPlan) -> SeriesSheet:
        sheet = cls({line.number: LineForm.of(line) for line in plan.lines})
        sheet.plan = plan
        return sheet

    @classmethod
    def typed(cls, data, *, zone: str) -> SeriesSheet:
        """From what a page sent; a pressed alternative takes the place of what its line had."""
        data = _with_alternative(data.copy(), zone)
        numbers = sorted({int(text) for text in data.getlist("line") if text.isdecimal()})[:MOST_LINES]
        return cls({number: LineForm(data, number=number) for number in numbers}, data)

    def wishes(self, days: Mapping[int, int] | None = None) -> list[LineWish]:
        """`days`: how many each line has, of visits that move."""
        read = [wish for form in self.forms.values() if (wish := form.wish())]
        return [replace(wish, days=days[wish.number]) for wish in read] if days else read

    def leave_out_unplaced(self) -> None:
        """As if the lines that cannot be booked had been unticked, each by hand."""
        for line in self.plan.unplaced:
            self.data.pop(f"line-{line.number}-keep", None)
            self.forms[line.number] = LineForm(self.data, number=line.number)

    def show(self, plan: SeriesPlan, refused: dict[int, list[Problem]] | None = None) -> None:
        """The plan of the wishes; lines that could not be read are shown as typed, refused ones with their reasons."""
        found = {line.number: line for line in plan.lines}
        for number, problems in (refused or {}).items():
            known = {problem.code for problem in found[number].problems}
            more = tuple(problem for problem in problems if problem.code not in known)
            found[number] = replace(found[number], problems=found[number].problems + more)
        unread = {
            number: SeriesLine(number, dt.date.min, dt.date.min, dt.time.min, problems=(UNREADABLE,))
            for number in self.forms
            if number not in found
        }
        lines = [(found | unread)[number] for number in self.forms]
        self.plan = replace(plan, lines=tuple(lines))

    @property
    def rows(self) -> list[tuple[SeriesLine, LineForm]]:
        return [(line, self.forms[line.number]) for line in self.plan.lines]


def _with_alternative(data, zone: str):
    """The button of an alternative sends "3|2026-06-10T13:15:00+00:00"."""
    number, _, instant = data.get("take", "").partition("|")
    if (taken := clock.parse_instant(instant)) is None:
        return data
    start = clock.to_local(taken, zone)
    prefix = f"line-{number}"
    data[f"{prefix}-day"], data[f"{prefix}-time"], data[f"{prefix}-keep"] = f"{start:%Y-%m-%d}", f"{start:%H:%M}", "on"
    return data


class MoveSeriesForm(FormMixin, forms.Form):
    """Where the visit is to go; what follows it goes along. Lives in the URL."""

    day = forms.DateField(label="Day", widget=DATE)
    time = forms.TimeField(label="Start", widget=TIME)

    def __init__(self, data, *, zone: str, **kwargs):
        self.zone = zone
        super().__init__(data, **kwargs)

    def clean(self):
        data = super().clean()
        if not self.errors:
            try:
                data["start"] = clock.from_local(data["day"], data["time"], self.zone)
            except clock.NonexistentTime as gap:
                self.add_error("time", f"{gap} Choose another time.")
        return data


class CancelSeriesForm(FormMixin, SeenFields):
    scope = forms.ChoiceField(choices=[("one", "one"), ("rest", "rest")])
    reason = forms.CharField(
        label="Why are they cancelled?",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Kept with each visit; the patient does not see it.",
    )
