"""What is typed at the chair: text in, values out; what they mean is for the rules."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from decimal import Decimal

from django import forms

from infusion_center.core import clock
from infusion_center.core.forms import FormMixin
from infusions.doses.reaction_models import ReactionKind
from infusions.doses.running_rules import PLAUSIBLE
from infusions.formulary.models import Product
from infusions.formulary.queries import vial_sizes_g

ISO = re.compile(r"^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?$")
SLASHES = re.compile(r"^(\d{1,2})/(?:(\d{1,2})/)?(\d{4})$")
WORDS = ("%d-%b-%Y", "%d %b %Y", "%b %Y", "%b-%Y")
GRADES = [
    (1, "1 mild: slow to the last tolerated rate"),
    (2, "2 moderate: pauses now; restart at half or less, by order"),
    (3, "3 severe: stops for good, holds the order"),
    (4, "4 life-threatening: stops for good, call 911"),
    (5, "5 death"),
]
ACTS = [
    "Watched",
    "Slowed",
    "Paused",
    "Stopped",
    "Fluids",
    "Acetaminophen",
    "Antihistamine",
    "Steroid",
    "Epinephrine",
    "Oxygen",
    "Prescriber called",
    "911 called",
]
ONSETS = [(0, "Now"), (5, "5 min ago"), (10, "10 min ago"), (15, "15 min ago"), (30, "30 min ago"), (60, "1 h ago")]


def number_input(**attrs) -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", **attrs})


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


class RecordForm(FormMixin, forms.Form):
    """A form about a record; `seen` says what the page showed when it was opened."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, record=None, course=None, **kwargs):
        self.record, self.course = record, course
        # Several forms stand on one page: their fields must not share ids.
        kwargs.setdefault("auto_id", f"{type(self).__name__.removesuffix('Form').lower()}-%s")
        super().__init__(*args, **kwargs)

    def values(self) -> dict:
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}


class ConfirmForm(RecordForm):
    """A press, nothing typed."""


class ProductForm(RecordForm):
    product = forms.ModelChoiceField(Product.objects.all(), to_field_name="public_id")


class VialForm(RecordForm):
    grams = forms.TypedChoiceField(label="Vial size", coerce=Decimal, widget=forms.RadioSelect)
    count = forms.TypedChoiceField(
        label="How many", coerce=int, choices=[(n, str(n)) for n in range(1, 5)], initial=1, widget=forms.RadioSelect
    )
    lot = forms.CharField(
        max_length=30, help_text="As printed", widget=forms.TextInput(attrs={"autocapitalize": "characters"})
    )
    expires_on = ExpiryField(label="Expiry", help_text="Such as 10/31/2027 or 10/2027")
    serial = forms.CharField(max_length=30, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        sizes = sorted(vial_sizes_g(self.record.product), reverse=True)
        self.fields["grams"].choices = [(f"{size:f}", f"{size:f} g") for size in sizes]
        for name in ("lot", "expires_on", "serial"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}


class SecondCheckForm(RecordForm):
    """`person` is chosen among those at a shared tablet today; empty: somebody else, by email and password."""

    person = forms.CharField(required=False)
    email = forms.EmailField(
        label="Second person's email", required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    password = forms.CharField(
        label="Second person's password", widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("person") and not cleaned.get("email") and "email" not in self.errors:
            self.add_error("email", "Say who checks.")
        return cleaned


class RateForm(RecordForm):
    rate_ml_per_h = forms.DecimalField(
        label="New rate", min_value=Decimal("0.1"), max_digits=6, decimal_places=1, widget=number_input()
    )
    reason = forms.CharField(max_length=200, required=False, help_text="Needed ahead of the plan or after a reaction")
    units = {"rate_ml_per_h": "mL/h"}


class PauseForm(RecordForm):
    reason = forms.CharField(max_length=200, required=False)


class ResumeForm(RecordForm):
    rate_ml_per_h = forms.DecimalField(
        label="Resume at", min_value=Decimal("0.1"), max_digits=6, decimal_places=1, widget=number_input()
    )
    reason = forms.CharField(
        label="Reason, or who ordered the restart", max_length=200, required=False, help_text="Needed after grade 2"
    )
    units = {"rate_ml_per_h": "mL/h"}


class VitalSignsForm(RecordForm):
    temperature_c = forms.DecimalField(
        label="Temperature", required=False, max_digits=4, decimal_places=1, widget=number_input()
    )
    systolic = forms.IntegerField(label="Systolic", required=False)
    diastolic = forms.IntegerField(label="Diastolic", required=False)
    pulse = forms.IntegerField(label="Pulse", required=False)
    respiration = forms.IntegerField(label="Respiration", required=False)
    spo2_percent = forms.IntegerField(label="Oxygen saturation", required=False)
    units = {
        "temperature_c": "°C",
        "systolic": "mmHg",
        "diastolic": "mmHg",
        "pulse": "/min",
        "respiration": "/min",
        "spo2_percent": "%",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in PLAUSIBLE:
            attrs = {"maxlength": 5, "class": "big-number"}
            if name != "temperature_c":
                self.fields[name].widget = number_input(inputmode="numeric")
            self.fields[name].widget.attrs |= attrs


class ReactionForm(RecordForm):
    kind = forms.ChoiceField(label="What happened", choices=ReactionKind.choices, widget=forms.RadioSelect)
    grade = forms.TypedChoiceField(label="CTCAE grade", coerce=int, choices=GRADES, widget=forms.RadioSelect)
    minutes_ago = forms.TypedChoiceField(label="Began", coerce=int, choices=ONSETS, initial=0, widget=forms.RadioSelect)
    done = forms.MultipleChoiceField(
        label="What was done", choices=[(act, act) for act in ACTS], required=False, widget=forms.CheckboxSelectMultiple
    )
    action = forms.CharField(label="More about it", max_length=200, required=False)
    notes = forms.CharField(max_length=300, required=False)

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("done") and not cleaned.get("action", "").strip():
            self.add_error("done", "Say what was done.")
        return cleaned

    def values(self) -> dict:
        values = super().values()
        values["onset_at"] = clock.now() - dt.timedelta(minutes=values.pop("minutes_ago"))
        values["action"] = "; ".join(filter(None, [*values.pop("done"), values["action"].strip()]))
        return values


class EndForm(RecordForm):
    stop_reason = forms.CharField(
        label="Reason for stopping early", max_length=200, required=False, help_text="Empty when the whole dose is in"
    )


class ObservationForm(RecordForm):
    reason = forms.CharField(
        label="Reason for ending early", max_length=200, required=False, help_text="Only before the time is over"
    )


class SignForm(RecordForm):
    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    password = forms.CharField(
        label="Your own password", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class AmendForm(RecordForm):
    concerns = forms.CharField(label="Which part of the record", max_length=80)
    text = forms.CharField(label="What is added or put right", widget=forms.Textarea(attrs={"rows": 3}))
    reason = forms.CharField(max_length=200)


class LotForm(FormMixin, forms.Form):
    lot = forms.CharField(label="Lot", max_length=30, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    product = forms.ModelChoiceField(
        Product.objects.all(), to_field_name="key", required=False, empty_label="Any product"
    )
