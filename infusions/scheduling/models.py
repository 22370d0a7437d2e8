"""Visits, their series, the claims by which the database refuses to double-book, patients' wishes and the waitlist."""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q

from infusion_center.core.models import PublicIdModel, TimestampedModel
from infusions.facility.models import WEEKDAYS, ChairKind, Setting
from infusions.scheduling.states import HOLDING, UPCOMING, State


class Series(PublicIdModel, TimestampedModel):
    """The booked run of appointments of one order, and the weekday and wall time that were asked for."""

    order = models.ForeignKey("infusions.InfusionOrder", on_delete=models.PROTECT, related_name="series")
    weekday = models.PositiveSmallIntegerField(choices=WEEKDAYS, null=True, blank=True)
    local_time = models.TimeField(null=True, blank=True, help_text="by the site's clock")
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
    course_start = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="later_days",
        help_text="the first day's visit",
    )
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
    is_pinned = models.BooleanField(default=False, help_text="keeps its chair and nurse when others are re-seated")
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    idempotency_token = models.CharField(max_length=40, null=True, blank=True, unique=True)
    override_reason = models.CharField(max_length=200, blank=True)
    overridden = models.JSONField(default=list, blank=True, help_text="codes of problems that the reason decided")

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


class BookingPreference(TimestampedModel):
    """When, where and by whom a patient would like to be seen; a wish unless `needs_chair_kind`."""

    patient = models.OneToOneField("patients.Patient", on_delete=models.PROTECT, related_name="booking_preference")
    weekdays = models.JSONField(default=list, blank=True, help_text="0 Monday to 6 Sunday; none: any day")
    earliest = models.TimeField(null=True, blank=True, help_text="start not before, by the site's clock")
    latest = models.TimeField(null=True, blank=True, help_text="start not after, by the site's clock")
    nurse = models.ForeignKey("infusions.Nurse", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    chair_kind = models.CharField(max_length=20, choices=ChairKind, blank=True)
    needs_chair_kind = models.BooleanField(default=False, help_text="no other kind of chair will do")

    def __str__(self):
        return f"Booking preference of {self.patient}"


class WaitlistState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    BOOKED = "booked", "Booked"
    CLOSED = "closed", "Closed"


class WaitlistEntryQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(site__memberships__user=user)

    def waiting(self, today):
        """Open entries whose window is not over on the local day `today`."""
        return self.filter(state=WaitlistState.WAITING, last_on__gte=today)

    def with_people(self):
        return self.select_related("patient", "order__product", "order__indication", "site", "instead_of")


class WaitlistEntry(PublicIdModel, TimestampedModel):
    """A patient who would take a start that becomes free: in which days and hours, at what notice."""

    order = models.ForeignKey("infusions.InfusionOrder", on_delete=models.PROTECT, related_name="waitlist_entries")
    patient = models.ForeignKey("patients.Patient", on_delete=models.PROTECT, related_name="waitlist_entries")
    site = models.ForeignKey("infusions.Site", on_delete=models.PROTECT, related_name="waitlist_entries")
    setting = models.CharField(max_length=10, choices=Setting, default=Setting.FACILITY)
    first_on = models.DateField()
    last_on = models.DateField()
    weekdays = models.JSONField(default=list, blank=True, help_text="0 Monday to 6 Sunday; none: any day")
    earliest = models.TimeField(null=True, blank=True, help_text="start not before, by the site's clock")
    latest = models.TimeField(null=True, blank=True, help_text="start not after, by the site's clock")
    notice_hours = models.PositiveSmallIntegerField(default=24, validators=[MaxValueValidator(24 * 14)])
    instead_of = models.ForeignKey(
        Appointment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="waiting_to_move",
        help_text="the booked visit that would move to the earlier start",
    )
    note = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=WaitlistState, default=WaitlistState.WAITING)
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=200, blank=True)
    appointment = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, blank=True, related_name="from_waitlist"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)

    objects = WaitlistEntryQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        verbose_name_plural = "waitlist entries"
        indexes = [models.Index(fields=["site", "state", "last_on"], name="waitlist_site_state")]
        constraints = [
            models.CheckConstraint(condition=Q(last_on__gte=F("first_on")), name="waitlist_forward"),
            models.CheckConstraint(
                condition=~Q(state="booked") | Q(appointment__isnull=False), name="waitlist_booked_has_visit"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", closed_at=None) | (~Q(state="waiting") & Q(closed_at__isnull=False)),
                name="waitlist_closed_pair",
            ),
        ]

    def __str__(self):
        return f"Waitlist entry {self.public_id}"

    @property
    def weekday_names(self) -> str:
        return ", ".join(dict(WEEKDAYS)[day] for day in self.weekdays)


class OfferState(models.TextChoices):
    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    LOST = "lost", "Taken by somebody else"
    EXPIRED = "expired", "Expired"
    WITHDRAWN = "withdrawn", "Withdrawn"


class WaitlistOffer(PublicIdModel, TimestampedModel):
    """A start offered by mail to somebody on the waitlist; several may be offered the same one, the first gets it."""

    entry = models.ForeignKey(WaitlistEntry, on_delete=models.PROTECT, related_name="offers")
    start = models.DateTimeField()
    end = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=OfferState, default=OfferState.OPEN)
    settled_at = models.DateTimeField(null=True, blank=True)
    offered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["state", "expires_at"], name="offer_state_expires")]
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="offer_forward"),
            models.CheckConstraint(
                condition=Q(state="open", settled_at=None) | (~Q(state="open") & Q(settled_at__isnull=False)),
                name="offer_settled_pair",
            ),
            models.UniqueConstraint(fields=["entry", "start"], condition=Q(state="open"), name="offer_open_once"),
        ]

    def __str__(self):
        return f"Offer {self.public_id}"

    # As an Appointment names them: mails and the patient's pages speak of either.

    @property
    def patient(self):
        return self.entry.patient

    @property
    def site(self):
        return self.entry.site

    @property
    def order(self):
        return self.entry.order

    @property
    def is_home(self) -> bool:
        return self.entry.setting == Setting.HOME
