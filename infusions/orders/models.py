"""What the prescriber asked for: regimen, dose, interval and how far it is authorised."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from infusion_center.core.models import AppendOnlyModel, PublicIdModel, TimestampedModel
from infusions.formulary.models import Regimen
from patients.site_models import treated_where


class OrderStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    SIGNED = "signed", "Signed"
    HELD = "held", "On hold"
    STOPPED = "stopped", "Stopped"


class WeightMethod(models.TextChoices):
    ACTUAL = "actual", "Actual weight"
    IDEAL = "ideal", "Ideal weight (Devine)"
    ADJUSTED = "adjusted", "Adjusted weight"


class OrderQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Orders of the patients whom the person sees: an order is the patient's, whichever of his sites gives it."""
        return self.filter(treated_where(user, "patient")) if user.is_authenticated and user.is_active else self.none()

    def signed(self):
        return self.filter(status=OrderStatus.SIGNED)

    def bookable(self):
        """Orders for which visits may be booked; rules still look at dates and counts."""
        return self.signed()


class InfusionOrder(PublicIdModel, TimestampedModel):
    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=10, choices=OrderStatus, default=OrderStatus.DRAFT)
    status_reason = models.CharField(max_length=200, blank=True, help_text="why held or stopped")

    indication = models.ForeignKey("infusions.Indication", on_delete=models.PROTECT, related_name="orders")
    regimen = models.CharField(max_length=20, choices=Regimen)
    product = models.ForeignKey("infusions.Product", on_delete=models.PROTECT, related_name="orders")
    alternatives = models.ManyToManyField(
        "infusions.Product", blank=True, related_name="+", help_text="may be given instead ('any of')"
    )
    prescriber_name = models.CharField(max_length=120)
    dose_mg_per_kg = models.DecimalField(
        "dose",
        max_digits=7,
        decimal_places=2,
        validators=[MinValueValidator(50), MaxValueValidator(3000)],
        help_text="mg/kg for the whole course of one visit or of its consecutive days",
    )
    days = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text="consecutive days the dose is split over",
    )
    round_to_g = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True, default=5)
    weight_method = models.CharField(max_length=10, choices=WeightMethod, default=WeightMethod.ACTUAL)
    actual_weight_kg = models.DecimalField(max_digits=5, decimal_places=2)
    weight_measured_on = models.DateField()
    dosing_weight_kg = models.DecimalField(max_digits=5, decimal_places=2)
    rate_weight_kg = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, help_text="drives the rate; the dosing weight when empty"
    )
    interval_days = models.PositiveSmallIntegerField(
        default=28, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    tolerance_days = models.PositiveSmallIntegerField(default=4, validators=[MaxValueValidator(30)])
    premedication = models.CharField(max_length=300, blank=True)
    notes = models.CharField(max_length=500, blank=True)
    starts_on = models.DateField()
    valid_until = models.DateField()
    visits_authorized = models.PositiveSmallIntegerField(default=12, validators=[MinValueValidator(1)])
    authorization_number = models.CharField(max_length=40, blank=True)
    is_first_dose = models.BooleanField("first dose or change of brand", default=False)
    home_allowed = models.BooleanField(default=False)

    # Kept up to date by services, so that scheduling reads one row.
    infusion_minutes = models.PositiveSmallIntegerField(default=0, help_text="titrated infusion of the longest day")
    at_risk = models.BooleanField(default=False, help_text="thrombosis or renal risk at signing: the rate cap holds")
    last_dose_on = models.DateField(null=True, blank=True)
    doses_given = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(valid_until__gte=F("starts_on")), name="order_valid_forward"),
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=5), name="order_days_in_range"),
            models.CheckConstraint(condition=Q(dose_mg_per_kg__gt=0), name="order_dose_positive"),
            models.CheckConstraint(condition=Q(dosing_weight_kg__gte=1), name="order_weight_positive"),
        ]
        indexes = [
            models.Index(fields=["patient", "status"], name="order_patient_status"),
            models.Index(fields=["status", "valid_until"], name="order_status_valid"),
        ]

    def __str__(self):
        return f"Order {self.public_id}"

    def get_absolute_url(self):
        return reverse("orders:order-detail", args=[self.public_id])


class Signature(PublicIdModel, AppendOnlyModel):
    """The signing of an order: who, for which prescriber, what exactly (plan and hash), with which decisions."""

    order = models.ForeignKey(InfusionOrder, on_delete=models.PROTECT, related_name="signatures")
    prescriber_name = models.CharField(max_length=120)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    meaning = models.CharField(max_length=60, default="Order signed on behalf of the prescriber")
    content = models.JSONField(help_text="the order and its plan as signed")
    content_hash = models.CharField(max_length=64)
    overridden = models.JSONField(default=list, help_text="codes of problems the prescriber decided to accept")
    override_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-signed_at"]


class OrderEvent(AppendOnlyModel):
    """Hold, release, stop: with reason, for the order's timeline."""

    order = models.ForeignKey(InfusionOrder, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
