"""Forms of the questions: typed text into the columns of one question. What makes sense is asked by the rules."""

from dataclasses import replace

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.text import slugify

from infusion_center.core.forms import FormMixin
from infusion_center.core.rules import Severity
from infusions.checklists.models import ChecklistItem, ItemKind
from infusions.checklists.template_queries import mark_of
from infusions.checklists.template_rules import LONGEST_VALUE, possible_values
from infusions.checklists.template_shapes import ALWAYS_ASKED, GATE, HOME_GATE, LIMITS_ELSEWHERE, SHAPES
from infusions.checklists.template_words import GRADED
from infusions.checklists.values import NONE, plain

EITHER, ALWAYS = "either", "always"
SPARE_CHOICES = 3
MOST_CHOICES = 30
WHERE = [("everywhere", "Everywhere"), ("facility_only", "In a chair only"), ("home_only", "At home only")]
SEVERITIES = [
    (Severity.BLOCKER.value, "Stops the infusion"),
    (Severity.APPROVAL.value, "Needs approval, with a reason"),
    (Severity.WARNING.value, "Warns"),
    (Severity.NOTE.value, "Is only noted"),
]
NUMBERS = ("lowest", "highest", "minimum", "maximum")
KIND_HINTS = {
    ItemKind.YES_NO: "Two large halves. One of the answers passes.",
    ItemKind.NUMBER: "A number with its unit, held against limits.",
    ItemKind.CHOICE: "One answer out of several.",
    ItemKind.MULTI: "Any answers out of several, or “none”.",
    ItemKind.TEXT: "A few words. Only kept, never judged.",
    ItemKind.DATE: "A day, not in the future.",
    ItemKind.TIME: "A time of day.",
}


def _number(label, *, required=False):
    return forms.DecimalField(label=label, required=required, max_digits=8, decimal_places=2, min_value=0)


class ItemForm(FormMixin, forms.Form):
    """One question of a kind that stands. `cleaned_data["fields"]` goes to the service; what is fixed is not asked."""

    text = forms.CharField(label="Question", max_length=200)
    hint = forms.CharField(max_length=300, required=False, help_text="A second line under the question.")
    section = forms.CharField(
        max_length=60,
        help_text="A name that is not there yet makes a new section, at the end.",
        widget=forms.TextInput(attrs={"list": "sections", "autocomplete": "off", "class": "medium"}),
    )
    expected = forms.ChoiceField(label="Answer that passes", choices=[("yes", "Yes"), ("no", "No"), (EITHER, "Either")])
    unit = forms.CharField(required=False, max_length=20, widget=forms.TextInput(attrs={"class": "narrow"}))
    decimal_places = forms.TypedChoiceField(label="Decimal places", coerce=int, choices=[(n, str(n)) for n in range(3)])
    lowest = _number("Lowest that can be right", required=True)
    highest = _number("Highest that can be right", required=True)
    minimum = _number("Fails below")
    maximum = _number("Fails above")
    severity = forms.ChoiceField(label="A failing answer", choices=SEVERITIES)
    problem_text = forms.CharField(label="What a failing answer means", max_length=200, required=False)
    remedy = forms.CharField(label="What to do then", max_length=300, required=False)
    where = forms.ChoiceField(label="Asked", choices=WHERE)
    first_dose_only = forms.BooleanField(label="Only before a first dose", required=False)
    condition = forms.ChoiceField(label="Waits for another answer")
    is_required = forms.BooleanField(label="An answer is needed", required=False)
    source = forms.CharField(max_length=120, required=False, help_text="Where the question or its limit comes from.")
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, item: ChecklistItem, items: list[ChecklistItem], **kwargs):
        self.item, self.kind = item, ItemKind(item.kind)
        initial = {name: getattr(item, name) for name in self.base_fields if hasattr(item, name)}
        initial |= {name: plain(initial[name]) for name in NUMBERS}
        initial |= {
            "expected": item.expected or EITHER,
            "where": "home_only" if item.home_only else "facility_only" if item.facility_only else "everywhere",
            "condition": f"{item.asked_if}|{item.asked_if_value}" if item.asked_if else ALWAYS,
            "seen": mark_of(item) if item.pk else "",
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.sections = list(dict.fromkeys(one.section for one in items))
        self.fields["condition"].choices = conditions(item, items)
        self.units = dict.fromkeys(NUMBERS, item.unit) if item.unit else {}
        self._add_choices()
        for name in self._fixed():
            del self.fields[name]

    def _fixed(self) -> set[str]:
        """Fields that do not fit the kind, or that rules hold as they are."""
        code, gone = self.item.code, set()
        if self.kind != ItemKind.NUMBER:
            gone |= {"unit", "decimal_places", *NUMBERS}
        if self.kind != ItemKind.YES_NO:
            gone |= {"expected"}
        if self.kind not in GRADED and code not in SHAPES:
            gone |= {"severity"}
        if self.kind == ItemKind.TEXT or (self.kind not in (*GRADED, ItemKind.CHOICE, ItemKind.MULTI) and not code):
            gone |= {"problem_text", "remedy"}
        if code in SHAPES:
            gone |= {"unit", "decimal_places"}
        if code in LIMITS_ELSEWHERE:
            gone |= {"minimum", "maximum"}
        if code in GATE | HOME_GATE | ALWAYS_ASKED:
            gone |= {"where", "first_dose_only", "condition", "is_required"}
        if code in GATE | HOME_GATE:
            gone |= {"severity", "expected"}
        return gone & set(self.fields)

    def _add_choices(self):
        self.choice_count = 0
        if self.kind not in (ItemKind.CHOICE, ItemKind.MULTI):
            return
        known = [choice for choice in self.item.choices if choice[0] != NONE or self.kind == ItemKind.CHOICE]
        typed = [name for name in self.data if name.startswith("label_")]  # a colleague may have removed rows since
        self.choice_count = min(max(len(known) + SPARE_CHOICES, len(typed), 4), MOST_CHOICES)
        for index in range(1, self.choice_count + 1):
            value, label, *severity = known[index - 1] if index <= len(known) else ("", "")
            self.fields[f"label_{index}"] = forms.CharField(
                label=f"Answer {index}", max_length=60, required=False, initial=label
            )
            self.fields[f"severity_{index}"] = forms.ChoiceField(
                label=f"Answer {index} when chosen",
                required=False,
                choices=[("", "Passes"), *SEVERITIES],
                initial=severity[0] if severity else "",
            )
            self.fields[f"value_{index}"] = forms.CharField(
                required=False, max_length=LONGEST_VALUE, initial=value, widget=forms.HiddenInput
            )
            for name in (f"label_{index}", f"severity_{index}"):
                kind = "form-select" if name.startswith("severity") else "form-control"
                self.fields[name].widget.attrs["class"] = kind
        if self.kind == ItemKind.MULTI:
            none = next((choice[1] for choice in self.item.choices if choice[0] == NONE), "None of these")
            self.fields["none_label"] = forms.CharField(
                label="Last answer: nothing of these", max_length=60, initial=none
            )

    @property
    def choice_rows(self):
        names = ("label", "severity", "value")
        return [[self[f"{name}_{index}"] for name in names] for index in range(1, self.choice_count + 1)]

    def see_again(self, item: ChecklistItem) -> None:
        """What a colleague saved meanwhile was shown: saving once more is meant to go over it."""
        self.data = self.data.copy()
        self.data["seen"] = mark_of(item)

    def show_problems(self, problems):
        """What is wrong with a choice stands at the first of them, with a place that is asked elsewhere."""
        at = {"choices": "label_1", "asked_if": "condition", "home_only": "where", "facility_only": "where"}
        super().show_problems([replace(problem, field=at.get(problem.field, problem.field)) for problem in problems])

    def clean(self):
        cleaned = super().clean()
        names = [f.name for f in ChecklistItem._meta.concrete_fields if f.name in self.fields and f.name in cleaned]
        fields = {name: cleaned[name] for name in names}
        if fields.get("expected") == EITHER:
            fields["expected"] = ""
        if "where" in cleaned:
            fields |= {name: cleaned["where"] == name for name in ("home_only", "facility_only")}
        if "condition" in cleaned:
            code, _, value = ("", "", "") if cleaned["condition"] == ALWAYS else cleaned["condition"].partition("|")
            fields |= {"asked_if": code, "asked_if_value": value}
        if self.choice_count:
            fields["choices"] = self._choices(cleaned)
        if not self.item.code:
            fields["kind"] = self.kind.value
        cleaned["fields"] = fields
        return cleaned

    def _choices(self, cleaned) -> list[list[str]]:
        """In the order of the rows; an emptied one is gone, a new one gets a value made of its words."""
        choices: list[list[str]] = []
        for index in range(1, self.choice_count + 1):
            label = cleaned.get(f"label_{index}", "")
            if not label:
                continue
            value = cleaned.get(f"value_{index}") or new_value(label, [choice[0] for choice in choices])
            severity = cleaned.get(f"severity_{index}")
            choices.append([value, label, severity] if severity else [value, label])
        if self.kind == ItemKind.MULTI:
            choices.append([NONE, cleaned.get("none_label") or "None of these"])
        return choices


def new_value(label: str, taken: list[str]) -> str:
    stem = slugify(label)[: LONGEST_VALUE - 3].strip("-") or "answer"
    number = 1
    while (value := stem if number == 1 else f"{stem}-{number}") in taken or value == NONE:
        number += 1
    return value


def conditions(item: ChecklistItem, items: list[ChecklistItem]):
    """Always, or one answer of an earlier question: as groups by question, so that no pair is impossible."""
    earlier = [one for one in items if one.code != item.code and (not item.pk or one.position < item.position)]
    groups = [(ALWAYS, "No, it is always asked")]
    for one in earlier:
        answers = [(f"{one.code}|", "answered at all")]
        labels = {choice[0]: choice[1] for choice in one.choices}
        answers += [(f"{one.code}|{value}", labels.get(value, value.capitalize())) for value in possible_values(one)]
        groups.append((one.text, answers))
    now = f"{item.asked_if}|{item.asked_if_value}" if item.asked_if else ""
    if now and all(now != value for _, group in groups[1:] for value, _ in group):
        groups.append(("Not there any more", [(now, now.replace("|", ": "))]))
    return groups


class SectionForm(FormMixin, forms.Form):
    title = forms.CharField(label="Name of the section", max_length=60)


class SeenForm(FormMixin, forms.Form):
    """Carries when the draft was read; what was changed since is shown before anything is done about it."""

    seen_at = forms.CharField(widget=forms.HiddenInput)

    def clean_seen_at(self):
        try:
            seen_at = parse_datetime(self.cleaned_data["seen_at"])
        except ValueError:
            seen_at = None
        if seen_at is None or seen_at.tzinfo is None:
            raise forms.ValidationError("This page is out of date. Open it again.")
        return seen_at

    def see_again(self, draft) -> None:
        self.data = self.data.copy()
        self.data["seen_at"] = draft.updated_at.isoformat()


class PublishForm(SeenForm):
    note = forms.CharField(
        label="What changed and why",
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stands with this version for good, also beside the checks filled on it.",
    )
