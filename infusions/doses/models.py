"""What was given: from which vials, how fast, what happened, signed. After signing the database refuses changes."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from infusion_center.core.models import AppendOnlyModel, PublicIdModel, TimestampedModel


class DoseState(models.TextChoices):
    PREPARING = "preparing", "Preparing"
    INFUSING = "infusing", "Infusing"
    PAUSED = "paused", "Paused"
    OBSERVING = "observing", "Observing"
    ENDED = "ended", "To be signed"
    SIGNED = "signed", "Signed"


class Outcome(models.TextChoices):
    COMPLETED = "completed", "Whole dose given"
    STOPPED_EARLY = "stopped_early", "Stopped early"


class DoseRecordQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(appointment__site__memberships__user=user)


class DoseRecord(PublicIdModel, TimestampedModel):
    """The record of one infusion. Its parts hang on it: vials, rates, vital signs, reactions."""

    appointment = models.OneToOneField("infusions.Appointment", on_delete=models.PROTECT, related_name="dose_record")
    order = models.ForeignKey("infusions.InfusionOrder", on_delete=models.PROTECT, related_name="dose_records")
    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="dose_records")
    product = models.ForeignKey("infusions.Product", on_delete=models.PROTECT, related_name="dose_records")
    state = models.CharField(max_length=10, choices=DoseState, default=DoseState.PREPARING)
    planned_g = models.DecimalField(max_digits=6, decimal_places=2)
    planned_volume_ml = models.DecimalField(max_digits=7, decimal_places=2)
    weight_kg = models.DecimalField(max_digits=5, decimal_places=2, help_text="drives the rate")
    max_rate_ml_per_h = models.DecimalField(
        max_digits=7, decimal_places=2, help_text="never exceeded: schedule and at-risk cap"
    )
    plan = models.JSONField(
        help_text="as planned for this day: concentration, vials and `steps` of rate_ml_per_h, mg_per_kg_per_min, "
        "minutes, volume_ml; see doses.planning"
    )
    second_check_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    second_check_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    observation_ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=15, choices=Outcome, blank=True)
    stop_reason = models.CharField(max_length=200, blank=True)
    volume_given_ml = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    waste_ml = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    notes = models.TextField(blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    signed_name = models.CharField(max_length=150, blank=True)
    content_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what was signed")
    # Columns added later are nullable: SQLite adds such without rebuilding the table and losing its triggers.
    hash_version = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="which parts the hash covers, see doses.signing; empty: the first version"
    )
    second_checked = models.JSONField(null=True, blank=True, help_text="what the second person checked")
    advice_at = models.DateTimeField(null=True, blank=True, help_text="discharge advice given")
    advice_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    advice_mailed = models.BooleanField(null=True, blank=True, help_text="by mail; otherwise on paper")

    objects = DoseRecordQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="signed", signed_at__isnull=False, signed_by__isnull=False)
                | (~Q(state="signed") & Q(signed_at=None, signed_by=None)),
                name="dose_signed_pair",
            ),
            models.CheckConstraint(
                condition=Q(second_check_by=None, second_check_at=None)
                | Q(second_check_by__isnull=False, second_check_at__isnull=False),
                name="dose_second_check_pair",
            ),
            models.CheckConstraint(
                condition=Q(started_at=None, started_by=None) | Q(started_at__isnull=False, started_by__isnull=False),
                name="dose_started_pair",
            ),
        ]

    def __str__(self):
        return f"Dose record {self.public_id}"


class DosePart(PublicIdModel):
    """A row of the record: who wrote it and when, by the server's clock."""

    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


class VialUsed(DosePart):
    record = models.ForeignKey(DoseRecord, on_delete=models.PROTECT, related_name="vials")
    product = models.ForeignKey("infusions.Product", on_delete=models.PROTECT, related_name="vials_used")
    grams = models.DecimalField(max_digits=5, decimal_places=2)
    lot = models.CharField(max_length=30)
    expires_on = models.DateField()
    serial = models.CharField(max_length=30, blank=True)
    stock_item = models.ForeignKey(
        "infusions.StockItem", on_delete=models.PROTECT, null=True, blank=True, related_name="vials_used"
    )
    out_of_fridge_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["recorded_at", "id"]
        verbose_name_plural = "vials used"
        indexes = [models.Index(fields=["lot", "product"], name="vial_lot_product")]
        constraints = [
            models.CheckConstraint(condition=~Q(lot=""), name="vial_has_lot"),
            models.CheckConstraint(condition=Q(grams__gt=0), name="vial_grams_positive"),
        ]


class RateKind(models.TextChoices):
    START = "start", "Start"
    STEP = "step", "Step up"
    CHANGE = "change", "Change"
    HOLD = "hold", "Stay"  # the step that is due is put off: the current rate runs for its minutes once more
    PAUSE = "pause", "Pause"
    RESUME = "resume", "Resume"
    STOP = "stop", "Stop"


class RateChange(DosePart):
    """From `at` on the pump runs at this rate (0 while paused)."""

    record = models.ForeignKey(DoseRecord, on_delete=models.PROTECT, related_name="rates")
    kind = models.CharField(max_length=10, choices=RateKind)
    at = models.DateTimeField()
    rate_ml_per_h = models.DecimalField(max_digits=7, decimal_places=2)
    step = models.PositiveSmallIntegerField(null=True, blank=True, help_text="number of the planned step, from 1")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=Q(rate_ml_per_h__gte=0), name="rate_not_negative")]


class Phase(models.TextChoices):
    BASELINE = "baseline", "Before"
    DURING = "during", "During"
    END = "end", "End"
    OBSERVATION = "observation", "Observation"


class VitalSigns(DosePart):
    record = models.ForeignKey(DoseRecord, on_delete=models.PROTECT, related_name="vital_signs")
    at = models.DateTimeField()
    phase = models.CharField(max_length=15, choices=Phase)
    temperature_c = models.DecimalField(max_digits=3, decimal_places=1, null=True, blank=True)
    systolic = models.PositiveSmallIntegerField(null=True, blank=True)
    diastolic = models.PositiveSmallIntegerField(null=True, blank=True)
    pulse = models.PositiveSmallIntegerField(null=True, blank=True)
    respiration = models.PositiveSmallIntegerField(null=True, blank=True)
    spo2_percent = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["at", "id"]
        verbose_name_plural = "vital signs"


class DoseAmendment(PublicIdModel, AppendOnlyModel):
    """What is added or put right after signing: the signed record stays as it was."""

    record = models.ForeignKey(DoseRecord, on_delete=models.PROTECT, related_name="amendments")
    concerns = models.CharField(max_length=80, help_text="which part of the record")
    text = models.TextField()
    reason = models.CharField(max_length=200)
    amended_at = models.DateTimeField()
    amended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["amended_at", "id"]
