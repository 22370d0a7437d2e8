"""What is typed about reactions at the chair."""

import datetime as dt

from django import forms

from infusion_center.core import clock
from infusions.doses.forms import RecordForm
from infusions.doses.reaction_models import ReactionKind

GRADES = [
    (1, "1 mild: slow to the last tolerated rate"),
    (2, "2 moderate: pauses now; restart at half or less, by order"),
    (3, "3 severe: stops for good, holds the order"),
    (4, "4 life-threatening: stops for good, call 911"),
    (5, "5 death"),
]
ACTS = [
    "Watched",
    "Slowed",
    "Paused",
    "Stopped",
    "Fluids",
    "Acetaminophen",
    "Antihistamine",
    "Steroid",
    "Epinephrine",
    "Oxygen",
    "Prescriber called",
    "911 called",
]
ONSETS = [(0, "Now"), (5, "5 min ago"), (10, "10 min ago"), (15, "15 min ago"), (30, "30 min ago"), (60, "1 h ago")]


class ReactionForm(RecordForm):
    kind = forms.ChoiceField(label="What happened", choices=ReactionKind.choices, widget=forms.RadioSelect)
    grade = forms.TypedChoiceField(label="CTCAE grade", coerce=int, choices=GRADES, widget=forms.RadioSelect)
    minutes_ago = forms.TypedChoiceField(label="Began", coerce=int, choices=ONSETS, initial=0, widget=forms.RadioSelect)
    done = forms.MultipleChoiceField(
        label="What was done", choices=[(act, act) for act in ACTS], required=False, widget=forms.CheckboxSelectMultiple
    )
    action = forms.CharField(label="More about it", max_length=200, required=False)
    notes = forms.CharField(max_length=300, required=False)

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("done") and not cleaned.get("action", "").strip():
            self.add_error("done", "Say what was done.")
        return cleaned

    def values(self) -> dict:
        values = super().values()
        values["onset_at"] = clock.now() - dt.timedelta(minutes=values.pop("minutes_ago"))
        values["action"] = "; ".join(filter(None, [*values.pop("done"), values["action"].strip()]))
        return values
