"""Parses an order as it is typed. Whether it may be signed, rules decide."""

import datetime as dt
from decimal import Decimal

from django import forms
from django.forms.models import model_to_dict

from infusion_center.core.forms import FormMixin
from infusions.formulary.models import Indication, Product
from infusions.orders.models import InfusionOrder, WeightMethod
from infusions.orders.queries import patient_today
from infusions.orders.services import fill_in
from infusions.scheduling.order_visits import VisitsDecision
from patients import queries as patients

NEEDED_FOR_A_PLAN = ("indication", "product", "dose_mg_per_kg", "days")


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class OrderForm(FormMixin, forms.ModelForm):
    """`instance` is only a holder of what was typed; services write."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    units = {
        "dose_mg_per_kg": "mg/kg",
        "days": "days",
        "round_to_g": "g",
        "actual_weight_kg": "kg",
        "rate_weight_kg": "kg",
        "interval_days": "days",
        "tolerance_days": "days",
        "visits_authorized": "visits",
    }

    class Meta:
        model = InfusionOrder
        fields = [
            "indication",
            "product",
            "alternatives",
            "is_first_dose",
            "dose_mg_per_kg",
            "days",
            "round_to_g",
            "interval_days",
            "tolerance_days",
            "actual_weight_kg",
            "weight_measured_on",
            "weight_method",
            "rate_weight_kg",
            "prescriber_name",
            "starts_on",
            "valid_until",
            "visits_authorized",
            "authorization_number",
            "premedication",
            "home_allowed",
            "notes",
        ]
        labels = {
            "alternatives": "May be given instead",
            "dose_mg_per_kg": "Dose of the whole course",
            "days": "Split over",
            "round_to_g": "Round each day to",
            "interval_days": "Repeat every",
            "tolerance_days": "May move by",
            "actual_weight_kg": "Actual weight",
            "weight_measured_on": "Weighed on",
            "weight_method": "Dose by",
            "rate_weight_kg": "Weight for the rate",
            "prescriber_name": "Prescriber",
            "starts_on": "First day",
            "valid_until": "Last day",
            "visits_authorized": "Authorized visits",
            "authorization_number": "Authorization number",
            "home_allowed": "May be given at home",
        }
        help_texts = {
            "alternatives": "",
            "dose_mg_per_kg": "400 mg/kg, or 2000 mg/kg for 2 g/kg.",
            "days": "Consecutive days.",
            "round_to_g": "Empty: give the exact dose.",
            "tolerance_days": "Earlier or later.",
            "weight_method": "Ideal and adjusted weight are computed from sex and height.",
            "rate_weight_kg": "Empty: the dosing weight.",
            "valid_until": "Empty: a year after the first day.",
            "prescriber_name": "Who decides on this order.",
            "premedication": "What, how much, how long before.",
            "visits_authorized": "Each day of a course counts.",
            "is_first_dose": "The patient is watched for longer.",
        }
        widgets = {
            "starts_on": date_input(),
            "valid_until": date_input(),
            "weight_measured_on": date_input(),
            "alternatives": forms.CheckboxSelectMultiple,
            "weight_method": forms.RadioSelect,
            "notes": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args, patient, renewed: InfusionOrder | None = None, **kwargs):
        self.patient = patient
        if kwargs.get("instance") is None:
            kwargs["instance"] = InfusionOrder(patient=patient)
            kwargs["initial"] = (self._renewed(renewed) if renewed else {}) | self._usual(patient)
        else:
            kwargs["initial"] = {"version": kwargs["instance"].version}
        super().__init__(*args, **kwargs)
        products = Product.objects.available().order_by("name", "concentration_mg_per_ml")
        self.fields["product"].queryset = products
        self.fields["alternatives"].queryset = products
        self.fields["indication"].queryset = Indication.objects.order_by("regimen", "name")
        self.fields["indication"].empty_label = self.fields["product"].empty_label = "Choose"
        self.fields["weight_method"].choices = WeightMethod.choices
        self.fields["valid_until"].required = False  # services know the usual value
        for name, value in self.initial.items():
            if isinstance(value, Decimal):
                self.initial[name] = f"{value.normalize():f}"

    @staticmethod
    def _usual(patient) -> dict:
        weight = patients.current_weight(patient)
        return {
            "actual_weight_kg": weight.kg if weight else None,
            "weight_measured_on": weight.measured_on if weight else None,
            "starts_on": patient_today(patient),
        }

    @classmethod
    def _renewed(cls, order: InfusionOrder) -> dict:
        """What a new order takes over from an earlier one: not its dates, weight, authorization, or first dose."""
        anew = {"is_first_dose", "starts_on", "valid_until", "authorization_number"}
        anew |= {"actual_weight_kg", "weight_measured_on", "rate_weight_kg"}
        return {name: value for name, value in model_to_dict(order, cls.Meta.fields).items() if name not in anew}

    def clean(self):
        data = super().clean()
        if data.get("product") and data.get("alternatives"):
            data["alternatives"] = [product for product in data["alternatives"] if product != data["product"]]
        starts, ends = data.get("starts_on"), data.get("valid_until")
        if isinstance(starts, dt.date) and isinstance(ends, dt.date) and ends < starts:
            self.add_error("valid_until", "The last day lies before the first.")
        return data

    def entered(self) -> dict:
        """What draft_order and amend_draft take. Fields left empty are left out, so that they get the usual value."""
        left_out = {"version"} | ({"valid_until"} if self.cleaned_data.get("valid_until") is None else set())
        return {name: value for name, value in self.cleaned_data.items() if name not in left_out}

    def sketch(self) -> InfusionOrder | None:
        """The order as far as it is typed, for the preview; None while too little is there."""
        typed = {name: value for name, value in self.entered().items() if name != "alternatives"}
        if any(typed.get(name) in (None, "") for name in NEEDED_FOR_A_PLAN):
            return None
        order = InfusionOrder(patient=self.patient)
        fill_in(order, typed)
        return order if order.actual_weight_kg else None


class ReasonForm(FormMixin, forms.Form):
    reason = forms.CharField(max_length=200, widget=forms.Textarea(attrs={"rows": 2}), label="Reason")


class EndingForm(ReasonForm):
    """Why an order is held or stopped, and what becomes of the visits that it has ahead."""

    decision = forms.ChoiceField(choices=VisitsDecision.choices, required=False)
    other = forms.ModelChoiceField(
        InfusionOrder.objects.none(), label="Other order", to_field_name="public_id", required=False, empty_label=None
    )

    def __init__(self, data=None, *, visits, others, **kwargs):
        super().__init__(data, **kwargs)
        if visits:
            self.fields["other"].queryset = others
            self.fields["decision"].required = True
            self.fields["decision"].error_messages["required"] = "Say what becomes of the visits."
        else:
            del self.fields["decision"], self.fields["other"]


class SignForm(FormMixin, forms.Form):
    """`version` is the one that the signer read."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    override_reason = forms.CharField(
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Reason of the prescriber",
        help_text="Why the order is right although it needs a decision. Kept with the signature.",
    )
    read = forms.BooleanField(
        label="Dose, plan and problems are read",
        help_text="You sign on behalf of the prescriber.",
        error_messages={"required": "Tick this to sign."},
    )
