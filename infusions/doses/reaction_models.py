"""Reactions while the dose ran or was watched, what was done about them, and those learned of after signing."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from infusion_center.core.models import AppendOnlyModel, PublicIdModel
from infusions.doses.models import DosePart, DoseRecord


class ReactionKind(models.TextChoices):
    HEADACHE = "headache", "Headache"
    FLUSHING = "flushing", "Flushing"
    CHILLS_FEVER = "chills_fever", "Chills or fever"
    NAUSEA = "nausea", "Nausea or vomiting"
    MYALGIA = "myalgia", "Back or muscle pain"
    FATIGUE = "fatigue", "Tired or dizzy"
    RASH = "rash", "Rash or itching"
    BLOOD_PRESSURE = "blood_pressure", "Blood pressure change"
    TACHYCARDIA = "tachycardia", "Fast pulse"
    SITE_PAIN = "site_pain", "Pain at the line"
    ANAPHYLAXIS = "anaphylaxis", "Anaphylaxis"
    RENAL_FAILURE = "renal_failure", "Acute renal failure"
    THROMBOSIS = "thrombosis", "Thrombosis"
    ASEPTIC_MENINGITIS = "aseptic_meningitis", "Aseptic meningitis"
    HAEMOLYSIS = "haemolysis", "Hemolysis"
    VASCULITIS = "vasculitis", "Cutaneous vasculitis"
    ECZEMA = "eczema", "Eczema"
    HYPERVISCOSITY = "hyperviscosity", "Hyperproteinemia or viscosity"
    PSEUDOHYPONATREMIA = "pseudohyponatremia", "Pseudohyponatremia"
    PULMONARY = "pulmonary", "TRALI or pulmonary edema"
    PARVOVIRUS_B19 = "parvovirus_b19", "Parvovirus B19"
    HEPATITIS_C = "hepatitis_c", "Hepatitis C"
    INFECTION = "infection", "Other suspected transmitted infection"
    HAIR_LOSS = "hair_loss", "Hair loss"
    OTHER = "other", "Other"


class Reaction(DosePart):
    record = models.ForeignKey(DoseRecord, on_delete=models.PROTECT, related_name="reactions")
    kind = models.CharField(max_length=20, choices=ReactionKind)
    grade = models.PositiveSmallIntegerField("CTCAE grade", validators=[MinValueValidator(1), MaxValueValidator(5)])
    onset_at = models.DateTimeField()
    rate_ml_per_h = models.DecimalField(
        max_digits=7, decimal_places=2, null=True, blank=True, help_text="rate at onset"
    )
    volume_ml = models.DecimalField(
        max_digits=7, decimal_places=2, null=True, blank=True, help_text="given until onset"
    )
    lots = models.JSONField(null=True, blank=True, help_text="lots in use at onset")
    action = models.CharField("what was done", max_length=300)
    notes = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["onset_at", "id"]
        constraints = [models.CheckConstraint(condition=Q(grade__gte=1, grade__lte=5), name="reaction_grade_ctcae")]


class ReactionStepKind(models.TextChoices):
    SLOWED = "slowed", "Slowed"
    PRESCRIBER_CALLED = "prescriber_called", "Prescriber called"
    EMERGENCY_CALLED = "emergency_called", "911 called"
    PHARMACIST_TOLD = "pharmacist_told", "Pharmacist told"
    REASSESSED = "reassessed", "Looked again"
    RESOLVED = "resolved", "Over"


class ReactionStep(DosePart):
    """What was done about a reaction, one press each, timed by the server."""

    record = models.ForeignKey(DoseRecord, on_delete=models.PROTECT, related_name="reaction_steps")
    reaction = models.ForeignKey(Reaction, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=20, choices=ReactionStepKind)
    at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["at", "id"]


class LateReaction(PublicIdModel, AppendOnlyModel):
    """A reaction learned of after signing, hours to months later; the signed record stays as it was."""

    record = models.ForeignKey(DoseRecord, on_delete=models.PROTECT, related_name="late_reactions")
    kind = models.CharField(max_length=20, choices=ReactionKind)
    grade = models.PositiveSmallIntegerField("CTCAE grade", validators=[MinValueValidator(1), MaxValueValidator(5)])
    onset_on = models.DateField()
    action = models.CharField("what was done", max_length=300)
    notes = models.CharField(max_length=300, blank=True)
    learned_from = models.CharField(max_length=120, help_text="patient by phone, hospital letter, mail")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["recorded_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(grade__gte=1, grade__lte=5), name="late_reaction_grade_ctcae")
        ]
