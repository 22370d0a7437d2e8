"""Which sites treat a patient. Staff see the patients of the sites that they belong to; of others they see nothing."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef


class PatientSite(models.Model):
    """A site treats, or has treated, the patient. Rows stay: who treated him keeps his records."""

    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="site_links", db_index=False)
    site = models.ForeignKey("infusions.Site", on_delete=models.PROTECT, related_name="patient_links", db_index=False)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="empty: the patient, by a link, or the system",
    )

    class Meta:
        # Both serve look-ups by their first column too, hence no index on a foreign key alone.
        constraints = [models.UniqueConstraint(fields=["patient", "site"], name="patient_site_once")]
        indexes = [models.Index(fields=["site", "patient"], name="patient_site_by_site")]

    def __str__(self):
        return f"{self.patient} at {self.site}"


def treated_where(user, patient: str = "pk") -> Exists:
    """Whether one of the person's sites treats the patient whom the column `patient` names. The ground of every door.

    EXISTS and no join: rows stay single when a patient and a person share several sites, and may still be locked.
    """
    own = user.site_memberships.values("site")
    return Exists(PatientSite.objects.filter(patient=OuterRef(patient), site__in=own))
