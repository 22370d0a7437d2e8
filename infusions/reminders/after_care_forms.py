"""What the patient taps after the visit, and what the nurse says of a call."""

from django import forms

from infusion_center.core.forms import FormMixin
from infusions.reminders.after_care import LONGEST_COMMENT, LONGEST_NOTE, NO, QUESTIONS, TO_BE_ANSWERED, YES
from infusions.reminders.after_care_models import CallOutcome


class AfterVisitForm(forms.Form):
    comment = forms.CharField(required=False, max_length=LONGEST_COMMENT)
    wants_call = forms.BooleanField(required=False)
    rest = forms.BooleanField(required=False)  # all that was left open is a no

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.left_open: set[str] = set()
        for code in QUESTIONS:
            self.fields[code] = forms.ChoiceField(choices=[(YES, ""), (NO, "")], required=False)

    def report(self) -> dict:
        told = self.cleaned_data
        values = {code: told[code] for code in QUESTIONS if told[code]}
        if told["rest"]:
            values = dict.fromkeys(TO_BE_ANSWERED, NO) | values
        return {"values": values, "comment": told["comment"], "wants_call": told["wants_call"]}


class AfterCareCallForm(FormMixin, forms.Form):
    upto = forms.CharField(widget=forms.HiddenInput)  # the newest report that whoever called had before her
    outcome = forms.ChoiceField(label="What came of the call?", choices=CallOutcome.choices, widget=forms.RadioSelect)
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What was said and agreed; if passed on, to whom.",
    )
