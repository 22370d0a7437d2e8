"""Forms of shared tablets and of the own PIN."""

from django import forms

from infusion_center.accounts.pins import DIGITS
from infusion_center.core.forms import FormMixin


def pin_field(label, **kwargs):
    attrs = {"inputmode": "numeric", "autocomplete": "off", "maxlength": DIGITS, "class": "narrow"}
    return forms.CharField(label=label, max_length=DIGITS, widget=forms.PasswordInput(attrs=attrs), **kwargs)


class PinForm(FormMixin, forms.Form):
    password = forms.CharField(
        label="Your password", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    pin = pin_field("New PIN", help_text="Six digits; no runs or repeats, such as 123456 or 121212.")
    again = pin_field("New PIN again")

    def clean(self):
        data = super().clean()
        if data.get("pin") and data.get("again") and data["pin"] != data["again"]:
            self.add_error("again", "The two PINs differ.")
        return data


class TabletForm(FormMixin, forms.Form):
    name = forms.CharField(
        label="Name of the tablet", max_length=60, help_text="As people call it, such as Tablet 2 or Bay window."
    )
