"""Where a visit was dropped on the board: quarter-hour and chair or nurse, and what the person saw of it."""

import datetime as dt

from django import forms

from infusion_center.core import clock
from infusion_center.core.forms import FormMixin
from infusions.facility.models import Chair, Nurse, Site

HIDDEN = forms.HiddenInput
FIRST = int(dt.datetime(2000, 1, 1, tzinfo=dt.UTC).timestamp()) // clock.QUARTER_SECONDS
LAST = int(dt.datetime(2200, 1, 1, tzinfo=dt.UTC).timestamp()) // clock.QUARTER_SECONDS


class SpotForm(FormMixin, forms.Form):
    """A quarter-hour since the epoch, which the board counts in, and a chair or a nurse of the site, or neither."""

    quarter = forms.IntegerField(min_value=FIRST, max_value=LAST, widget=HIDDEN)
    chair = forms.ModelChoiceField(Chair.objects.none(), to_field_name="public_id", required=False, widget=HIDDEN)
    nurse = forms.ModelChoiceField(Nurse.objects.none(), to_field_name="public_id", required=False, widget=HIDDEN)

    def __init__(self, data=None, *, site: Site, **kwargs):
        super().__init__(data, **kwargs)
        self.fields["chair"].queryset = Chair.objects.filter(site=site, is_active=True)
        members = Nurse.objects.filter(is_active=True, user__is_active=True, user__site_memberships__site=site)
        self.fields["nurse"].queryset = members.select_related("user")

    def spot(self) -> dict:
        """What rules.examine and move_appointment take."""
        chosen = self.cleaned_data
        return {
            "start": clock.quarter_start(chosen["quarter"]),
            "chair": chosen.get("chair"),
            "nurse": chosen.get("nurse"),
        }


class BoardMoveForm(SpotForm):
    """`version` and `seen` are those of the visit that the person saw; `view` is where he comes back to."""

    version = forms.IntegerField(required=False, widget=HIDDEN)
    seen = forms.IntegerField(required=False, widget=HIDDEN)
    view = forms.CharField(required=False, max_length=10, widget=HIDDEN)
    override_reason = forms.CharField(label="Reason", max_length=200, required=False)

    def wishes(self) -> dict:
        """What move_appointment takes besides the visit itself."""
        names = ("version", "seen", "override_reason")
        return self.spot() | {name: self.cleaned_data[name] for name in names}
