"""What identifies a patient of another site: three things that only who has the patient before him knows together."""

from django import forms

from infusion_center.core.forms import FormMixin
from patients.forms import date_field


class TreatHereForm(FormMixin, forms.Form):
    mrn = forms.CharField(label="MRN", max_length=20, widget=forms.TextInput(attrs={"class": "narrow"}))
    date_of_birth = date_field(label="Date of birth")
    family_name = forms.CharField(max_length=80, help_text="As registered.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in self.fields:
            self.fields[name].widget.attrs["autocomplete"] = "off"
