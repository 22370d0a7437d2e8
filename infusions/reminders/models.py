"""The ledger of messages owed: one row per appointment, its version, kind and channel."""

from django.db import models
from django.db.models import Q

from infusion_center.core.models import PublicIdModel, TimestampedModel


class Kind(models.TextChoices):
    CONFIRMATION = "confirmation", "Confirmation"
    DAYS_7 = "days_7", "7 days before"
    DAYS_3 = "days_3", "3 days before"
    DAYS_1 = "days_1", "1 day before"
    MOVED = "moved", "Moved"
    CANCELLED = "cancelled", "Cancelled"


class ReminderState(models.TextChoices):
    OWED = "owed", "Owed"
    CLAIMED = "claimed", "Being sent"
    SENT = "sent", "Sent"
    SKIPPED = "skipped", "Skipped"
    FAILED = "failed", "Failed"


class ReminderQuerySet(models.QuerySet):
    def due(self, now):
        """Owed and due, or claimed by somebody whose lease ran out."""
        return self.filter(
            Q(state=ReminderState.OWED, due_at__lte=now) | Q(state=ReminderState.CLAIMED, lease_until__lte=now)
        )


class Reminder(PublicIdModel, TimestampedModel):
    appointment = models.ForeignKey("infusions.Appointment", on_delete=models.PROTECT, related_name="reminders")
    appointment_version = models.PositiveIntegerField()
    kind = models.CharField(max_length=15, choices=Kind)
    channel = models.CharField(max_length=10, default="email")
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ReminderState, default=ReminderState.OWED)
    reason = models.CharField(max_length=200, blank=True, help_text="why skipped or failed")
    claimed_by = models.CharField(max_length=60, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True, blank=True, help_text="when sent, skipped or failed for good")
    message_id = models.CharField(max_length=120, blank=True)

    objects = ReminderQuerySet.as_manager()

    class Meta:
        ordering = ["-due_at", "-id"]
        indexes = [models.Index(fields=["state", "due_at"], name="reminder_state_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "appointment_version", "kind", "channel"], name="reminder_owed_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["owed", "claimed"], settled_at=None)
                | Q(state__in=["sent", "skipped", "failed"], settled_at__isnull=False),
                name="reminder_settled_pair",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} for {self.appointment_id}"
