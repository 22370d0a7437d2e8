"""What patients answer the day after a visit, and the calls that follow."""

from django.conf import settings
from django.db import models

from infusion_center.core.models import AppendOnlyModel, PublicIdModel


class Urgency(models.TextChoices):
    """How soon a nurse calls. Their order is that of the call list."""

    EMERGENCY = "emergency", "Emergency: call now"
    URGENT = "urgent", "Call within the hour"
    TODAY = "today", "Call today"
    NONE = "none", "No call needed"


class AfterCareReport(PublicIdModel, AppendOnlyModel):
    """One sending of the questions of the day after; sent again, it is a further row and the newest counts."""

    appointment = models.ForeignKey(
        "infusions.Appointment", on_delete=models.PROTECT, related_name="after_care_reports"
    )
    values = models.JSONField(help_text="question code -> yes or no")
    comment = models.CharField(max_length=300, blank=True)
    wants_call = models.BooleanField(default=False)
    urgency = models.CharField(max_length=10, choices=Urgency, help_text="as the rules had it when it was sent")
    reported_at = models.DateTimeField()

    class Meta:
        ordering = ["-reported_at", "-id"]
        indexes = [models.Index(fields=["urgency", "reported_at"], name="after_care_urgency")]

    def __str__(self):
        return f"{self.get_urgency_display()} {self.reported_at:%Y-%m-%d %H:%M} UTC"


class CallOutcome(models.TextChoices):
    REACHED = "reached", "Spoke with the patient"
    NOT_REACHED = "not_reached", "Not reached, will try again"
    PASSED_ON = "passed_on", "Passed on to the doctor"


class AfterCareCall(AppendOnlyModel):
    """One try to call a patient about what she reported; reached or passed on, it leaves the list."""

    report = models.ForeignKey(AfterCareReport, on_delete=models.PROTECT, related_name="calls")
    outcome = models.CharField(max_length=12, choices=CallOutcome)
    note = models.CharField(max_length=500, blank=True)
    called_at = models.DateTimeField()
    called_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["called_at", "id"]

    def __str__(self):
        return f"{self.get_outcome_display()} {self.called_at:%Y-%m-%d %H:%M} UTC"
