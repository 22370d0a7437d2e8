"""Registration: the patient's own fields with all that is known on the first day."""

from crispy_forms.layout import Div
from django import forms

from patients.forms import PatientForm, date_field, section
from patients.models import RENAL_RISKS, THROMBOSIS_RISKS, Channel, Condition, Risk


def consent_field(words: str) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=words,
        choices=[("yes", "Yes"), ("no", "No"), ("", "Not asked")],
        coerce=lambda answer: answer == "yes",
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )


class RegistrationForm(PatientForm):
    """Clinical facts are asked only of those who may record them."""

    consent_email = consent_field("Email allowed?")
    consent_phone = consent_field("Calls allowed?")
    consented_on = date_field(label="Asked on", required=False)
    weight_kg = forms.DecimalField(label="First weight", max_digits=5, decimal_places=2, required=False)
    measured_on = date_field(label="Weighed on", required=False)
    allergies = forms.MultipleChoiceField(
        label="Allergies and intolerances",
        choices=[choice for choice in Condition.choices if choice[0] != Condition.OTHER],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    other_allergy = forms.CharField(
        label="Other allergy or intolerance", max_length=200, required=False, help_text="What, and what happened."
    )
    thrombosis_risks = forms.MultipleChoiceField(
        label="Thrombosis risk",
        choices=[(risk.value, risk.label) for risk in Risk if risk in THROMBOSIS_RISKS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    renal_risks = forms.MultipleChoiceField(
        label="Kidney risk",
        choices=[(risk.value, risk.label) for risk in Risk if risk in RENAL_RISKS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    is_test = forms.BooleanField(
        label="Test patient: made up, to try things",
        required=False,
        help_text="Marked on every page, and removed with all test data before real use. This cannot be changed later.",
    )
    field_names = {"kg": "weight_kg", "decided_on": "consented_on"}
    clinical_names = ("weight_kg", "measured_on", "allergies", "other_allergy", "thrombosis_risks", "renal_risks")

    def __init__(self, *args, may_record: bool, may_test: bool, today, **kwargs):
        self.may_record, self.may_test = may_record, may_test
        kwargs["initial"] = {"consented_on": today, "measured_on": today} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        if not may_record:
            for name in self.clinical_names:
                del self.fields[name]
        if not may_test:
            del self.fields["is_test"]

    def sections(self) -> list:
        return [*super().sections(), *([section("Trying it out", "is_test")] if self.may_test else [])]

    def values(self) -> dict:
        return super().values() | {"is_test": self.cleaned_data.get("is_test", False)}

    def contact(self) -> list:
        consent = Div("consent_email", "consent_phone", "consented_on", css_class="field-row choice-rows")
        return [super().contact()[0], consent, *super().contact()[1:]]

    def clinical(self) -> list:
        facts = [
            Div("weight_kg", "measured_on", css_class="field-row"),
            Div("allergies", css_class="choice-grid"),
            "other_allergy",
            Div("thrombosis_risks", css_class="choice-grid"),
            Div("renal_risks", css_class="choice-grid"),
        ]
        return [*super().clinical(), *(facts if self.may_record else [])]

    def first_facts(self) -> dict:
        """The arguments of register_patient besides the patient's own fields."""
        data = self.cleaned_data
        return {
            "consents": {Channel.EMAIL: data["consent_email"], Channel.PHONE: data["consent_phone"]},
            "consented_on": data["consented_on"],
            "weight_kg": data.get("weight_kg"),
            "measured_on": data.get("measured_on"),
            "allergies": data.get("allergies", ()),
            "other_allergy": data.get("other_allergy", ""),
            "risks": [*data.get("thrombosis_risks", ()), *data.get("renal_risks", ())],
        }
