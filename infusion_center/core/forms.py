"""The base of our forms: crispy layout without its own form tag, and problems of rules shown at their fields."""

import datetime as dt
from collections.abc import Iterable

from crispy_forms.helper import FormHelper

from infusion_center.core.clock import FIRST_YEAR, LAST_YEAR
from infusion_center.core.rules import Problem


class FormMixin:
    """The template writes <form>, error summary and button; crispy writes the fields (and the CSRF token)."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = FormHelper(self)
        self.helper.form_tag = False
        self.problems: list[Problem] = []

    def clean(self):
        data = super().clean()
        for name, value in list((data or {}).items()):
            if isinstance(value, dt.date) and not FIRST_YEAR <= value.year <= LAST_YEAR:
                self.add_error(name, f"Choose a year between {FIRST_YEAR} and {LAST_YEAR}.")
        return data

    def show_problems(self, problems: Iterable[Problem]) -> None:
        """Put what a service refused beside the field it concerns, else on top of the form."""
        self.problems = list(problems)
        for problem in self.problems:
            field = problem.field if problem.field in self.fields else None
            self.add_error(field, " ".join(filter(None, [problem.message, problem.remedy])))
