"""Small forms for one dated fact each."""

from crispy_forms.layout import Div, Layout
from django import forms

from infusion_center.core.forms import FormMixin
from patients.forms import AcceptingForm, date_field
from patients.models import Channel, Condition, Risk


class WeightForm(AcceptingForm, forms.Form):
    kg = forms.DecimalField(label="Weight", max_digits=6, decimal_places=2)
    measured_on = date_field(label="Weighed on")
    units = {"kg": "kg"}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # The tick for an unusual weight is not among the fields: the page shows it beside the problem.
        self.helper.layout = Layout(Div("kg", "measured_on", css_class="field-row"))


class AllergyForm(FormMixin, forms.Form):
    code = forms.ChoiceField(label="Allergy or intolerance", choices=[("", "Choose"), *Condition.choices])
    text = forms.CharField(
        label="Details", max_length=200, required=False, help_text="What happened; needed when you choose Other."
    )


class RiskForm(FormMixin, forms.Form):
    code = forms.ChoiceField(label="Risk factor", choices=[("", "Choose"), *Risk.choices])


class ConsentForm(FormMixin, forms.Form):
    channel = forms.ChoiceField(choices=Channel.choices, widget=forms.RadioSelect)
    consents = forms.TypedChoiceField(
        label="The patient says",
        choices=[("yes", "Yes, you may"), ("no", "No, you may not")],
        coerce=lambda answer: answer == "yes",
        widget=forms.RadioSelect,
    )
    decided_on = date_field(label="Asked on")


class RetractForm(FormMixin, forms.Form):
    reason = forms.CharField(max_length=200, help_text="Wrong patient, mistyped, no longer true, ...")
