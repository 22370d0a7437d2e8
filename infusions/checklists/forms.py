"""Reads what a checklist page sends: answers that were changed on it, and the reason for an override."""

from django import forms
from django.http import QueryDict

from infusion_center.core.forms import FormMixin
from infusions.checklists.models import ChecklistItem, HoldStepKind, ItemKind
from infusions.checklists.values import Value


def posted_answer(item: ChecklistItem, data: QueryDict) -> Value:
    """What the fields of one question hold, unread."""
    return data.getlist(item.code) if item.kind == ItemKind.MULTI else data.get(item.code, "")


def changed_answers(items: list[ChecklistItem], data: QueryDict) -> list[tuple[ChecklistItem, Value]]:
    """Answers that differ from what the page showed when it was drawn (`was-<code>`).

    An answer that the person never touched must not overwrite what a colleague answered meanwhile.
    """
    changed = []
    for item in items:
        value = posted_answer(item, data)
        text = "|".join(value) if isinstance(value, list) else value.strip()
        if text and text != data.get(f"was-{item.code}", ""):
            changed.append((item, value))
    return changed


class OverrideForm(FormMixin, forms.Form):
    code = forms.CharField(widget=forms.HiddenInput, max_length=60)
    reason = forms.CharField(
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Who decided, and why it is safe. Kept for ever.",
    )


class HoldStepForm(FormMixin, forms.Form):
    """One step about a check that did not pass; each button of the page sends its kind and what belongs to it."""

    kind = forms.ChoiceField(choices=HoldStepKind.choices)
    amount_ml = forms.IntegerField(required=False, min_value=1, max_value=9999)
    recheck_minutes = forms.IntegerField(required=False, min_value=1, max_value=9999)
    note = forms.CharField(required=False, max_length=200)
