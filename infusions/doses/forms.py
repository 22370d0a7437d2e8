"""What is typed at the chair: text in, values out; what they mean is for the rules."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from infusion_center.core.forms import FormMixin
from infusions.doses.running_rules import PLAUSIBLE
from infusions.formulary.models import Product
from infusions.formulary.queries import vial_sizes_g
from infusions.stock.fields import ExpiryField


def number_input(**attrs) -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", **attrs})


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
    out_of_fridge_on = forms.DateField(
        label="Out of the refrigerator since",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        sizes = sorted(vial_sizes_g(self.record.product), reverse=True)
        self.fields["grams"].choices = [(f"{size:f}", f"{size:f} g") for size in sizes]
        for name in ("lot", "expires_on", "serial"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        if self.record.product.room_temperature_days is None:
            del self.fields["out_of_fridge_on"]


class SecondCheckForm(RecordForm):
    """`person` is chosen among those at a shared tablet today; empty: somebody else, by email and password."""

    person = forms.CharField(required=False)
    email = forms.EmailField(
        label="Second person's email",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Say who checks."},
    )
    password = forms.CharField(
        label="Second person's password", widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].required = not self.data.get("person")
        if self.data.get("person"):
            self.fields["password"].label = "Second person's PIN"


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


def own_password() -> forms.CharField:
    typed = forms.PasswordInput(attrs={"autocomplete": "current-password"})
    return forms.CharField(label="Your own password", widget=typed)


class SignForm(RecordForm):
    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    password = own_password()


class AmendForm(RecordForm):
    concerns = forms.CharField(label="Which part of the record", max_length=80)
    text = forms.CharField(label="What is added or put right", widget=forms.Textarea(attrs={"rows": 3}))
    reason = forms.CharField(max_length=200)
    password = own_password()
