"""The formulary: products by brand and strength, what they are given for, and how fast."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from infusion_center.core.models import PublicIdModel, TimestampedModel


class Regimen(models.TextChoices):
    REPLACEMENT = "replacement", "Replacement"
    IMMUNOMODULATION = "immunomodulation", "Immunomodulation"


class Product(PublicIdModel, TimestampedModel):
    key = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    maker = models.CharField(max_length=60)
    concentration_mg_per_ml = models.DecimalField(max_digits=5, decimal_places=1)
    form = models.CharField(max_length=10, choices=[("liquid", "Liquid"), ("powder", "Powder")], default="liquid")
    excipients = models.JSONField(default=list, help_text="codes, such as sorbitol")
    iga_ug_per_ml = models.DecimalField(max_digits=6, decimal_places=1, null=True, blank=True)
    storage = models.CharField(max_length=300, blank=True)
    needs_warming = models.BooleanField(default=True)
    warm_up_minutes = models.PositiveSmallIntegerField(default=60)
    room_temperature_days = models.PositiveSmallIntegerField(null=True, blank=True)
    reconstitution_minutes = models.PositiveSmallIntegerField(default=0)
    dilution = models.CharField(max_length=200, blank=True)
    min_age_years = models.PositiveSmallIntegerField(null=True, blank=True)
    is_available = models.BooleanField(default=True)
    sources = models.JSONField(default=dict, help_text="field -> {source, status}")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True, help_text="when a pharmacist changed the shipped row")

    class Meta:
        ordering = ["name", "concentration_mg_per_ml"]
        constraints = [
            models.CheckConstraint(condition=Q(concentration_mg_per_ml__gt=0), name="product_concentration_positive"),
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None) | Q(signed_at__isnull=False, signed_by__isnull=False),
                name="product_signed_pair",
            ),
        ]

    def __str__(self):
        return self.label

    @property
    def strength_percent(self) -> str:
        return f"{self.concentration_mg_per_ml / 10:g}%"

    @property
    def label(self) -> str:
        return f"{self.name} {self.strength_percent}"


class VialSize(models.Model):
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="vial_sizes")
    grams = models.DecimalField(max_digits=4, decimal_places=1)

    class Meta:
        ordering = ["grams"]
        constraints = [
            models.UniqueConstraint(fields=["product", "grams"], name="vial_size_once"),
            models.CheckConstraint(condition=Q(grams__gt=0), name="vial_size_positive"),
        ]


class Indication(PublicIdModel):
    code = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    regimen = models.CharField(max_length=20, choices=Regimen)
    max_g_per_kg_per_day = models.DecimalField(max_digits=3, decimal_places=1, default=1)
    icd10_prefixes = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class RateSchedule(PublicIdModel, TimestampedModel):
    """One line of a label: how a product is dosed and stepped up for one indication."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="schedules")
    indication = models.ForeignKey(Indication, on_delete=models.PROTECT, related_name="schedules")
    dose_min_mg_per_kg = models.DecimalField(max_digits=7, decimal_places=2)
    dose_max_mg_per_kg = models.DecimalField(max_digits=7, decimal_places=2)
    days_min = models.PositiveSmallIntegerField(default=1)
    days_max = models.PositiveSmallIntegerField(default=1)
    interval_min_days = models.PositiveSmallIntegerField(null=True, blank=True)
    interval_max_days = models.PositiveSmallIntegerField(null=True, blank=True)
    min_age_years = models.PositiveSmallIntegerField(null=True, blank=True)
    max_mg_per_kg_per_min = models.DecimalField(max_digits=6, decimal_places=3)
    at_risk_max_mg_per_kg_per_min = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    master_unit = models.CharField(max_length=12, default="mg/kg/min")
    steps_note = models.CharField(max_length=200, blank=True)
    sources = models.JSONField(default=dict)
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["product", "indication"]
        constraints = [
            models.UniqueConstraint(fields=["product", "indication"], name="schedule_once_per_indication"),
            models.CheckConstraint(
                condition=Q(dose_max_mg_per_kg__gte=F("dose_min_mg_per_kg")), name="schedule_dose_range"
            ),
            models.CheckConstraint(condition=Q(days_max__gte=F("days_min")), name="schedule_days_range"),
            models.CheckConstraint(condition=Q(max_mg_per_kg_per_min__gt=0), name="schedule_rate_positive"),
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None) | Q(signed_at__isnull=False, signed_by__isnull=False),
                name="schedule_signed_pair",
            ),
        ]

    def __str__(self):
        return f"{self.product} for {self.indication}"


class RateStep(models.Model):
    schedule = models.ForeignKey(RateSchedule, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    mg_per_kg_per_min = models.DecimalField(max_digits=6, decimal_places=3)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True, help_text="empty: until the dose is given")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "position"], name="rate_step_position_once"),
            models.CheckConstraint(condition=Q(mg_per_kg_per_min__gt=0), name="rate_step_positive"),
        ]
