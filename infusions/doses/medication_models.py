"""What was given besides the immune globulin."""

from django.db import models
from django.db.models import Q

from infusions.doses.models import DosePart, DoseRecord
from infusions.doses.reaction_models import Reaction


class Purpose(models.TextChoices):
    PREMEDICATION = "premedication", "Premedication"
    FLUID = "fluid", "Fluid"
    REACTION = "reaction", "For a reaction"
    FLUSH = "flush", "Flush of the line"
    OTHER = "other", "Other"


class DoseUnit(models.TextChoices):
    MG = "mg", "mg"
    ML = "mL", "mL"
    G = "g", "g"
    UG = "µg", "µg"
    UNITS = "units", "units"


class Route(models.TextChoices):
    ORAL = "oral", "By mouth"
    IV = "iv", "Into the vein"
    IM = "im", "Into the muscle"
    SC = "sc", "Under the skin"
    INHALED = "inhaled", "Inhaled"


class MedicationGiven(DosePart):
    """What was given besides the immune globulin: premedication, fluids, treatment of reactions, the flush."""

    record = models.ForeignKey(DoseRecord, on_delete=models.PROTECT, related_name="medications")
    purpose = models.CharField(max_length=15, choices=Purpose)
    name = models.CharField("medicine or fluid", max_length=80)
    dose = models.DecimalField(max_digits=8, decimal_places=3)
    unit = models.CharField(max_length=10, choices=DoseUnit)
    route = models.CharField(max_length=10, choices=Route)
    at = models.DateTimeField()
    reaction = models.ForeignKey(Reaction, on_delete=models.PROTECT, null=True, blank=True, related_name="medications")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["at", "id"]
        verbose_name_plural = "medications given"
        constraints = [models.CheckConstraint(condition=Q(dose__gt=0), name="medication_dose_positive")]
