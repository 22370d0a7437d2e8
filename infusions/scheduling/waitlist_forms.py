"""Text of the waitlist pages into typed values. Whether an order may wait is asked by the rules, not here."""

import datetime as dt

from django import forms

from infusion_center.core.forms import FormMixin
from infusions.facility.models import WEEKDAYS, Setting, Site
from infusions.scheduling.forms import DATE
from infusions.scheduling.models import Appointment, WaitlistEntry

WALL = forms.TimeInput(attrs={"type": "time", "step": "900"}, format="%H:%M")
FIELDS = (
    *("instead_of", "setting", "site", "first_on", "last_on", "weekdays", "earliest", "latest"),
    *("notice_hours", "note"),
)


class VisitChoice(forms.ModelChoiceField):
    def label_from_instance(self, visit: Appointment) -> str:
        local = dt.datetime.fromisoformat(visit.local_start)
        return f"{local:%a} {local.day} {local:%b %Y} at {local:%H:%M}, {visit.site.name}"


class EntryForm(FormMixin, forms.Form):
    """When the patient could come, and whether a booked visit would move there."""

    units = {"notice_hours": "h"}

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    instead_of = VisitChoice(
        Appointment.objects.none(),
        label="Instead of a booked visit",
        to_field_name="public_id",
        required=False,
        empty_label="None: one more visit",
        help_text="A visit that would come earlier stays booked until the new time is taken.",
    )
    setting = forms.ChoiceField(label="Where", choices=Setting.choices)
    site = forms.ModelChoiceField(Site.objects.none(), label="Site", to_field_name="public_id", empty_label=None)
    first_on = forms.DateField(label="From", widget=DATE)
    last_on = forms.DateField(label="To", widget=DATE)
    weekdays = forms.TypedMultipleChoiceField(
        label="Only on",
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: any day.",
    )
    earliest = forms.TimeField(label="Start not before", required=False, widget=WALL)
    latest = forms.TimeField(label="Start not after", required=False, widget=WALL)
    notice_hours = forms.IntegerField(
        label="Notice needed",
        min_value=0,
        max_value=24 * 14,
        help_text="Hours between being asked and the start.",
    )
    note = forms.CharField(
        label="Note", max_length=200, required=False, help_text="For the desk; the patient does not see it."
    )

    def __init__(self, data=None, *, sites, visits, **kwargs):
        super().__init__(data, **kwargs)
        self.fields["site"].queryset = sites
        self.fields["instead_of"].queryset = visits
        if not visits:
            self.fields["instead_of"].widget = forms.HiddenInput()

    def wishes(self) -> dict:
        """What add_to_waitlist and amend_entry take."""
        return {name: self.cleaned_data[name] for name in FIELDS}


def initial_of(entry: WaitlistEntry) -> dict:
    values = {name: getattr(entry, name) for name in FIELDS}
    visit = entry.instead_of
    return values | {
        "version": entry.version,
        "site": entry.site.public_id,
        "instead_of": visit.public_id if visit else None,
    }


class CloseEntryForm(FormMixin, forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(
        label="Why is it closed?", max_length=200, help_text="Kept with the entry; open offers are withdrawn."
    )
