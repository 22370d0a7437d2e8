"""Products, indications and rate schedules, each fact with where it comes from and how far it can be trusted."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from infusion_center.core.models import PublicIdModel, TimestampedModel

# What the labels that name a number agree on; taken where a label names none. Fact sheet 1b, at-risk patient.
DEFAULT_AT_RISK_MG_PER_KG_PER_MIN = Decimal("3.3")
RATE_FACTS = ("start", "steps", "maximum")  # a schedule with one of these unverified gives no rates


class TrustMark(models.TextChoices):
    SEEN = "S", "Read in a label or official listing"
    SECONDARY = "H", "Read in a secondary reference"
    MEMORY = "M", "Well established, not re-read"
    UNVERIFIED = "U", "Unverified"


class Excipient(models.TextChoices):
    """What besides immune globulin is in the vial, as far as it matters to somebody."""

    SORBITOL = "sorbitol", "sorbitol"
    MALTOSE = "maltose", "maltose"
    GLUCOSE = "glucose", "glucose"
    SUCROSE = "sucrose", "sucrose"
    L_PROLINE = "l_proline", "L-proline"
    GLYCINE = "glycine", "glycine"
    POLYSORBATE_80 = "polysorbate_80", "polysorbate 80"
    ALBUMIN = "albumin", "albumin"
    PEG = "peg", "PEG"
    UNKNOWN = "unknown", "unknown"


class Regimen(models.TextChoices):
    REPLACEMENT = "replacement", "Replacement"
    IMMUNOMODULATION = "immunomodulation", "Immunomodulation"


class MasterUnit(models.TextChoices):
    """The unit in which the label writes a rate; the other one is derived from it."""

    MG_PER_KG_PER_MIN = "mg/kg/min", "mg/kg/min"
    ML_PER_KG_PER_H = "mL/kg/h", "mL/kg/h"


class ReviewedModel(models.Model):
    """Facts with sources (`{field: {"source", "status", "note"}}`), and what pharmacists did to the row."""

    sources = models.JSONField(default=dict, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    signed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True, help_text="when a pharmacist last edited the row")

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(signed_by=None, signed_at=None) | Q(signed_by__isnull=False, signed_at__isnull=False),
                name="%(class)s_signed_pair",
            ),
            models.CheckConstraint(
                condition=Q(changed_by=None, changed_at=None) | Q(changed_by__isnull=False, changed_at__isnull=False),
                name="%(class)s_changed_pair",
            ),
        ]

    @property
    def is_signed(self) -> bool:
        return self.signed_at is not None

    @property
    def is_ours(self) -> bool:
        """A pharmacist of this center signed or changed it: the shipped data must leave it alone."""
        return self.signed_at is not None or self.changed_at is not None

    def mark_of(self, name: str) -> str:
        """The trust mark of a field; what says nothing about itself is unverified."""
        return self.sources.get(name, {}).get("status", TrustMark.UNVERIFIED)


class ProductQuerySet(models.QuerySet):
    def available(self):
        return self.filter(is_available=True)


class Product(PublicIdModel, TimestampedModel, ReviewedModel):
    """One brand in one strength. Rates of one strength must never be used for another (fact sheet 1c)."""

    class Form(models.TextChoices):
        LIQUID = "liquid", "Liquid"
        POWDER = "powder", "Powder to reconstitute"

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    maker = models.CharField(max_length=80)
    concentration_mg_per_ml = models.DecimalField(max_digits=6, decimal_places=2)
    form = models.CharField(max_length=10, choices=Form, default=Form.LIQUID)
    excipients = models.JSONField(default=list, blank=True, help_text="codes of Excipient")
    iga_ug_per_ml = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    storage = models.TextField(blank=True)
    needs_warming = models.BooleanField(default=True, help_text="comes out of a refrigerator")
    warm_up_minutes = models.PositiveSmallIntegerField(default=0)
    room_temperature_days = models.PositiveSmallIntegerField(null=True, blank=True)
    reconstitution_minutes = models.PositiveSmallIntegerField(default=0)
    dilution = models.TextField(blank=True)
    cautions = models.TextField(blank=True)
    min_age_years = models.PositiveSmallIntegerField(null=True, blank=True)
    is_available = models.BooleanField(default=True)

    objects = ProductQuerySet.as_manager()

    class Meta(ReviewedModel.Meta):
        ordering = ["name", "concentration_mg_per_ml", "key"]
        constraints = [
            *ReviewedModel.Meta.constraints,
            models.CheckConstraint(condition=Q(concentration_mg_per_ml__gt=0), name="product_concentration_positive"),
            models.UniqueConstraint(fields=["name", "concentration_mg_per_ml"], name="product_name_and_strength_once"),
        ]

    def __str__(self):
        return self.label

    def get_absolute_url(self):
        return reverse("formulary:product-detail", args=[self.key])

    @property
    def strength_percent(self) -> str:
        """Grams in 100 mL: 100 mg/mL is 10%."""
        return f"{(self.concentration_mg_per_ml / 10).normalize():f}%"

    @property
    def label(self) -> str:
        return f"{self.name} {self.strength_percent}"


class VialSize(models.Model):
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="vial_sizes")
    grams = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        ordering = ["product", "grams"]
        constraints = [
            models.UniqueConstraint(fields=["product", "grams"], name="vial_size_once_per_product"),
            models.CheckConstraint(condition=Q(grams__gt=0), name="vial_size_positive"),
        ]

    def __str__(self):
        return f"{self.grams.normalize():f} g"


class Indication(PublicIdModel):
    """What immune globulin is given for, and how much of it a day the indication itself allows."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    regimen = models.CharField(max_length=20, choices=Regimen)
    max_g_per_kg_per_day = models.DecimalField(max_digits=4, decimal_places=2, default=Decimal("1"))
    icd10_prefixes = models.JSONField(default=list, blank=True, help_text='ICD-10-CM codes, such as "D83" or "G61.81"')

    class Meta:
        ordering = ["regimen", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(max_g_per_kg_per_day__gt=0), name="indication_daily_maximum_positive"),
        ]

    def __str__(self):
        return self.name

    @property
    def short_name(self) -> str:
        """PI, CIDP, Kawasaki: for chips and narrow columns."""
        return self.code.upper() if len(self.code) <= 4 else self.code.replace("_", " ").capitalize()

    def covers(self, icd10_code: str) -> bool:
        """Whether the diagnosis is one that this indication is usually billed under."""
        return icd10_code.upper().startswith(tuple(self.icd10_prefixes)) if self.icd10_prefixes else False


class RateSchedule(PublicIdModel, TimestampedModel, ReviewedModel):
    """Dose range and rates of one product for one indication. Doses are per course, all its days together."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="schedules")
    indication = models.ForeignKey(Indication, on_delete=models.PROTECT, related_name="schedules")
    dose_min_mg_per_kg = models.DecimalField(max_digits=7, decimal_places=2)
    dose_max_mg_per_kg = models.DecimalField(max_digits=7, decimal_places=2)
    days_min = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    days_max = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    interval_min_days = models.PositiveSmallIntegerField(null=True, blank=True)
    interval_max_days = models.PositiveSmallIntegerField(null=True, blank=True)
    min_age_years = models.PositiveSmallIntegerField(null=True, blank=True)
    max_mg_per_kg_per_min = models.DecimalField(max_digits=12, decimal_places=8)
    at_risk_max_mg_per_kg_per_min = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)
    master_unit = models.CharField(max_length=10, choices=MasterUnit, default=MasterUnit.MG_PER_KG_PER_MIN)
    steps_note = models.TextField(blank=True)

    class Meta(ReviewedModel.Meta):
        ordering = ["product", "indication"]
        constraints = [
            *ReviewedModel.Meta.constraints,
            models.UniqueConstraint(fields=["product", "indication"], name="schedule_once_per_product_and_indication"),
            models.CheckConstraint(
                condition=Q(dose_min_mg_per_kg__gt=0, dose_max_mg_per_kg__gte=F("dose_min_mg_per_kg")),
                name="schedule_dose_range",
            ),
            models.CheckConstraint(
                condition=Q(days_min__gte=1, days_max__gte=F("days_min")), name="schedule_days_range"
            ),
            models.CheckConstraint(
                condition=Q(interval_min_days=None, interval_max_days=None)
                | Q(interval_min_days__gte=1, interval_max_days__gte=F("interval_min_days")),
                name="schedule_interval_range",
            ),
            models.CheckConstraint(
                condition=Q(max_mg_per_kg_per_min__gt=0)
                & (Q(at_risk_max_mg_per_kg_per_min=None) | Q(at_risk_max_mg_per_kg_per_min__gt=0)),
                name="schedule_rates_positive",
            ),
        ]

    def __str__(self):
        return f"{self.product}: {self.indication}"

    def get_absolute_url(self):
        return f"{self.product.get_absolute_url()}#schedule-{self.public_id}"

    @property
    def unverified_rates(self) -> list[str]:
        return [name for name in RATE_FACTS if self.mark_of(name) == TrustMark.UNVERIFIED]

    @property
    def is_verified(self) -> bool:
        """Whether it may be used: a pharmacist signed it, or all its rates come from a known source."""
        return self.is_signed or not self.unverified_rates

    @property
    def at_risk_cap_mg_per_kg_per_min(self) -> Decimal:
        """The rate not to pass in a patient at risk of thrombosis or kidney failure (fact sheet 1b)."""
        number = self.at_risk_max_mg_per_kg_per_min or DEFAULT_AT_RISK_MG_PER_KG_PER_MIN
        return min(number, DEFAULT_AT_RISK_MG_PER_KG_PER_MIN, self.max_mg_per_kg_per_min)


class RateStep(models.Model):
    """One rung: a rate held for some minutes; the last, without minutes, runs to the end of the dose."""

    schedule = models.ForeignKey(RateSchedule, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    mg_per_kg_per_min = models.DecimalField(max_digits=12, decimal_places=8)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["schedule", "position"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "position"], name="rate_step_position_once"),
            models.CheckConstraint(condition=Q(mg_per_kg_per_min__gt=0), name="rate_step_rate_positive"),
            models.CheckConstraint(condition=Q(minutes=None) | Q(minutes__gte=1), name="rate_step_minutes_positive"),
        ]

    def __str__(self):
        length = "to the end" if self.minutes is None else f"for {self.minutes} min"
        return f"{self.mg_per_kg_per_min.normalize():f} mg/kg/min {length}"
