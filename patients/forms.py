"""The patient's own fields in sections, and amendment. Text in, typed values out; the rules are the services'."""

import json
from collections.abc import Iterable
from zoneinfo import available_timezones

from crispy_forms.layout import Div, Fieldset, Layout
from django import forms

from infusion_center.core.forms import FormMixin
from infusion_center.core.rules import Problem, Severity
from patients.models import Patient, Sex

# Problems that a person may accept after looking, and the words beside the tick.
ACCEPTABLE = {
    "possible-duplicate": "I compared the charts, or asked: this is another person. Save all the same.",
    "weight-implausible-for-age": "I checked the weight: it is right, and in kilograms. Save all the same.",
}
US_ZONES = {
    "America/New_York": "Eastern (New York)",
    "America/Chicago": "Central (Chicago)",
    "America/Denver": "Mountain (Denver)",
    "America/Phoenix": "Arizona (Phoenix)",
    "America/Los_Angeles": "Pacific (Los Angeles)",
    "America/Anchorage": "Alaska (Anchorage)",
    "Pacific/Honolulu": "Hawaii (Honolulu)",
    "America/Puerto_Rico": "Atlantic (Puerto Rico)",
}
DATE_FORMATS = ["%Y-%m-%d", "%m/%d/%Y", "%d-%b-%Y", "%d.%m.%Y"]


def date_field(**options) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(widget=widget, input_formats=DATE_FORMATS, **options)


def zone_choices() -> list:
    others = [(name, name.replace("_", " ")) for name in sorted(available_timezones()) if "/" in name]
    return [
        ("United States", list(US_ZONES.items())),
        ("Elsewhere", [choice for choice in others if choice[0] not in US_ZONES]),
    ]


class AcceptingForm(FormMixin):
    """Shows what a service refused: grave problems at their fields, what may be accepted with a tick on top."""

    field_names: dict[str, str] = {}  # fields of rules that are called otherwise here

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["accepted"] = forms.MultipleChoiceField(
            choices=list(ACCEPTABLE.items()), required=False, widget=forms.CheckboxSelectMultiple, label="Your decision"
        )
        self.helper.form_show_errors = True
        self.shows_ticks = False

    def show_problems(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        for problem in self.problems:
            if problem.severity == Severity.APPROVAL:
                continue
            field = self.field_names.get(problem.field, problem.field)
            message = " ".join(filter(None, [problem.message, problem.remedy]))
            self.add_error(field if field in self.fields else None, message)
        open_codes = dict.fromkeys(p.code for p in self.problems if p.severity == Severity.APPROVAL)
        if open_codes:
            self.shows_ticks = True
            self.fields["accepted"].required = True
            self.fields["accepted"].choices = [
                (code, ACCEPTABLE.get(code, "Save all the same.")) for code in open_codes
            ]
            if "accepted" not in self.errors:
                self.add_error("accepted", "Look at what is listed above, then tick to save all the same.")

    @property
    def panel(self) -> list[Problem]:
        """Problems worth a panel of their own: those that lead to a chart or wait for a decision."""
        return [p for p in self.problems if p.url or p.severity == Severity.APPROVAL]


class PatientForm(AcceptingForm, forms.ModelForm):
    date_of_birth = date_field()
    time_zone = forms.ChoiceField(choices=zone_choices, initial="America/New_York")
    units = {"height_cm": "cm", "fluid_restriction_ml_per_day": "mL a day", "weight_kg": "kg"}

    class Meta:
        model = Patient
        fields = [
            "family_name",
            "given_name",
            "chosen_name",
            "mrn",
            "date_of_birth",
            "sex",
            "email",
            "phone",
            "address_line",
            "city",
            "region",
            "postal_code",
            "language",
            "time_zone",
            "preferences",
            "diagnosis_code",
            "diagnosis_text",
            "height_cm",
            "blood_group",
            "fluid_restriction_ml_per_day",
        ]
        labels = {
            "chosen_name": "Goes by",
            "fluid_restriction_ml_per_day": "Fluid limit",
            "height_cm": "Height",
            "diagnosis_code": "ICD-10-CM",
            "diagnosis_text": "Diagnosis",
        }
        help_texts = {
            "chosen_name": "How to address the patient.",
            "mrn": "Letters, digits, hyphens.",
            "phone": "Area code first; + for abroad.",
            "diagnosis_code": "Such as D83.9.",
            "preferences": "Mornings only, near the window, ...",
            "fluid_restriction_ml_per_day": "Set by a prescriber.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("mrn", "postal_code", "diagnosis_code", "blood_group", "region"):
            self.fields[name].widget.attrs["class"] = "narrow"
        self.fields["sex"].choices = [("", "Choose"), *Sex.choices]
        self.fields["blood_group"].choices = [("", "Unknown"), *Patient._meta.get_field("blood_group").choices]
        for name in self.fields:
            self.fields[name].widget.attrs.setdefault("autocomplete", "off")
        self.helper.layout = Layout(*self.sections())

    def validate_unique(self):
        """A taken MRN is the service's to find: it can say whose it is."""

    def values(self) -> dict:
        return {name: self.cleaned_data[name] for name in self._meta.fields}

    def sections(self) -> list[Fieldset]:
        return [
            section(
                "Identity",
                Div("family_name", "given_name", "chosen_name", css_class="field-row"),
                Div("mrn", "date_of_birth", "sex", css_class="field-row"),
            ),
            section("Contact", *self.contact()),
            section("Clinical", *self.clinical()),
        ]

    def contact(self) -> list:
        return [
            Div("email", "phone", css_class="field-row"),
            "address_line",
            Div("city", "region", "postal_code", css_class="field-row"),
            Div("language", "time_zone", css_class="field-row"),
            "preferences",
        ]

    def clinical(self) -> list:
        return [
            Div("diagnosis_code", "diagnosis_text", css_class="field-row code-and-text"),
            Div("height_cm", "blood_group", "fluid_restriction_ml_per_day", css_class="field-row"),
        ]


def section(title: str, *parts) -> Fieldset:
    return Fieldset(title, *parts, css_class="form-section")


class AmendmentForm(PatientForm):
    """Carries the version it was made from and what it showed, so that nobody overwrites what he has not seen."""

    is_active = forms.BooleanField(label="Active: visits may be booked", required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta(PatientForm.Meta):
        fields = [*PatientForm.Meta.fields, "is_active"]

    def __init__(self, data=None, *, patient: Patient):
        initial = {"version": patient.version, **_initial(patient, self._meta.fields)}
        super().__init__(data, initial=initial)
        self.initial["seen"] = json.dumps(self._shown())

    def sections(self) -> list:
        return ["version", "seen", *super().sections(), section("State", "is_active")]

    def _shown(self) -> dict[str, str]:
        """Each field as the page shows it at first, in the very text that an untouched field sends back."""
        return {name: _as_sent(self.fields[name], self.initial.get(name)) for name in self._meta.fields}

    def catch_up(self, patient: Patient) -> None:
        """Somebody else was faster: take his values where this person typed nothing, name them where both did."""
        now = AmendmentForm(patient=patient)._shown()
        seen = _read_json(self.data.get("seen", ""))
        self.data = self.data.copy()
        for name, value in now.items():
            typed = self.data.get(name, "")
            if value in (seen.get(name), typed):
                continue
            if typed == seen.get(name):
                self.data[name] = value
            else:
                self.add_error(name, f"Meanwhile changed to “{value or 'nothing'}”. Yours is kept until you save.")
        self.data["version"] = str(patient.version)
        self.data["seen"] = json.dumps(now)


def _initial(patient: Patient, names: Iterable[str]) -> dict:
    return {name: getattr(patient, name) for name in names}


def _as_sent(field: forms.Field, value) -> str:
    if isinstance(field.widget, forms.CheckboxInput):
        return "on" if value else ""
    shown = field.widget.format_value(field.prepare_value(value))
    return "".join(shown) if isinstance(shown, list) else shown or ""


def _read_json(text: str) -> dict:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
