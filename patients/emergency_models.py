"""Emergency access: one person reads one chart outside his sites, for a stated reason and a short time."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.core.models import AppendOnlyModel, PublicIdModel


class EmergencyReason(models.TextChoices):
    DANGER = "danger", "The patient is in danger now"
    HERE = "here", "The patient is here and belongs to another site"
    ASKED = "asked", "Whoever treats the patient asks for help"
    OTHER = "other", "Another emergency"


class EmergencyAccessQuerySet(models.QuerySet):
    def open(self, now: dt.datetime):
        return self.filter(closed_at=None, opened_at__lte=now, ends_at__gt=now)

    def unreviewed(self):
        return self.filter(reviewed_at=None)

    def delete(self):
        raise TypeError("An emergency access stays on record.")


class EmergencyAccess(PublicIdModel):
    """From opened_at to ends_at, or until closed. Only closing and reviewing ever change the row (triggers hold it)."""

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="emergency_accesses")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="emergency_accesses")
    kind = models.CharField(max_length=10, choices=EmergencyReason)
    reason = models.CharField(max_length=300, help_text="in the person's own words")
    extends = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="extension",
        help_text="the access that this one prolongs",
    )
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="when it was closed before its end")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    review_note = models.CharField(max_length=500, blank=True)

    objects = EmergencyAccessQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-id"]
        verbose_name_plural = "emergency accesses"
        indexes = [
            models.Index(fields=["user", "ends_at"], name="emergency_user_ends"),
            models.Index(fields=["opened_at"], condition=Q(reviewed_at=None), name="emergency_unreviewed"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("opened_at")), name="emergency_forward"),
            models.CheckConstraint(
                condition=Q(reviewed_at=None, reviewed_by=None, review_note="")
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="emergency_reviewed_pair",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("user")), name="emergency_not_reviewed_by_oneself"
            ),
        ]

    def __str__(self):
        return f"Emergency access {self.public_id}"

    def is_open(self, now: dt.datetime) -> bool:
        return self.closed_at is None and self.opened_at <= now < self.ends_at

    def minutes_left(self, now: dt.datetime) -> int:
        """Begun minutes count: the last one reads 1, not 0."""
        return max(0, -int((now - self.ends_at).total_seconds() // 60)) if self.is_open(now) else 0


class EmergencyNotice(AppendOnlyModel):
    """One attempt to tell one manager of an access by mail."""

    access = models.ForeignKey(EmergencyAccess, on_delete=models.PROTECT, related_name="notices")
    manager = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    tried_at = models.DateTimeField()
    was_sent = models.BooleanField()

    def __str__(self):
        return f"Notice of {self.access} to {self.manager}"


def emergency_where(user, now: dt.datetime, patient: str = "pk") -> Exists:
    """Whether an emergency access of this person shows the patient whom the column `patient` names, just now."""
    if not has_permission(user, Permission.BREAK_GLASS):  # also of who lost the role in the meantime
        return Exists(EmergencyAccess.objects.none())
    return Exists(EmergencyAccess.objects.open(now).filter(user=user, patient=OuterRef(patient)))
