"""What was given besides the dose, as it is tapped and typed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django import forms

from infusion_center.core import clock
from infusions.doses.forms import RecordForm, number_input
from infusions.doses.medication_models import DoseUnit, Purpose, Route
from infusions.doses.reaction_models import Reaction

WHEN = [(0, "Now"), (5, "5 min ago"), (10, "10 min ago"), (15, "15 min ago"), (30, "30 min ago"), (60, "1 h ago")]


class MedicationForm(RecordForm):
    purpose = forms.ChoiceField(label="What for", choices=Purpose.choices, widget=forms.RadioSelect)
    name = forms.CharField(label="Medicine or fluid", max_length=80)
    dose = forms.DecimalField(min_value=Decimal("0.001"), max_digits=8, decimal_places=3, widget=number_input())
    unit = forms.ChoiceField(choices=DoseUnit.choices, initial=DoseUnit.MG, widget=forms.RadioSelect)
    route = forms.ChoiceField(label="Way", choices=Route.choices, initial=Route.ORAL, widget=forms.RadioSelect)
    minutes_ago = forms.TypedChoiceField(
        label="When", coerce=int, choices=WHEN, initial=0, required=False, empty_value=0, widget=forms.RadioSelect
    )
    time = forms.TimeField(
        label="Or at", required=False, widget=forms.TimeInput(attrs={"type": "time"}), help_text="Today, if longer ago"
    )
    reaction = forms.ModelChoiceField(
        Reaction.objects.none(), to_field_name="public_id", required=False, empty_label="No reaction"
    )
    note = forms.CharField(max_length=200, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reaction"].queryset = Reaction.objects.filter(record=self.record)
        self.fields["reaction"].label_from_instance = lambda one: f"{one.get_kind_display()}, grade {one.grade}"
        for name in ("name", "dose", "note"):
            self.fields[name].widget.attrs |= {"autocomplete": "off"}

    def clean(self):
        """`at` is the instant of the time of day typed, on the site's today; else so many minutes ago."""
        cleaned, now = super().clean(), clock.now()
        wall, zone = cleaned.pop("time", None), self.record.appointment.site.time_zone
        cleaned["at"] = now - dt.timedelta(minutes=cleaned.pop("minutes_ago", None) or 0)
        if wall is not None:
            try:
                cleaned["at"] = clock.from_local(clock.local_date(now, zone), wall, zone)
            except clock.NonexistentTime:
                self.add_error("time", "The clocks skip that time today.")
        return cleaned
