"""One row of a sheet, read and checked by django-import-export, and registered like any other patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cached_property, partial

from django.core.exceptions import ValidationError
from import_export import resources, widgets
from import_export.fields import Field

from infusion_center.core.rules import Problem, RuleViolation, Severity, blocker
from patients import fact_rules, rules
from patients.facts import latest_day
from patients.import_columns import COLUMNS
from patients.models import Channel, Condition, Patient
from patients.services import register_patient, registration_problems, unsaved_patient

FACTS = ("weight_kg", "measured_on", "allergies", "other_allergy", "risks", "consented_on")
CONSENTS = {"email_consent": Channel.EMAIL, "phone_consent": Channel.PHONE}


class Draft:
    """A row on its way to a patient: its cells as attributes, and what stands against it."""

    pk = None

    def __init__(self, **defaults):
        self.defaults = defaults
        self.problems: list[Problem] = []
        self.patient: Patient | None = None

    def value(self, name: str):
        return getattr(self, name, None)

    def fields(self) -> dict:
        """The patient's own columns; an empty cell leaves the default."""
        names = {column.fills for column in COLUMNS} - set(FACTS) - set(CONSENTS)
        filled = {name: self.value(name) for name in names if self.value(name) not in (None, "")}
        return self.defaults | filled

    def facts(self) -> dict:
        found = {name: self.value(name) for name in FACTS if self.value(name) not in (None, "")}
        return found | {"consents": self.consents()}

    def consents(self) -> dict[str, bool | None]:
        return {channel: self.value(name) for name, channel in CONSENTS.items()}

    @cached_property
    def unsaved(self) -> Patient:
        """Made once: a telephone number takes a millisecond to read."""
        return unsaved_patient(**self.fields())


class Cell(widgets.Widget):
    """Reads one cell; its reader refuses in plain words."""

    def __init__(self, read):
        super().__init__()
        self.read = read

    def clean(self, value, row=None, **kwargs):
        return self.read(value or "")


class PatientResource(resources.Resource):
    """`others_of` answers who may be the same person, where many rows are checked at once."""

    class Meta:
        model = Patient
        import_id_fields = ()
        force_init_instance = True
        skip_diff = True
        use_transactions = False

    def __init__(self, *, date_order: str, defaults: Mapping, now: dt.datetime, others_of=None):
        super().__init__()
        self.defaults, self.now, self.others_of = defaults, now, others_of
        self.draft: Draft | None = None
        self.by, self.must_ask, self.more = None, lambda problems: False, {}
        for column in COLUMNS:
            read = partial(column.read, order=date_order) if column.is_date else column.read
            self.fields[column.name] = Field(column_name=column.name, attribute=column.fills, widget=Cell(read))

    def check(self, values: Mapping[str, str], line: int) -> Draft:
        """What would happen; nothing is written."""
        self.import_row(dict(values), None, dry_run=True, row_number=line)
        return self.draft

    def register(self, values: Mapping[str, str], line: int, *, by, must_ask: Callable, **more) -> Draft:
        """Register the row. The draft's `patient` is empty when something stood against it.

        `must_ask` says of the problems as they are now whether one is new to who chose the row.
        """
        self.by, self.must_ask, self.more = by, must_ask, more
        result = self.import_row(dict(values), None, dry_run=False, row_number=line)
        if result.errors:
            raise result.errors[0].error
        return self.draft

    def init_instance(self, row=None):
        self.draft = Draft(**self.defaults)
        return self.draft

    def import_field(self, field, instance, row, is_m2m=False, **kwargs):
        """Of two columns for the same thing one may be filled."""
        if not row.get(field.column_name):
            return
        if hasattr(instance, field.attribute):
            raise ValueError("Two columns say this in different units. Keep one of them.")
        super().import_field(field, instance, row, is_m2m, **kwargs)

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        draft = instance
        draft.problems = [
            blocker("unreadable", " ".join(error.messages), field=name)
            for name, errors in (import_validation_errors or {}).items()
            for error in errors
        ]
        draft.problems += missing_problems(draft)
        if not draft.problems:
            patient = draft.unsaved
            draft.problems = registration_problems(
                patient,
                weight_kg=draft.value("weight_kg"),
                measured_on=draft.value("measured_on"),
                consents={channel: answer for channel, answer in draft.consents().items() if answer is not None},
                others=self.others_of(patient) if self.others_of else None,
                now=self.now,
            )
            told = {problem.code for problem in draft.problems}
            facts = fact_problems(draft, patient, latest_day(patient, self.now))
            draft.problems += [problem for code, problem in facts.items() if code not in told]
        if self.must_ask(draft.problems) or any(problem.severity == Severity.BLOCKER for problem in draft.problems):
            raise ValidationError("refused")

    def save_instance(self, instance, is_create, row, **kwargs):
        if kwargs.get("dry_run"):
            return
        accepted = {problem.code for problem in instance.problems}
        try:
            instance.patient = register_patient(
                by=self.by, accepted=accepted, now=self.now, **self.more, **instance.fields(), **instance.facts()
            )
        except RuleViolation as refused:
            instance.problems = refused.problems
            raise ValidationError("refused") from refused


def fact_problems(draft: Draft, patient: Patient, today: dt.date) -> dict[str, Problem]:
    """What recording the first facts would be refused for, by code; the weight is asked with the patient himself."""
    found, asked_on = [], draft.value("consented_on") or today
    for code in draft.value("allergies") or ():
        found += fact_rules.allergy_problems(code, "", frozenset())
    if text := draft.value("other_allergy"):
        found += fact_rules.allergy_problems(Condition.OTHER, text, frozenset())
    for code in draft.value("risks") or ():
        found += fact_rules.risk_problems(code, frozenset())
    ways = {"email": patient.email, "phone": str(patient.phone)}
    for channel, answer in draft.consents().items():
        found += rules.decision_problems(channel, bool(answer), decided_on=asked_on, today=today, **ways)
    return {problem.code: problem for problem in found}


def missing_problems(draft: Draft) -> list[Problem]:
    """Cells that may not be empty, and cells that contradict each other."""
    told = {problem.field for problem in draft.problems}
    problems = [
        blocker("cell-missing", "This may not be empty.", field=column.fills)
        for column in COLUMNS
        if column.is_needed and not draft.value(column.fills) and column.fills not in told
    ]
    if draft.value("weight_kg") and not draft.value("measured_on") and "measured_on" not in told:
        problems.append(blocker("weight-undated", "Say when the patient was weighed.", field="measured_on"))
    if draft.value("measured_on") and not draft.value("weight_kg") and "weight_kg" not in told:
        problems.append(blocker("weight-missing", "There is a day of weighing and no weight.", field="weight_kg"))
    return problems
