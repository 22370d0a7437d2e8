"""Filters of the ledger, the reason of a resend, and the patient's answer from a mail."""

from collections.abc import Iterable

from django import forms

from infusion_center.core.forms import FormMixin
from infusions.checklists.patient_reports import INTAKE, NEW_DRUGS, glasses_ml
from infusions.checklists.values import Value
from infusions.reminders.models import Kind
from infusions.scheduling.patient_answers import Because

STATES = [("", "All"), ("waiting", "Waiting"), ("sent", "Sent"), ("skipped", "Skipped"), ("failed", "Failed")]
STATES += [("came_back", "Came back")]  # of those that were sent
PERIODS = [("recent", "Last 7 days"), ("coming", "Next 7 days")]


class ReminderFilterForm(FormMixin, forms.Form):
    """Everything comes from the address; what it does not understand is no filter."""

    when = forms.ChoiceField(choices=PERIODS, required=False, widget=forms.HiddenInput)
    state = forms.ChoiceField(choices=STATES, required=False, widget=forms.HiddenInput)
    patient = forms.CharField(required=False, max_length=14, widget=forms.HiddenInput)
    q = forms.CharField(
        label="Patient", required=False, max_length=80, widget=forms.TextInput(attrs={"placeholder": "Name or MRN"})
    )
    kind = forms.ChoiceField(label="Message", choices=[("", "All messages"), *Kind.choices], required=False)
    day = forms.DateField(label="Due on", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def chosen(self) -> dict:
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


class ResendForm(FormMixin, forms.Form):
    reason = forms.CharField(
        label="Why is it sent again?", max_length=200, help_text="For the record, such as: address was corrected."
    )


class LiftForm(FormMixin, forms.Form):
    reason = forms.CharField(
        label="Why may mail go there again?",
        max_length=200,
        help_text="For the record, such as: mailbox was full, the patient has emptied it.",
    )


class NewTimeForm(forms.Form):
    """One of the starts that the page showed, as the number of its quarter-hour."""

    start = forms.IntegerField(min_value=0, max_value=10_000_000)


class CallBackForm(forms.Form):
    message = forms.CharField(required=False, max_length=250)


class CannotComeForm(forms.Form):
    because = forms.ChoiceField(choices=Because.choices)
    message = forms.CharField(required=False, max_length=140)


MOST_GLASSES = 11  # the last choice stands for this many or more


class BeforeVisitForm(forms.Form):
    """What the patient taps before the visit, about the questions of the check that are asked that day."""

    def __init__(self, *args, codes: Iterable[str], **kwargs):
        super().__init__(*args, **kwargs)
        for code in codes:
            choices = [(str(n), "") for n in range(MOST_GLASSES + 1)] if code in INTAKE else [("yes", ""), ("no", "")]
            self.fields[code] = forms.ChoiceField(choices=choices, required=False)
        self.fields["comment"] = forms.CharField(required=False, max_length=300)

    def values(self) -> dict[str, Value]:
        """As the answers of the check hold them; what was left open is left out."""
        told = {code: text for code, text in self.cleaned_data.items() if code != "comment" and text}
        return {code: _as_answer(code, text) for code, text in told.items()}


def _as_answer(code: str, text: str) -> Value:
    if code in INTAKE:
        return glasses_ml(int(text))
    return ["none"] if code == NEW_DRUGS and text == "no" else text
