"""A site's own words in mails, and the secret addresses of calendar feeds."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from infusion_center.core.models import PublicIdModel, TimestampedModel
from infusions.facility.models import Nurse, Site
from infusions.reminders.models import Kind


class MailWording(TimestampedModel):
    """Instead of the shipped subject and first sentence, or besides them; empty fields leave the shipped words."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="mail_wordings")
    kind = models.CharField(max_length=15, choices=Kind, help_text="the day reminders share that of one day before")
    language = models.CharField(max_length=2)
    subject = models.CharField(max_length=80, blank=True)
    opening = models.CharField(max_length=300, blank=True)
    note = models.TextField(max_length=600, blank=True, help_text="a paragraph of the site's own")
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["site", "kind", "language"]
        constraints = [
            models.UniqueConstraint(fields=["site", "kind", "language"], name="mail_wording_once"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} ({self.language})"


class CalendarFeed(PublicIdModel):
    """A secret address by which a nurse's own calendar reads her visits; of the secret only its hash is kept."""

    nurse = models.ForeignKey(Nurse, on_delete=models.PROTECT, related_name="calendar_feeds")
    secret_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_read_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["nurse"], condition=Q(revoked_at=None), name="calendar_feed_one_each"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None) | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="calendar_feed_revoked_pair",
            ),
        ]

    def __str__(self):
        return f"{self.nurse} {self.created_at:%Y-%m-%d}"
