"""Sheets of patients between upload and registration: in the database, for whoever uploaded them, for a day."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from infusion_center.core.models import PublicIdModel

__all__ = ["ImportRow", "ImportState", "PatientImport", "RowState"]


class ImportState(models.TextChoices):
    OPEN = "open", "Being looked at"
    RUNNING = "running", "Being registered"
    ENDED = "ended", "Ended"


class PatientImport(PublicIdModel):
    """One uploaded sheet. Its rows are erased with it."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("infusions.Site", on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(db_index=True)
    file_hash = models.CharField(max_length=64, help_text="SHA-256 of what was uploaded")
    headings = models.JSONField(help_text="heading and the column it was taken for, empty where it is not read")
    date_order = models.CharField(max_length=11, blank=True, help_text="empty: somebody must say it first")
    is_test = models.BooleanField(default=False, help_text="all of them are test patients")
    state = models.CharField(max_length=7, choices=ImportState, default=ImportState.OPEN)

    class Meta:
        ordering = ["-uploaded_at"]

    def __str__(self):
        return f"Sheet of {self.uploaded_at:%Y-%m-%d %H:%M} UTC"

    def get_absolute_url(self) -> str:
        name = "import-preview" if self.state == ImportState.OPEN else "import-result"
        return reverse(f"patients:{name}", args=[self.public_id])

    @property
    def ignored_headings(self) -> list[str]:
        return [heading for heading, column in self.headings if not column]


class RowState(models.TextChoices):
    NEW = "new", "New"
    ASK = "ask", "Look first"
    ERROR = "error", "Error"
    DONE = "done", "Registered"


class ImportRow(models.Model):
    """`patient_id` is the public id of who was registered; the row's own words are erased at that moment."""

    upload = models.ForeignKey(PatientImport, on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(help_text="in the sheet, the headings being line 1")
    values = models.JSONField(help_text="column -> what the cell says")
    state = models.CharField(max_length=5, choices=RowState)
    problems = models.JSONField(default=list)
    is_chosen = models.BooleanField(default=False)
    patient_id = models.CharField(max_length=14, blank=True)

    class Meta:
        ordering = ["line"]
        constraints = [
            models.UniqueConstraint(fields=["upload", "line"], name="import_row_once"),
            models.CheckConstraint(
                condition=~models.Q(state="error", is_chosen=True), name="import_error_never_chosen"
            ),
        ]

    def __str__(self):
        return f"Line {self.line}"
