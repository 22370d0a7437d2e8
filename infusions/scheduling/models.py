"""Visits, the series they belong to, and the claims by which the database refuses to double-book."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from infusion_center.core.models import PublicIdModel, TimestampedModel
from infusions.facility.models import Setting
from infusions.scheduling.states import HOLDING, UPCOMING, State


class Series(PublicIdModel, TimestampedModel):
    """The booked run of appointments of one order."""

    order = models.ForeignKey("infusions.InfusionOrder", on_delete=models.PROTECT, related_name="series")
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "series"


class AppointmentQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(site__memberships__user=user)

    def holding(self):
        """Appointments that hold their claims."""
        return self.filter(state__in=HOLDING)

    def upcoming(self, now):
        return self.filter(state__in=UPCOMING, start__gte=now)

    def overlapping(self, start, end):
        return self.filter(start__lt=end, end__gt=start)

    def with_people(self):
        return self.select_related("patient", "order__product", "order__indication", "chair", "nurse__user", "site")


class Appointment(PublicIdModel, TimestampedModel):
    """One visit. `start` to `end` is what the chair is held for; travel of a home visit lies around it."""

    order = models.ForeignKey("infusions.InfusionOrder", on_delete=models.PROTECT, related_name="appointments")
    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="appointments")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, null=True, blank=True, related_name="appointments")
    course_day = models.PositiveSmallIntegerField(default=1, help_text="which of the order's consecutive days")
    site = models.ForeignKey("infusions.Site", on_delete=models.PROTECT, related_name="appointments")
    setting = models.CharField(max_length=10, choices=Setting, default=Setting.FACILITY)
    chair = models.ForeignKey(
        "infusions.Chair", on_delete=models.PROTECT, null=True, blank=True, related_name="appointments"
    )
    nurse = models.ForeignKey("infusions.Nurse", on_delete=models.PROTECT, related_name="appointments")
    ratio_place = models.PositiveSmallIntegerField(default=0, help_text="which of the nurse's places it takes")
    start = models.DateTimeField()
    end = models.DateTimeField()
    local_start = models.CharField(
        max_length=16, help_text="wall time as promised, 2026-11-23T09:00 in the site's zone"
    )
    preparation_minutes = models.PositiveSmallIntegerField()
    infusion_minutes = models.PositiveSmallIntegerField()
    observation_minutes = models.PositiveSmallIntegerField()
    travel_minutes = models.PositiveSmallIntegerField(default=0, help_text="before and after, home visits only")
    # As the site had them at booking: the claims must follow from this row alone.
    start_hands_minutes = models.PositiveSmallIntegerField(default=30, help_text="the nurse's hands at the start")
    end_hands_minutes = models.PositiveSmallIntegerField(default=15, help_text="and at the end")
    state = models.CharField(max_length=15, choices=State, default=State.EXPECTED)
    version = models.PositiveIntegerField(
        default=1, help_text="raised by each move or cancellation; the calendar's SEQUENCE"
    )
    is_pinned = models.BooleanField(default=False)
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    idempotency_token = models.CharField(max_length=40, null=True, blank=True, unique=True)
    override_reason = models.CharField(max_length=200, blank=True)

    confirmed_at = models.DateTimeField(null=True, blank=True)
    move_requested_at = models.DateTimeField(null=True, blank=True)
    patient_message = models.CharField(max_length=300, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=200, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["start"]
        indexes = [
            models.Index(fields=["site", "start"], name="appointment_site_start"),
            models.Index(fields=["patient", "start"], name="appointment_patient_start"),
            models.Index(fields=["nurse", "start"], name="appointment_nurse_start"),
            models.Index(fields=["order", "start"], name="appointment_order_start"),
            models.Index(fields=["start"], name="appointment_start"),
            models.Index(fields=["updated_at"], name="appointment_updated"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="appointment_forward"),
            models.CheckConstraint(
                condition=Q(setting="facility", chair__isnull=False) | Q(setting="home", chair=None),
                name="appointment_chair_in_facility_only",
            ),
            models.CheckConstraint(
                condition=~Q(state="cancelled") | Q(cancelled_at__isnull=False), name="appointment_cancelled_at"
            ),
        ]

    def __str__(self):
        return f"Visit {self.public_id} {self.local_start}"

    @property
    def minutes(self) -> int:
        return int((self.end - self.start).total_seconds() // 60)

    @property
    def is_home(self) -> bool:
        return self.setting == Setting.HOME


class Claim(models.Model):
    """One lane taken for one quarter of an hour (UTC epoch // 900). The unique index is the guarantee.

    `lane` is a number made by scheduling.lanes from what it stands for: a chair, a patient, a nurse's hands, or one of
    the places of a nurse's ratio.
    """

    lane = models.BigIntegerField()
    quarter = models.IntegerField()
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="claims")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lane", "quarter"], name="claim_lane_quarter_once")]
