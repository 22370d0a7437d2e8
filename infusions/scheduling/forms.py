"""Text of the scheduling pages into typed values. Whether a visit fits is asked by the rules, not here."""

import datetime as dt
import secrets

from django import forms

from infusion_center.core import clock
from infusion_center.core.forms import FormMixin
from infusions.facility.models import Chair, Nurse, Setting, Site

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class SlotFilterForm(FormMixin, forms.Form):
    """Lives in the URL; what makes no sense is left out instead of refused."""

    setting = forms.ChoiceField(label="Where", choices=Setting.choices, required=False)
    site = forms.ModelChoiceField(
        Site.objects.none(), label="Site", to_field_name="public_id", required=False, empty_label=None
    )

    def __init__(self, data, *, sites, site, setting):
        super().__init__(data, initial={"setting": setting, "site": site.public_id})
        self.fields["site"].queryset = sites
        # "from" is a word of the language, so these two are no attributes.
        self.fields["from"] = forms.DateField(label="From", required=False, widget=DATE)
        self.fields["to"] = forms.DateField(label="To", required=False, widget=DATE)
        self.is_valid()
        self.site = self.cleaned_data.get("site") or site
        self.setting = self.cleaned_data.get("setting") or setting

    @property
    def days(self) -> dict:
        """What find_slots takes."""
        return {"earliest": self.cleaned_data.get("from"), "latest": self.cleaned_data.get("to")}


class StartForm(FormMixin, forms.Form):
    """One start, typed as day and time or carried by a button as an instant, and who and what it should get."""

    start = forms.DateTimeField(required=False, widget=forms.HiddenInput, input_formats=["%Y-%m-%dT%H:%M:%S%z"])
    day = forms.DateField(label="Day", widget=DATE)
    time = forms.TimeField(
        label="Start",
        widget=forms.TimeInput(attrs={"type": "time", "step": "900"}, format="%H:%M"),
        help_text="On the quarter-hour.",
    )
    chair = forms.ModelChoiceField(
        Chair.objects.none(), to_field_name="public_id", required=False, empty_label="Any free chair"
    )
    nurse = forms.ModelChoiceField(
        Nurse.objects.none(), to_field_name="public_id", required=False, empty_label="Any free nurse"
    )
    override_reason = forms.CharField(
        label="Reason",
        max_length=200,
        required=False,
        help_text="Only where something needs a decision, such as a visit earlier than the interval. It is kept.",
    )

    def __init__(self, data=None, *, site, at_home, **kwargs):
        super().__init__(_with_typed_start(data, site) if data else data, **kwargs)
        self.site = site
        self.fields["nurse"].queryset = (
            Nurse.objects.filter(is_active=True, user__site_memberships__site=site)
            .select_related("user")
            .order_by("user__full_name")
        )
        if at_home:
            del self.fields["chair"]
        else:
            self.fields["chair"].queryset = Chair.objects.filter(site=site, is_active=True)

    def clean(self):
        data = super().clean()
        if data.get("start") or self.errors:
            return data
        try:
            data["start"] = clock.from_local(data["day"], data["time"], self.site.time_zone)
        except clock.NonexistentTime as gap:
            self.add_error("time", f"{gap} Choose another time.")
        return data

    def wishes(self) -> dict:
        """What book_appointment and move_appointment take besides the visit itself."""
        chosen = {name: self.cleaned_data.get(name) for name in ("chair", "nurse")}
        return {
            "start": self.cleaned_data["start"].astimezone(dt.UTC),
            "override_reason": self.cleaned_data["override_reason"],
            **chosen,
        }


def _with_typed_start(data, site):
    """A start that came from a button is shown as if it had been typed, so that nothing is lost when it is refused."""
    start = clock.parse_instant(data.get("start", ""))
    if start is None or data.get("day"):
        return data
    local = clock.to_local(start, site.time_zone)
    data = data.copy()
    data["day"], data["time"] = f"{local:%Y-%m-%d}", f"{local:%H:%M}"
    return data


class BookForm(StartForm):
    """`token` makes that the form, sent twice, books once."""

    setting = forms.ChoiceField(choices=Setting.choices, widget=forms.HiddenInput)
    token = forms.CharField(max_length=40, widget=forms.HiddenInput)

    @staticmethod
    def new_token() -> str:
        return secrets.token_urlsafe(16)


class SeenFields(forms.Form):
    """How the person saw the visit: its version, and the last change of any kind (see meanwhile)."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def look_again(self, version: int, seen: int) -> None:
        """He was told what changed: the form that comes back, with all he typed, knows of it."""
        self.data = self.data.copy()
        self.data["version"], self.data["seen"] = str(version), str(seen)

    def as_seen(self) -> dict:
        return {name: self.cleaned_data[name] for name in ("version", "seen")}


class MoveForm(SeenFields, StartForm):
    """The start that a booked visit is moved to."""


class CancelForm(FormMixin, SeenFields):
    reason = forms.CharField(
        label="Why is it cancelled?",
        max_length=200,
        widget=forms.TextInput(attrs={"list": "cancel-reasons", "autocomplete": "off"}),
        help_text="Kept with the visit; the patient does not see it.",
    )
