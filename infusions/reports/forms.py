import datetime as dt

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from infusion_center.core.forms import FormMixin

# So that a typing error neither asks for decades nor for days that no clock knows.
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2099, 12, 31)
MOST_DAYS = 366
ALL_SITES = "all"
URL_NAMES = {"first_day": "from", "last_day": "to"}


class DayField(forms.DateField):
    default_error_messages = {"required": "Choose a day.", "invalid": "This is not a day, such as 2026-11-23."}
    default_validators = [
        MinValueValidator(EARLIEST, "Choose a day from 2000 on."),
        MaxValueValidator(LATEST, "Choose a day before 2100."),
    ]
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PeriodForm(FormMixin, forms.Form):
    """Which report: all of it stands in the URL, and what is missing there is filled in from `usual`."""

    first_day = DayField(label="From")
    last_day = DayField(label="To")
    site = forms.ChoiceField(label="Site", error_messages={"invalid_choice": "Choose one of your sites."})

    def __init__(self, data, *, sites, usual):
        super().__init__({**usual, **{name: data[name] for name in usual if name in data}})
        self.sites = {site.public_id: site for site in sites}
        everywhere = [(ALL_SITES, "All my sites")] if len(self.sites) > 1 else []
        self.fields["site"].choices = [(key, site.name) for key, site in self.sites.items()] + everywhere

    def add_prefix(self, field_name):
        """`from` in the URL, which Python does not allow as a name of a field."""
        return URL_NAMES.get(field_name, field_name)

    def clean_site(self):
        chosen = self.cleaned_data["site"]
        return tuple(self.sites.values()) if chosen == ALL_SITES else (self.sites[chosen],)

    def clean(self):
        first, last = self.cleaned_data.get("first_day"), self.cleaned_data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "The last day lies before the first.")
        elif first and last and (last - first).days >= MOST_DAYS:
            self.add_error("last_day", f"Choose at most {MOST_DAYS} days at once.")
        return self.cleaned_data
