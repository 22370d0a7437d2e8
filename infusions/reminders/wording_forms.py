"""What a manager types instead of the shipped words of a mail."""

from django import forms

from infusion_center.core.forms import FormMixin
from infusions.reminders.own_words import PLACEHOLDERS, OwnWords, wording_problems
from infusions.reminders.wording_models import MailWording

SINGLE_LINES = ("subject", "opening")


class WordingForm(FormMixin, forms.ModelForm):
    """`instance` is only a holder of what was typed; services write."""

    class Meta:
        model = MailWording
        fields = ["subject", "opening", "note"]
        labels = {"opening": "First sentence", "note": "A paragraph of your own"}
        widgets = {
            "opening": forms.Textarea(attrs={"rows": 2}),
            "note": forms.Textarea(attrs={"rows": 5}),
        }

    def __init__(self, *args, shipped, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper.disable_csrf = True  # the page's form holds it, before the fields
        hints = {
            "subject": f"Now: {shipped.subject}. No name here: it stands on locked screens.",
            "opening": "Comes after the greeting, instead of the standard sentence.",
            "note": "Comes after the day and place. Empty lines begin a new paragraph.",
        }
        for name, field in self.fields.items():
            field.help_text = f"{hints[name]} Possible: {' '.join(f'{{{one}}}' for one in PLACEHOLDERS[name])}"

    def clean(self):
        data = super().clean()
        for name in SINGLE_LINES:
            if data.get(name):
                data[name] = " ".join(data[name].split())
        if data.get("note"):
            data["note"] = data["note"].replace("\r\n", "\n")
        return data

    def words(self) -> OwnWords:
        """As typed and cleaned; what cannot be is left out."""
        return OwnWords(**{name: self.cleaned_data.get(name, "") for name in self.Meta.fields})

    def is_fit(self) -> bool:
        """Valid, and nothing that a service would refuse: else both stand beside their fields."""
        if self.is_valid():
            self.show_problems(wording_problems(self.words()))
        return not self.errors
