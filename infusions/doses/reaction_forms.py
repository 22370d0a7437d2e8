"""What is typed about reactions: at the chair, and when one is learned of later."""

import datetime as dt

from django import forms

from infusion_center.core import clock
from infusion_center.core.forms import FormMixin
from infusions.doses.forms import RecordForm
from infusions.doses.reaction_kinds import SIGNS, grouped_choices
from infusions.doses.reaction_models import ReactionKind, ReactionStepKind

# Plain words for CTCAE v5, then what follows. Source: fact sheet 5, grading and reaction -> app.
GRADE_WORDS = {
    1: ("Mild", "bothers little, the infusion goes on", "slow to the last tolerated rate"),
    2: ("Moderate", "needs a pause and treatment, settles soon", "pauses now; restart at half or less, by order"),
    3: ("Severe", "lasts or comes back, may need a hospital", "stops for good, holds every order, call the prescriber"),
    4: ("Life-threatening", "needs help at once", "stops for good; epinephrine if anaphylaxis, call 911"),
    5: ("Death", "", "stops for good; call 911 and the prescriber"),
}
GRADES = [(grade, f"{grade} {words[0].lower()}: {words[2]}") for grade, words in GRADE_WORDS.items()]
LATE_GRADES = [
    (grade, f"{grade} {name.lower()}" + (": holds every order" if grade > 2 else ""))
    for grade, (name, *_) in GRADE_WORDS.items()
]
CALLED = {"Prescriber called": ReactionStepKind.PRESCRIBER_CALLED, "911 called": ReactionStepKind.EMERGENCY_CALLED}
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
    *CALLED,
]
ONSETS = [(0, "Now"), (5, "5 min ago"), (10, "10 min ago"), (15, "15 min ago"), (30, "30 min ago"), (60, "1 h ago")]


class ReactionForm(RecordForm):
    kind = forms.ChoiceField(label="What happened", choices=grouped_choices, widget=forms.RadioSelect)
    grade = forms.TypedChoiceField(label="CTCAE grade", coerce=int, choices=GRADES, widget=forms.RadioSelect)
    minutes_ago = forms.TypedChoiceField(label="Began", coerce=int, choices=ONSETS, initial=0, widget=forms.RadioSelect)
    lots = forms.MultipleChoiceField(
        label="Which lot ran", required=False, widget=forms.CheckboxSelectMultiple, help_text="None ticked: all of them"
    )
    done = forms.MultipleChoiceField(
        label="What was done", choices=[(act, act) for act in ACTS], required=False, widget=forms.CheckboxSelectMultiple
    )
    action = forms.CharField(label="More about it", max_length=200, required=False)
    notes = forms.CharField(max_length=300, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        lots = dict.fromkeys(vial.lot for vial in self.record.vials.all())
        self.fields["lots"].choices = [(lot, lot) for lot in lots]

    def kind_groups(self) -> list[tuple[str, list]]:
        """The tiles by group: (group, [(tile, signs to look for)])."""
        tiles = {tile.data["value"]: tile for tile in self["kind"]}
        return [
            (group, [(tiles[value], SIGNS[ReactionKind(value)]) for value, _ in choices])
            for group, choices in grouped_choices()
        ]

    def grade_tiles(self) -> list[tuple]:
        return [(tile, *GRADE_WORDS[int(tile.data["value"])]) for tile in self["grade"]]

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("done") and not cleaned.get("action", "").strip():
            self.add_error("done", "Say what was done.")
        return cleaned

    def values(self) -> dict:
        values = super().values()
        values["onset_at"] = clock.now() - dt.timedelta(minutes=values.pop("minutes_ago"))
        done = values.pop("done")
        values["called"] = [step for act, step in CALLED.items() if act in done]
        values["action"] = "; ".join(filter(None, [*done, values["action"].strip()]))
        return values


class LateReactionForm(FormMixin, forms.Form):
    """Told of after signing; which infusion it belongs to is chosen among the signed ones."""

    record = forms.ModelChoiceField(None, label="After which infusion", to_field_name="public_id", empty_label=None)
    kind = forms.ChoiceField(label="What happened", choices=lambda: [("", "Choose"), *grouped_choices()])
    grade = forms.TypedChoiceField(label="CTCAE grade", coerce=int, choices=[("", "Choose"), *LATE_GRADES])
    onset_on = forms.DateField(label="Began on", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    learned_from = forms.CharField(
        label="Learned from", max_length=120, help_text="Such as: the patient by phone, a letter of the hospital"
    )
    action = forms.CharField(label="What was done", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    notes = forms.CharField(max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args, records, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["record"]
        field.queryset = records
        field.label_from_instance = _infusion_words


def _infusion_words(record) -> str:
    given_on = clock.local_date(record.started_at, record.appointment.site.time_zone)
    return f"{given_on:%d-%b-%Y}, {record.product}"
