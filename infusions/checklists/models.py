"""The pre-infusion hydration and safety check: versioned questions, and runs whose answers are only ever added."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q

from infusion_center.core.models import AppendOnlyModel, PublicIdModel, TimestampedModel
from infusion_center.core.rules import Severity


class ChecklistTemplate(PublicIdModel, TimestampedModel):
    """One version of the questions. A version that was used is never changed: a new one replaces it."""

    version = models.PositiveIntegerField(unique=True)
    is_active = models.BooleanField(default=False)
    note = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField(null=True, blank=True, help_text="empty: a draft, which nobody fills yet")
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"], condition=Q(is_active=True), name="one_active_checklist_template"
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(published_at__isnull=False), name="checklist_template_in_use_published"
            ),
        ]

    def __str__(self):
        return f"Checklist version {self.version}"


class ItemKind(models.TextChoices):
    YES_NO = "yes_no", "Yes or no"
    NUMBER = "number", "Number"
    CHOICE = "choice", "One of"
    MULTI = "multi", "Any of"
    TEXT = "text", "Text"
    DATE = "date", "Date"
    TIME = "time", "Time of day"


class ChecklistItem(models.Model):
    """One question. What its answer means is decided by checklists.rules, by `code`, `expected` or the limits here."""

    template = models.ForeignKey(ChecklistTemplate, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField()
    section = models.CharField(max_length=60)
    code = models.CharField(max_length=40)
    text = models.CharField(max_length=200)
    hint = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=10, choices=ItemKind)
    choices = models.JSONField(
        default=list, blank=True, help_text="for one of / any of: [value, label], or [value, label, severity]"
    )
    unit = models.CharField(max_length=20, blank=True)
    decimal_places = models.PositiveSmallIntegerField(default=0)
    lowest = models.DecimalField(
        max_digits=8, decimal_places=2, null=True, blank=True, help_text="below this it is a slip of the finger"
    )
    highest = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    severity = models.CharField(
        max_length=10, choices=Severity, default=Severity.BLOCKER, help_text="of a failing answer"
    )
    expected = models.CharField(max_length=10, blank=True, help_text="yes or no: the answer that passes")
    minimum = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True, help_text="below this fails")
    maximum = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True, help_text="above this fails")
    problem_text = models.CharField(max_length=200, blank=True, help_text="what a failing answer means")
    remedy = models.CharField(max_length=300, blank=True, help_text="what to do then")
    is_required = models.BooleanField(default=True)
    home_only = models.BooleanField(default=False)
    facility_only = models.BooleanField(default=False)
    first_dose_only = models.BooleanField(default=False)
    asked_if = models.CharField(max_length=40, blank=True, help_text="asked only when this item is answered ...")
    asked_if_value = models.CharField(max_length=20, blank=True, help_text="... with this value; any when empty")
    source = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["template", "code"], name="checklist_item_code_once"),
            models.CheckConstraint(
                condition=~Q(home_only=True, facility_only=True), name="checklist_item_somewhere_asked"
            ),
        ]

    def __str__(self):
        return self.text


class RunStatus(models.TextChoices):
    OPEN = "open", "Open"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    OVERRIDDEN = "overridden", "Passed with override"


LETS_PASS = frozenset({RunStatus.PASSED, RunStatus.OVERRIDDEN})


class RunQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(appointment__site__memberships__user=user)


class PreInfusionChecklist(PublicIdModel, TimestampedModel):
    """One run for one appointment; a failed run can be followed by another."""

    appointment = models.ForeignKey("infusions.Appointment", on_delete=models.PROTECT, related_name="checklists")
    template = models.ForeignKey(ChecklistTemplate, on_delete=models.PROTECT, related_name="runs")
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.OPEN)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    problems = models.JSONField(
        default=list, help_text="what stood against it when it was closed: code, severity, message"
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["appointment"], condition=Q(status="open"), name="one_open_checklist"),
            models.CheckConstraint(
                condition=Q(status="open", closed_at=None, closed_by=None)
                | (~Q(status="open") & Q(closed_at__isnull=False, closed_by__isnull=False)),
                name="checklist_closed_pair",
            ),
        ]

    def __str__(self):
        return f"Pre-infusion check {self.public_id}"

    @property
    def is_open(self) -> bool:
        return self.status == RunStatus.OPEN

    @property
    def lets_pass(self) -> bool:
        return self.status in LETS_PASS

    @property
    def recheck_at(self) -> dt.datetime | None:
        """When to check again, by the latest step that says so or that ends the matter. Reads what was prefetched."""
        said = [step for step in self.hold_steps.all() if step.recheck_at or step.kind == HoldStepKind.SENT_HOME]
        return max(said, key=lambda step: step.pk).recheck_at if said else None


class PatientReport(PublicIdModel, AppendOnlyModel):
    """What the patient said before the visit, by a link from the mail; the latest counts. Nothing counts unverified."""

    appointment = models.ForeignKey("infusions.Appointment", on_delete=models.PROTECT, related_name="patient_reports")
    values = models.JSONField(help_text="item code -> value, as an answer would hold it")
    comment = models.CharField(max_length=300, blank=True)
    reported_at = models.DateTimeField()

    class Meta:
        ordering = ["reported_at", "id"]


class HoldStepKind(models.TextChoices):
    FLUIDS = "fluids", "Fluids given"
    CALLED = "called", "Prescriber called"
    RECHECK = "recheck", "Check again later"
    SENT_HOME = "sent_home", "No infusion today"


class HoldStep(PublicIdModel, AppendOnlyModel):
    """What was done about a check that did not pass."""

    run = models.ForeignKey(PreInfusionChecklist, on_delete=models.PROTECT, related_name="hold_steps")
    kind = models.CharField(max_length=10, choices=HoldStepKind)
    amount_ml = models.PositiveIntegerField(null=True, blank=True, help_text="of fluids")
    recheck_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["at", "id"]


class ChecklistAnswer(AppendOnlyModel):
    """An answer to one item; the latest one counts, earlier ones stay."""

    run = models.ForeignKey(PreInfusionChecklist, on_delete=models.PROTECT, related_name="answers")
    item = models.ForeignKey(ChecklistItem, on_delete=models.PROTECT, related_name="answers")
    value = models.JSONField(help_text="'yes'/'no', a number as text, one value, a list of values, or text")
    answered_at = models.DateTimeField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    report = models.ForeignKey(
        PatientReport,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="where the nurse verified what the patient had reported",
    )

    class Meta:
        ordering = ["answered_at", "id"]
        indexes = [models.Index(fields=["run", "item"], name="answer_run_item")]


class ChecklistOverride(AppendOnlyModel):
    """A named person let a failed item pass, for a reason. Kept for ever.

    It speaks of the answer that it saw: a later answer to the same item makes it void (see checklists.rules).
    """

    run = models.ForeignKey(PreInfusionChecklist, on_delete=models.PROTECT, related_name="overrides")
    problem_code = models.CharField(max_length=60)
    reason = models.CharField(max_length=300)
    overridden_at = models.DateTimeField()
    overridden_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["overridden_at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="override_has_reason")]
