"""Parses what is entered about sites, chairs, closures and shifts. Times are typed by the wall clock of the site."""

import datetime as dt
from zoneinfo import available_timezones

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Layout
from django import forms

from infusion_center.core import clock
from infusion_center.core.forms import FormMixin
from infusion_center.core.rules import Severity
from infusions.facility.models import MAX_RATIO, WEEKDAYS, Chair, Setting


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def time_input() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time", "class": "form-control"}, format="%H:%M")


class ReasonedMixin(FormMixin):
    """Asks for a reason only once a service said that it takes one."""

    rows: tuple = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["override_reason"] = forms.CharField(
            required=False,
            max_length=200,
            label="Reason",
            widget=forms.HiddenInput,
            help_text="Why this is done although visits are booked. It is kept.",
        )
        self.helper = FormHelper(self)
        self.helper.form_tag = False
        if self.rows:
            self.helper.layout = Layout(*self._laid_out(), "override_reason")
        if self.data.get("override_reason"):
            self.ask_reason()

    def _laid_out(self):
        for row in self.rows:
            yield Field(row) if isinstance(row, str) else Div(*row, css_class="field-row align-end")

    def ask_reason(self) -> None:
        self.fields["override_reason"].required = True
        self.fields["override_reason"].widget = forms.Textarea(attrs={"rows": 2, "maxlength": 200})

    def show_problems(self, problems):
        problems = list(problems)
        if any(problem.severity == Severity.APPROVAL for problem in problems):
            self.ask_reason()
        super().show_problems(problems)


class ConfirmForm(ReasonedMixin, forms.Form):
    """Nothing to enter but, where it takes one, the reason."""


class HoursForm(ReasonedMixin, forms.Form):
    """Opening and closing of each weekday; both empty: closed."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for weekday, name in WEEKDAYS:
            for side in ("opens", "closes"):
                self.fields[f"{side}_{weekday}"] = forms.TimeField(
                    required=False, widget=time_input(), label=f"{name} {side}"
                )

    @staticmethod
    def initial_of(site) -> dict:
        rows = site.opening_hours.all()
        return {
            f"{side}_{row.weekday}": value
            for row in rows
            for side, value in (("opens", row.opens), ("closes", row.closes))
        }

    def days(self):
        """Name of the weekday and its two fields."""
        return [(name, (self[f"opens_{weekday}"], self[f"closes_{weekday}"])) for weekday, name in WEEKDAYS]

    def clean(self):
        data = super().clean()
        for weekday, name in WEEKDAYS:
            opens, closes = data.get(f"opens_{weekday}"), data.get(f"closes_{weekday}")
            if (opens is None) != (closes is None):
                missing = "closes" if closes is None else "opens"
                if f"{missing}_{weekday}" not in self.errors:
                    self.add_error(f"{missing}_{weekday}", f"Say when {name} {missing}, or leave both empty.")
            elif opens is not None and closes <= opens:
                self.add_error(f"closes_{weekday}", f"{name} closes before it opens.")
        return data

    def hours(self) -> dict:
        data = self.cleaned_data
        return {
            weekday: (data[f"opens_{weekday}"], data[f"closes_{weekday}"]) if data[f"opens_{weekday}"] else None
            for weekday, _ in WEEKDAYS
        }


class ClosureForm(ReasonedMixin, forms.Form):
    rows = (("starts_on", "ends_on"), "reason")

    starts_on = forms.DateField(widget=date_input(), label="First closed day")
    ends_on = forms.DateField(widget=date_input(), label="Last closed day", required=False)
    reason = forms.CharField(max_length=80)

    def clean(self):
        data = super().clean()
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", "The last day lies before the first.")
        elif first and not last and "ends_on" not in self.errors:
            data["ends_on"] = first
        return data


class HolidaysForm(ReasonedMixin, forms.Form):
    days = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, label="Close on")

    def __init__(self, *args, found, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["days"].choices = [(day.isoformat(), f"{day:%a} {day.day} {day:%b}: {name}") for day, name in found]

    def clean_days(self):
        return [dt.date.fromisoformat(day) for day in self.cleaned_data["days"]]


class ChairForm(FormMixin, forms.ModelForm):
    class Meta:
        model = Chair
        fields = ["name", "kind"]
        help_texts = {"name": "As it stands on the door or the wall."}


class OutageForm(ReasonedMixin, forms.Form):
    rows = (("starts_on", "starts"), ("ends_on", "ends"), "reason")

    starts_on = forms.DateField(widget=date_input(), label="From")
    starts = forms.TimeField(widget=time_input(), label="At")
    ends_on = forms.DateField(
        widget=date_input(), label="Until", required=False, help_text="Empty: until further notice."
    )
    ends = forms.TimeField(widget=time_input(), label="At", required=False)
    reason = forms.CharField(max_length=120)

    def __init__(self, *args, site, **kwargs):
        self.site = site
        super().__init__(*args, **kwargs)

    def clean(self):
        data = super().clean()
        data["starts_at"] = self._instant("starts_on", "starts")
        data["ends_at"] = self._instant("ends_on", "ends")
        if bool(data.get("ends_on")) != (data.get("ends") is not None) and not {"ends", "ends_on"} & set(self.errors):
            self.add_error("ends" if data.get("ends_on") else "ends_on", "Give both day and time, or neither.")
        return data

    def _instant(self, day_field: str, time_field: str) -> dt.datetime | None:
        day, wall = self.cleaned_data.get(day_field), self.cleaned_data.get(time_field)
        if not day or wall is None:
            return None
        try:
            return clock.from_local(day, wall, self.site.time_zone)
        except (clock.NonexistentTime, OverflowError) as gap:
            self.add_error(time_field, str(gap))
            return None


class ShiftForm(ReasonedMixin, forms.Form):
    rows = ("nurse", "days", ("starts", "ends"), "setting", "ratio")

    nurse = forms.ModelChoiceField(queryset=None, empty_label="Choose")
    days = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    starts = forms.TimeField(widget=time_input())
    ends = forms.TimeField(widget=time_input(), help_text="Not after the start: the next day.")
    setting = forms.ChoiceField(choices=Setting, widget=forms.RadioSelect, label="Where")
    ratio = forms.IntegerField(
        min_value=1, max_value=MAX_RATIO, required=False, label="Patients at once", help_text="At home always one."
    )

    def __init__(self, *args, nurses, week_days, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["nurse"].queryset = nurses
        self.fields["days"].choices = [(day.isoformat(), f"{day:%a} {day.day} {day:%b}") for day in week_days]

    def clean_days(self):
        return [dt.date.fromisoformat(day) for day in self.cleaned_data["days"]]


class NurseForm(ReasonedMixin, forms.Form):
    user = forms.ModelChoiceField(queryset=None, empty_label="Choose", label="Member of staff")
    visits_homes = forms.BooleanField(required=False, label="Visits patients at home")

    def __init__(self, *args, users, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = users


class NurseEditForm(ReasonedMixin, forms.Form):
    visits_homes = forms.BooleanField(required=False, label="Visits patients at home")
    is_active = forms.BooleanField(required=False, label="Infuses here")


class MemberForm(FormMixin, forms.Form):
    user = forms.ModelChoiceField(queryset=None, empty_label="Choose", label="Member of staff")

    def __init__(self, *args, users, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = users


TIME_ZONES = [(name, name.replace("_", " ")) for name in sorted(available_timezones()) if "/" in name or name == "UTC"]
