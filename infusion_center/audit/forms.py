from django import forms

from infusion_center.accounts.models import User
from infusion_center.audit.presenters import GROUPS
from infusion_center.core.forms import FormMixin


class TrailFilterForm(FormMixin, forms.Form):
    """All of it stands in the URL, so that a view of the trail can be kept as a bookmark."""

    person = forms.ModelChoiceField(
        label="Person",
        queryset=User.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label="Anybody",
    )
    mrn = forms.CharField(label="Patient (MRN)", required=False, max_length=20)
    action = forms.ChoiceField(label="About", required=False, choices=[("", "Everything"), *GROUPS.items()])
    day = forms.DateField(label="Day", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args, reach, **kwargs):
        super().__init__(*args, **kwargs)
        self.patients = reach.patients
        self.fields["person"].queryset = reach.staff.order_by("full_name")

    def clean_mrn(self):
        mrn = self.cleaned_data["mrn"].strip()
        if mrn and not self.patients.filter(mrn__iexact=mrn).exists():
            raise forms.ValidationError("No patient of your sites has this MRN.")
        return mrn

    def patient_id(self) -> str:
        mrn = self.cleaned_data.get("mrn")
        return self.patients.get(mrn__iexact=mrn).public_id if mrn else ""
