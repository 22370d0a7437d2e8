"""What became of mails after they left: answers of the provider, addresses to leave alone, calls instead, the pace per
domain; and when the planner and the sender last worked."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from infusion_center.core.models import AppendOnlyModel, PublicIdModel
from infusions.reminders.models import Reminder


class MailEventKind(models.TextChoices):
    DELIVERED = "delivered", "Delivered"
    DEFERRED = "deferred", "Delayed by the receiver"
    BOUNCED = "bounced", "Came back"
    COMPLAINED = "complained", "Reported as unwanted"


class MailEvent(AppendOnlyModel):
    """What the mail provider told us by webhook; told twice, it is one row."""

    reminder = models.ForeignKey(Reminder, on_delete=models.PROTECT, null=True, blank=True, related_name="mail_events")
    kind = models.CharField(max_length=12, choices=MailEventKind)
    event_key = models.CharField(max_length=64, unique=True, help_text="hash of provider, event, message and time")
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    detail = models.CharField(max_length=200, blank=True, help_text="why, in the provider's words")

    class Meta:
        ordering = ["-happened_at", "-id"]
        indexes = [models.Index(fields=["reminder", "kind"], name="mail_event_reminder_kind")]

    def __str__(self):
        return f"{self.get_kind_display()} {self.happened_at:%Y-%m-%d %H:%M} UTC"


class CancellationCall(AppendOnlyModel):
    """Somebody told the patient by telephone what no mail had: that the visit is cancelled."""

    appointment = models.OneToOneField(
        "infusions.Appointment", on_delete=models.PROTECT, related_name="cancellation_call"
    )
    called_at = models.DateTimeField()
    called_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["called_at", "id"]

    def __str__(self):
        return f"Told by phone {self.called_at:%Y-%m-%d %H:%M} UTC"


class BlockCause(models.TextChoices):
    BOUNCED = "bounced", "Mail came back"
    COMPLAINED = "complained", "Reported as unwanted"


class BlockedAddress(PublicIdModel):
    """No mail goes there until somebody lifts it; a new block after that is a row of its own."""

    address = models.EmailField(help_text="in lower case")
    cause = models.CharField(max_length=12, choices=BlockCause)
    event = models.ForeignKey(MailEvent, on_delete=models.PROTECT, related_name="+")
    blocked_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    lift_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-blocked_at", "-id"]
        verbose_name_plural = "blocked addresses"
        constraints = [
            models.UniqueConstraint(fields=["address"], condition=Q(lifted_at=None), name="address_blocked_once"),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="blocked_address_lifted_pair",
            ),
        ]

    def __str__(self):
        return f"{self.get_cause_display()} {self.blocked_at:%Y-%m-%d}"


class DomainPace(models.Model):
    """How many mails went to a receiving domain in the present minute, for all senders together."""

    domain = models.CharField(max_length=253, unique=True)
    minute = models.PositiveIntegerField(help_text="UTC epoch // 60")
    sent = models.PositiveIntegerField(default=0)

    def __str__(self):
        return self.domain


class Heartbeat(models.Model):
    """When a job of the background last came to its end; the planner also notes up to when it has seen all changes."""

    name = models.CharField(max_length=40, unique=True)
    beat_at = models.DateTimeField()
    seen_until = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return f"{self.name} {self.beat_at:%Y-%m-%d %H:%M:%S} UTC"
