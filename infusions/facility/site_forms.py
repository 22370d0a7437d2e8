"""The settings of a site, grouped as its page shows them."""

from django import forms

from infusions.facility.forms import TIME_ZONES, ReasonedMixin, time_input
from infusions.facility.models import MAX_RATIO, REMINDER_DAYS, SECOND_CHECKS, Site
from infusions.facility.public_holidays import public_holidays

MOST_REMINDERS = 5
SECTIONS = (
    (
        "Name and place",
        (("name", "mail_name"), "address", ("phone", "email"), ("time_zone",), ("country", "region"), "uses_24h_clock"),
    ),
    (
        "Length of a visit",
        (
            ("preparation_minutes", "observation_minutes", "first_observation_minutes"),
            ("start_hands_minutes", "end_hands_minutes", "travel_minutes"),
            ("default_ratio",),
        ),
    ),
    ("What makes a start good", (("weight_level",), ("weight_chairs",), ("weight_wishes",), ("weight_due",))),
    (
        "Reminders and links",
        (
            ("reminder_days",),
            "sends_hydration_mail",
            "sends_after_care_mail",
            "sends_day_sheet",
            ("quiet_from", "quiet_until"),
            ("move_requests", "cancel_cutoff_hours"),
            ("offer_hours",),
        ),
    ),
    (
        "Limits that hold an infusion",
        (
            ("hydration_target_ml", "hold_temperature_c", "hold_spo2_percent"),
            ("hold_systolic_low", "hold_systolic_high"),
            ("hold_pulse_low", "hold_pulse_high"),
        ),
    ),
    (
        "At the chair",
        (
            ("second_check",),
            ("recheck_minutes", "pump_max_ml_per_h", "tablet_lock_minutes"),
            "tracks_stock",
        ),
    ),
)


def _flat(rows) -> list[str]:
    return [name for row in rows for name in ((row,) if isinstance(row, str) else row)]


class SiteForm(ReasonedMixin, forms.ModelForm):
    """`instance` is only a holder of what was typed; services write."""

    time_zone = forms.ChoiceField(choices=TIME_ZONES)
    reminder_days = forms.CharField(
        label="Days before the visit", help_text="Separated by commas: 3, 1.", max_length=30
    )
    second_check = forms.MultipleChoiceField(
        label="A second person checks",
        choices=SECOND_CHECKS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Before an infusion in a chair starts. Nothing ticked: no second person is needed.",
    )

    units = {
        **dict.fromkeys(
            (
                "preparation_minutes",
                "observation_minutes",
                "first_observation_minutes",
                "start_hands_minutes",
                "end_hands_minutes",
                "travel_minutes",
            ),
            "min",
        ),
        "default_ratio": "patients",
        "hydration_target_ml": "mL",
        "hold_temperature_c": "°C",
        "hold_spo2_percent": "%",
        "hold_systolic_low": "mmHg",
        "hold_systolic_high": "mmHg",
        "hold_pulse_low": "/min",
        "hold_pulse_high": "/min",
        "offer_hours": "h",
        "cancel_cutoff_hours": "h",
        "recheck_minutes": "min",
        "pump_max_ml_per_h": "mL/h",
        "tablet_lock_minutes": "min",
    }

    class Meta:
        model = Site
        fields = [name for _, rows in SECTIONS for name in _flat(rows)]
        widgets = {"quiet_from": time_input(), "quiet_until": time_input()}
        labels = {
            "uses_24h_clock": "Times as 14:30",
            "preparation_minutes": "Preparation",
            "observation_minutes": "Observation",
            "first_observation_minutes": "After a first dose",
            "start_hands_minutes": "Nurse's hands at the start",
            "end_hands_minutes": "Nurse's hands at the end",
            "travel_minutes": "Travel, each way",
            "default_ratio": "Patients per nurse",
            "weight_level": "A level day",
            "weight_chairs": "Whole gaps",
            "weight_wishes": "The patient's wishes",
            "weight_due": "Near the due day",
            "sends_hydration_mail": "Mail the evening before a visit",
            "sends_after_care_mail": "Mail the day after a visit",
            "sends_day_sheet": "Mail nurses their next day",
            "quiet_from": "No mail from",
            "move_requests": "A patient who cannot come may",
            "cancel_cutoff_hours": "No change by link closer than",
            "offer_hours": "A waitlist offer stands for",
            "quiet_until": "No mail until",
            "hydration_target_ml": "Fluid a day",
            "hold_temperature_c": "Temperature from",
            "hold_spo2_percent": "Oxygen below",
            "hold_systolic_low": "Systolic below",
            "hold_systolic_high": "Systolic above",
            "hold_pulse_low": "Pulse below",
            "hold_pulse_high": "Pulse above",
            "recheck_minutes": "Check again after fluids",
            "pump_max_ml_per_h": "Fastest the pumps run",
            "tablet_lock_minutes": "A tablet left alone locks after",
            "tracks_stock": "Take vials from the site's stock",
        }
        help_texts = {
            "mail_name": "What patients' mail calls the site. Nothing clinical.",
            "address": "Stands in patients' mail, as do phone and email: nothing clinical.",
            "country": "Two letters, for its public holidays.",
            "region": "State, for its own holidays.",
            "first_observation_minutes": "",
            "travel_minutes": "",
            "default_ratio": "",
            "weight_level": "Away from hours when nurses' hands and chairs are full, and not just before closing. "
            "0 leaves it out, 10 counts most; the same for the three below.",
            "weight_chairs": "Starts that leave no scraps of chair time too short for any visit.",
            "weight_wishes": "Days, hours, nurse and chair that the patient prefers, or the nurse of the last visit.",
            "weight_due": "Each day away from the due day counts against a start.",
            "sends_hydration_mail": "At 17:00 where the patient lives: what to drink, and a link to say how she is.",
            "sends_after_care_mail": "At 10:00 where the patient lives: asks how she is, tells when to call for help.",
            "sends_day_sheet": "At 18:00 before a shift: how many visits, from when to when. Names nobody.",
            "quiet_from": "In the patient's own time zone.",
            "move_requests": "By the link in the mail.",
            "cancel_cutoff_hours": "Closer to the visit the page asks the patient to call. 0: until the visit begins.",
            "offer_hours": "Never into the notice that the patient needs.",
            "recheck_minutes": "",
            "pump_max_ml_per_h": "",
            "tablet_lock_minutes": "",
            "tracks_stock": "Search for a visit then says whether the product is on hand.",
        }

    def __init__(self, *args, **kwargs):
        instance = kwargs.get("instance")
        if instance is not None:
            days = ", ".join(str(day) for day in instance.reminder_days)
            kwargs["initial"] = {"reminder_days": days} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        known = {value for value, _ in TIME_ZONES}
        if instance is not None and instance.time_zone not in known:
            self.fields["time_zone"].choices = [(instance.time_zone, instance.time_zone), *TIME_ZONES]

    def sections(self):
        """Title and rows of bound fields."""
        for title, rows in SECTIONS:
            yield title, [[self[name] for name in ((row,) if isinstance(row, str) else row)] for row in rows]

    def clean_reminder_days(self) -> list[int]:
        words = self.cleaned_data["reminder_days"].replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() and int(word) in REMINDER_DAYS for word in words):
            raise forms.ValidationError(f"Some of {', '.join(map(str, REMINDER_DAYS))}, separated by commas.")
        days = sorted({int(word) for word in words}, reverse=True)
        if len(days) > MOST_REMINDERS:
            raise forms.ValidationError(f"At most {MOST_REMINDERS} reminders.")
        return days

    def clean_default_ratio(self) -> int:
        ratio = self.cleaned_data["default_ratio"]
        if not 1 <= ratio <= MAX_RATIO:
            raise forms.ValidationError(f"One to {MAX_RATIO}.")
        return ratio

    def clean_country(self) -> str:
        return self.cleaned_data["country"].upper()

    def clean_region(self) -> str:
        return self.cleaned_data["region"].upper()

    def clean(self):
        data = super().clean()
        for low, high in (("hold_systolic_low", "hold_systolic_high"), ("hold_pulse_low", "hold_pulse_high")):
            if data.get(low) is not None and data.get(high) is not None and data[low] >= data[high]:
                self.add_error(high, "The upper limit lies below the lower one.")
        if data.get("country") and "region" in data:
            try:
                public_holidays(data["country"], data["region"], 2026)
            except ValueError as unknown:
                self.add_error("region" if data["region"] else "country", str(unknown))
        return data

    def entered(self) -> dict:
        return {name: self.cleaned_data[name] for name in (*self.Meta.fields, "override_reason")}
