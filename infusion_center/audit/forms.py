from django import forms

from infusion_center.accounts.models import User
from infusion_center.audit.presenters import GROUPS
from infusion_center.core.forms import FormMixin
from patients.models import Patient


class TrailFilterForm(FormMixin, forms.Form):
    """All of it stands in the URL, so that a view of the trail can be kept as a bookmark."""

    person = forms.ModelChoiceField(
        label="Person",
        queryset=User.objects.order_by("full_name"),
        to_field_name="public_id",
        required=False,
        empty_label="Anybody",
    )
    mrn = forms.CharField(label="Patient (MRN)", required=False, max_length=20)
    action = forms.ChoiceField(label="About", required=False, choices=[("", "Everything"), *GROUPS.items()])
    day = forms.DateField(label="Day", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def clean_mrn(self):
        mrn = self.cleaned_data["mrn"].strip()
        if mrn and not Patient.objects.filter(mrn__iexact=mrn).exists():
            raise forms.ValidationError("No patient has this MRN.")
        return mrn

    def patient_id(self) -> str:
        mrn = self.cleaned_data.get("mrn")
        return Patient.objects.get(mrn__iexact=mrn).public_id if mrn else ""
