"""Who did or opened what. No foreign keys: an event outlives everything that it speaks of."""

import json

from django.db import models

from infusion_center.audit import macs
from infusion_center.core.models import AppendOnlyModel, AppendOnlyQuerySet


class AuditQuerySet(AppendOnlyQuerySet):
    def bulk_create(self, objs, *args, **kwargs):
        events = list(objs)
        for event in events:
            event.vouch()
        return super().bulk_create(events, *args, **kwargs)

    def about_patient(self, patient):
        return self.filter(patient_id=patient.public_id)

    def by_user(self, user):
        return self.filter(actor_id=user.pk)


class AuditEvent(AppendOnlyModel):
    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=60, help_text="noun.verb in the past, such as appointment.booked")
    actor_id = models.BigIntegerField(null=True, help_text="row of the member of staff; empty for patients and jobs")
    actor_name = models.CharField(max_length=150)
    target_type = models.CharField(max_length=60)
    target_id = models.CharField(max_length=40)
    target_name = models.CharField(max_length=200, blank=True)
    patient_id = models.CharField(max_length=14, blank=True, help_text="public id of the patient it is about")
    site_id = models.CharField(max_length=14, blank=True, help_text="public id of the site")
    detail = models.JSONField(default=dict, blank=True, help_text="codes, ids and field names; no clinical text")
    address = models.GenericIPAddressField(null=True)
    path = models.CharField(max_length=200, blank=True)
    # Defaults of the database: the release before this one goes on writing while machines are brought up one by one.
    device = models.CharField(max_length=80, blank=True, default="", db_default="", help_text="tablet or browser")
    mac = models.CharField(
        max_length=90, blank=True, default="", db_default="", editable=False, help_text="proves the row: audit.macs"
    )

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["patient_id", "-at"], name="audit_patient_at"),
            models.Index(fields=["actor_id", "-at"], name="audit_actor_at"),
            models.Index(fields=["target_type", "target_id"], name="audit_target"),
            models.Index(fields=["site_id", "at"], name="audit_site_at"),
            models.Index(fields=["action", "-at"], name="audit_action_at"),
            models.Index(fields=["actor_name", "-at"], name="audit_name_at"),
        ]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name}: {self.action}"

    def save(self, *args, **kwargs):
        if self._state.adding:
            self.vouch()
        super().save(*args, **kwargs)

    def vouch(self) -> None:
        """Give the row its code; it is written with the row, so no row is ever without."""
        self.detail = json.loads(json.dumps(self.detail))  # as the database gives it back: keys are text
        self.mac = macs.mac_of(self._content())

    @property
    def is_genuine(self) -> bool:
        return macs.is_genuine(self.mac, self._content())

    def _content(self) -> str:
        return macs.content_of([getattr(self, name) for name in macs.SEALED])


class AuditLink(AppendOnlyModel):
    """One event's place in the chain; the digest vouches for the event and for every link before. See audit.sealing."""

    position = models.BigIntegerField(primary_key=True)
    event_id = models.BigIntegerField(unique=True)
    sealed_at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["position"]

    def __str__(self):
        return f"{self.position}:{self.digest}"


class ChainCheck(models.Model):
    """How far the running check of the whole chain has come; what it found is an audit event. See audit.watching."""

    started_at = models.DateTimeField()
    position = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)  # vouches for the other columns
    state = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self):
        return f"Check of {self.started_at:%Y-%m-%d %H:%M}"
