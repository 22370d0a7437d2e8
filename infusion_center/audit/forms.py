from django import forms

from infusion_center.accounts.models import User
from infusion_center.audit.presenters import GROUPS
from infusion_center.audit.queries import SORTS
from infusion_center.core.forms import FormMixin

SORT_LABELS = {"date": "Date", "patient": "Patient", "user": "Person", "action": "Action"}


class TrailFilterForm(FormMixin, forms.Form):
    """Typed by post; all of it but the patient's number then stands in the URL, so that a view can be kept."""

    person = forms.ModelChoiceField(
        label="Person",
        queryset=User.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label="Anybody",
    )
    mrn = forms.CharField(label="Patient (MRN)", required=False, max_length=20)
    action = forms.ChoiceField(label="About", required=False, choices=[("", "Everything"), *GROUPS.items()])
    device = forms.CharField(label="Device", required=False, max_length=40)
    day = forms.DateField(label="Day", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    sort = forms.ChoiceField(label="Sorted by", required=False, choices=[(key, SORT_LABELS[key]) for key in SORTS])

    def __init__(self, data, *, reach):
        """`data` from an address names the patient by his public id, that of the form by his MRN."""
        self.patient, self.patients = None, reach.patients
        if data and "patient" in data:
            known = self.patients.filter(public_id=data["patient"]).first()
            data = data.copy()
            data["mrn"] = known.mrn if known else "?"
        super().__init__(data)
        self.fields["person"].queryset = reach.staff.order_by("full_name")

    def clean_mrn(self):
        mrn = self.cleaned_data["mrn"].strip()
        if mrn:
            self.patient = self.patients.filter(mrn__iexact=mrn).first()
            if self.patient is None:
                raise forms.ValidationError("No patient of your sites has this MRN.")
        return mrn

    def wanted(self) -> dict:
        """For TrailFilter."""
        values, person = self.cleaned_data, self.cleaned_data["person"]
        return {
            "actor_id": person.pk if person else None,
            "patient_id": self.patient.public_id if self.patient else "",
            **{name: values[name] for name in ("action", "device", "day")},
            "sort": values["sort"] or "date",
        }

    def query(self) -> dict:
        """For the address."""
        values = {name: value for name, value in self.cleaned_data.items() if value and name != "mrn"}
        if "person" in values:
            values["person"] = values["person"].public_id
        return values | ({"patient": self.patient.public_id} if self.patient else {})
