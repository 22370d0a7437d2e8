"""Forms of emergency access: name one patient exactly, say why, review."""

from crispy_forms.layout import Div, Layout
from django import forms
from django.core import signing

from infusion_center.core.forms import FormMixin
from patients.emergency_models import EmergencyReason
from patients.emergency_rules import SHORTEST_REASON
from patients.forms import date_field

FOUND_SALT = "patients.emergency.found"
FOUND_HOLDS = 600  # seconds from finding the patient to opening the chart


class FindForm(FormMixin, forms.Form):
    mrn = forms.CharField(label="MRN", max_length=20, required=False)
    family_name = forms.CharField(max_length=80, required=False)
    date_of_birth = date_field(required=False)
    given_name = forms.CharField(
        max_length=80, required=False, help_text="Only needed when several patients share name and birthday."
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper.layout = Layout(
            "mrn", Div("family_name", "date_of_birth", css_class="field-row"), Div("given_name", css_class="field-row")
        )
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def clean(self):
        data = super().clean()
        if not self.errors and not data.get("mrn") and not (data.get("family_name") and data.get("date_of_birth")):
            raise forms.ValidationError("Type the whole MRN, or family name and date of birth.")
        return data


class ReasonForm(FormMixin, forms.Form):
    kind = forms.ChoiceField(label="Reason", choices=EmergencyReason.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label="In your own words",
        min_length=SHORTEST_REASON,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What happened, and what you need to know. The managers read it.",
    )


class OpenForm(ReasonForm):
    found = forms.CharField(widget=forms.HiddenInput)
    confirmed = forms.BooleanField(label="This is the patient, and I need the chart now")

    def found_by(self, user) -> dict:
        """The patient (public id) whom this person found a moment ago, and whether by MRN; empty for anything else."""
        try:
            found = signing.loads(self["found"].value() or "", salt=FOUND_SALT, max_age=FOUND_HOLDS)
        except signing.BadSignature:
            return {}
        return found if found["user"] == user.pk else {}


def found_token(patient, user, *, by_mrn: bool) -> str:
    """Proof that this person found this patient by exact words: ids alone open nothing."""
    return signing.dumps({"patient": patient.public_id, "user": user.pk, "by_mrn": by_mrn}, salt=FOUND_SALT)


class ReviewForm(FormMixin, forms.Form):
    note = forms.CharField(
        label="What you found",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Was it an emergency, and did what was opened fit the reason?",
    )
