"""Who did or opened what. No foreign keys: an event outlives everything that it speaks of."""

from django.db import models

from infusion_center.core.models import AppendOnlyModel, AppendOnlyQuerySet


class AuditQuerySet(AppendOnlyQuerySet):
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

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["patient_id", "-at"], name="audit_patient_at"),
            models.Index(fields=["actor_id", "-at"], name="audit_actor_at"),
            models.Index(fields=["target_type", "target_id"], name="audit_target"),
            models.Index(fields=["site_id", "at"], name="audit_site_at"),
        ]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name}: {self.action}"
