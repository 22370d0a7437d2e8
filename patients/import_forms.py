"""The upload of a sheet of patients: one file and what holds for all of its rows."""

from __future__ import annotations

import hashlib

from crispy_forms.layout import Layout
from django import forms

from infusion_center.core.forms import FormMixin
from infusion_center.core.rules import RuleViolation
from infusion_center.core.uploads import MAX_BYTES, MAX_ROWS, Sheet, read_sheet


class UploadForm(FormMixin, forms.Form):
    file = forms.FileField(
        label="Sheet",
        help_text=f"CSV or XLSX, {MAX_ROWS:,} rows and {MAX_BYTES // 1_000_000} MB. The first row names the columns.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )
    is_test = forms.BooleanField(
        label="All of them are test patients: made up, to try things",
        required=False,
        help_text="Marked on every page, and removed with all test data. This cannot be changed later.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper.layout = Layout("file", "is_test")
        self.sheet: Sheet | None = None
        self.file_hash = ""

    def clean_file(self):
        upload = self.cleaned_data["file"]
        self.file_hash = hashlib.sha256(upload.read()).hexdigest()
        upload.seek(0)
        try:
            self.sheet = read_sheet(upload)
        except RuleViolation as refused:
            raise forms.ValidationError(
                [" ".join(filter(None, [problem.message, problem.remedy])) for problem in refused.problems]
            ) from refused
        return upload


class PageChoiceForm(forms.Form):
    """What was ticked on one page of rows, and where to go from there."""

    shown = forms.CharField(required=False)
    go = forms.RegexField(r"[a-z]+:\d{1,4}", required=False)

    def lines(self) -> list[int]:
        words = self.cleaned_data["shown"].split(",")
        return [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 7]

    def chosen(self) -> list[int]:
        return [
            int(word) for word in self.data.getlist("chosen") if word.isascii() and word.isdigit() and len(word) < 7
        ]
