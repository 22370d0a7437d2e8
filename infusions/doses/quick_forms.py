"""Forms of a tap or two: a reason is a chip that sends the form, or words where no chip fits."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from infusions.doses.forms import RecordForm, VitalSignsForm


class ReasonForm(RecordForm):
    """`chip` is the reason that was tapped, `reason` what was typed; the service gets one text of both."""

    chips: tuple[str, ...] = ()
    typed_name = "reason"  # the field that is typed, and what the service calls it
    chip = forms.CharField(max_length=80, required=False, widget=forms.HiddenInput)
    reason = forms.CharField(label="Other reason", max_length=120, required=False)

    @property
    def typed(self):
        return self[self.typed_name]

    @property
    def tapped(self) -> str:
        return self["chip"].value() or ""

    def values(self) -> dict:
        values = super().values()
        chip = values.pop("chip")
        return values | {self.typed_name: "; ".join(filter(None, [chip, values[self.typed_name].strip()]))}


class StepForm(VitalSignsForm, ReasonForm):
    """The vital signs before a step, and the step."""

    chips = ("Prescriber agrees", "Usual for this patient", "Measured again: good")
    rate_ml_per_h = forms.DecimalField(
        min_value=Decimal("0.1"), max_digits=6, decimal_places=1, widget=forms.HiddenInput
    )


class StayForm(ReasonForm):
    chips = ("Watch a little longer", "Headache or flushing", "Blood pressure or pulse", "Patient's wish")


class RateForm(ReasonForm):
    chips = ("Prescriber agrees", "Usual for this patient", "Patient's wish", "Feels unwell")
    rate_ml_per_h = forms.DecimalField(
        label="Rate",
        min_value=Decimal("0.1"),
        max_digits=6,
        decimal_places=1,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    units = {"rate_ml_per_h": "mL/h"}


class PauseForm(ReasonForm):
    chips = ("Bathroom", "Line or pump", "Feels unwell", "Vital signs", "Next bottle")


class ResumeForm(ReasonForm):
    """Asked for a reason only where the restart needs an order: feeling well again is none."""

    chips = ("Prescriber ordered the restart",)
    reason = forms.CharField(label="Who ordered it", max_length=120, required=False)
    rate_ml_per_h = forms.DecimalField(
        label="Resume at",
        min_value=Decimal("0.1"),
        max_digits=6,
        decimal_places=1,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    units = {"rate_ml_per_h": "mL/h"}


class EndForm(ReasonForm):
    """Nothing to say when the whole dose is in; stopped early, a reason."""

    chips = ("Reaction", "Vital signs", "Line lost", "Patient's wish", "Prescriber's order")
    typed_name = "stop_reason"
    reason = None
    stop_reason = forms.CharField(label="Other reason", max_length=120, required=False)


class ObservationForm(ReasonForm):
    chips = ("Patient's wish", "Prescriber agrees", "Goes to another unit")
