"""Where and when infusions happen: sites, chairs, hours, closures, and the nurses' shifts."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from infusion_center.core.models import PublicIdModel, TimestampedModel

MAX_RATIO = 6
# Days before a visit on which a site can have patients reminded; each is a kind of message in the ledger.
REMINDER_DAYS = (14, 10, 7, 6, 5, 4, 3, 2, 1)
WEEKDAYS = [
    (i, day) for i, day in enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])
]


class Setting(models.TextChoices):
    """Where the patient is infused."""

    FACILITY = "facility", "In a chair"
    HOME = "home", "At home"


class MoveRequests(models.TextChoices):
    """What a patient who cannot come may do by the link in the mail."""

    OFFER = "offer", "Choose among times that fit"
    CALL_BACK = "call_back", "Ask to be called back"


def validate_time_zone(name: str) -> None:
    from zoneinfo import available_timezones

    if name not in available_timezones():
        raise ValidationError(f"{name} is not a time zone, such as America/New_York.")


def default_reminder_days() -> list[int]:
    return [3, 1]


SECOND_CHECKS = [("product", "Product and lots"), ("dose", "Dose"), ("rate", "Rates")]


def default_second_check() -> list[str]:
    return [what for what, _ in SECOND_CHECKS]


class SiteQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Sites that the person belongs to."""
        return self.filter(memberships__user=user)


class Site(PublicIdModel, TimestampedModel):
    name = models.CharField(max_length=80, unique=True)
    mail_name = models.CharField(
        "name in mails", max_length=80, blank=True, help_text="what patients' mail calls the site: nothing clinical"
    )
    time_zone = models.CharField(max_length=40, validators=[validate_time_zone])
    country = models.CharField(max_length=2, default="US", help_text="whose public holidays close the site")
    region = models.CharField(max_length=10, blank=True, help_text="state, for its own holidays")
    address = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    email = models.EmailField(blank=True)
    uses_24h_clock = models.BooleanField(default=True)

    preparation_minutes = models.PositiveSmallIntegerField(default=30)
    observation_minutes = models.PositiveSmallIntegerField(default=30)
    first_observation_minutes = models.PositiveSmallIntegerField(
        default=60, help_text="after a first dose or a change of brand"
    )
    start_hands_minutes = models.PositiveSmallIntegerField(default=30)
    end_hands_minutes = models.PositiveSmallIntegerField(default=15)
    travel_minutes = models.PositiveSmallIntegerField(default=30, help_text="before and after a home visit")
    default_ratio = models.PositiveSmallIntegerField(default=4, help_text="patients one nurse looks after at once")

    # How much each merit of a start counts when search ranks them; 0 leaves it out.
    weight_level = models.PositiveSmallIntegerField(default=3, validators=[MaxValueValidator(10)])
    weight_chairs = models.PositiveSmallIntegerField(default=2, validators=[MaxValueValidator(10)])
    weight_wishes = models.PositiveSmallIntegerField(default=3, validators=[MaxValueValidator(10)])
    weight_due = models.PositiveSmallIntegerField(default=3, validators=[MaxValueValidator(10)])
    offer_hours = models.PositiveSmallIntegerField(
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(72)],
        help_text="how long a waitlist offer stands",
    )

    reminder_days = models.JSONField(default=default_reminder_days, help_text="days before the visit")
    quiet_from = models.TimeField(default="20:00")
    quiet_until = models.TimeField(default="08:00")
    sends_hydration_mail = models.BooleanField(default=True, db_default=True, help_text="the evening before each visit")
    sends_after_care_mail = models.BooleanField(default=True, db_default=True, help_text="the day after each visit")
    sends_day_sheet = models.BooleanField(
        default=True, db_default=True, help_text="to each nurse, the evening before a shift"
    )
    move_requests = models.CharField(
        max_length=10,
        choices=MoveRequests,
        default=MoveRequests.OFFER,
        db_default=MoveRequests.OFFER,
        help_text="what the link to move a visit does",
    )
    cancel_cutoff_hours = models.PositiveSmallIntegerField(
        default=24,
        db_default=24,
        validators=[MaxValueValidator(168)],
        help_text="closer to the visit patients cannot cancel or move by link: they call",
    )
    hydration_target_ml = models.PositiveIntegerField(default=2000)
    hold_temperature_c = models.DecimalField(max_digits=3, decimal_places=1, default="38.0")
    hold_systolic_low = models.PositiveSmallIntegerField(default=90)
    hold_systolic_high = models.PositiveSmallIntegerField(default=180)
    hold_pulse_low = models.PositiveSmallIntegerField(default=50)
    hold_pulse_high = models.PositiveSmallIntegerField(default=120)
    hold_spo2_percent = models.PositiveSmallIntegerField(default=94)
    recheck_minutes = models.PositiveSmallIntegerField(
        default=60, validators=[MinValueValidator(10), MaxValueValidator(240)], help_text="after fluids, look again"
    )
    second_check = models.JSONField(
        default=default_second_check, blank=True, help_text="what a second person checks before the start; may be none"
    )
    pump_max_ml_per_h = models.PositiveSmallIntegerField(
        default=999, validators=[MinValueValidator(100), MaxValueValidator(9999)], help_text="what the pumps can run"
    )
    tracks_stock = models.BooleanField(default=False, help_text="vials given are taken from the site's stock")
    tablet_lock_minutes = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(15)],
        help_text="a shared tablet left alone locks",
    )

    objects = SiteQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class SiteMembership(models.Model):
    """A member of staff works at, and so may see, a site."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="site_memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "user"], name="site_membership_once")]


class OfSiteQuerySet(models.QuerySet):
    """Rows of a site: who belongs to it sees them."""

    def visible_to(self, user):
        return self.filter(site__memberships__user=user)


class OpeningHours(models.Model):
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(choices=WEEKDAYS)
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        ordering = ["weekday", "opens"]
        verbose_name_plural = "opening hours"
        constraints = [
            models.UniqueConstraint(fields=["site", "weekday"], name="opening_hours_once_a_weekday"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="opening_hours_forward"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="opening_hours_weekday"),
        ]


class Closure(PublicIdModel):
    """Whole local days, first to last included, on which a site takes no patients."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="closures")
    starts_on = models.DateField()
    ends_on = models.DateField()
    reason = models.CharField(max_length=80)
    is_holiday = models.BooleanField(default=False)

    objects = OfSiteQuerySet.as_manager()

    class Meta:
        ordering = ["starts_on"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="closure_forward"),
            models.UniqueConstraint(fields=["site", "starts_on", "ends_on", "reason"], name="closure_once"),
        ]

    def __str__(self):
        return f"{self.reason} ({self.starts_on} to {self.ends_on})"


class ChairKind(models.TextChoices):
    RECLINER = "recliner", "Recliner"
    BED = "bed", "Bed"
    PRIVATE_ROOM = "private_room", "Private room"


class Chair(PublicIdModel):
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="chairs")
    name = models.CharField(max_length=30)
    kind = models.CharField(max_length=20, choices=ChairKind, default=ChairKind.RECLINER)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    objects = OfSiteQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="chair_name_once_a_site")]

    def __str__(self):
        return self.name


class OutageQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(chair__site__memberships__user=user)


class ChairOutage(PublicIdModel):
    """A chair is out of service from starts_at until ends_at, or until further notice."""

    chair = models.ForeignKey(Chair, on_delete=models.PROTECT, related_name="outages")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=120)

    objects = OutageQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="outage_forward")
        ]


class NurseQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Nurses who share a site with the person."""
        shared = SiteMembership.objects.filter(user=OuterRef("user"), site__memberships__user=user)
        return self.filter(Exists(shared))


class Nurse(PublicIdModel):
    """A member of staff who may infuse."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="nurse")
    visits_homes = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects = NurseQuerySet.as_manager()

    class Meta:
        ordering = ["user__full_name"]

    def __str__(self):
        return self.user.full_name

    @property
    def initials(self) -> str:
        return self.user.initials


class Shift(PublicIdModel):
    """Hours that a nurse works at a site, or on the road from it, with how many patients at once."""

    nurse = models.ForeignKey(Nurse, on_delete=models.PROTECT, related_name="shifts")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="shifts")
    setting = models.CharField(max_length=10, choices=Setting, default=Setting.FACILITY)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ratio = models.PositiveSmallIntegerField(default=4, validators=[MinValueValidator(1), MaxValueValidator(MAX_RATIO)])

    objects = OfSiteQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        indexes = [models.Index(fields=["site", "starts_at"], name="shift_site_start")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="shift_forward"),
            models.CheckConstraint(condition=Q(ratio__gte=1, ratio__lte=MAX_RATIO), name="shift_ratio_in_range"),
            models.CheckConstraint(condition=Q(setting="facility") | Q(ratio=1), name="home_shift_one_patient"),
            models.UniqueConstraint(fields=["nurse", "starts_at"], name="shift_nurse_start_once"),
        ]

    def __str__(self):
        return f"{self.nurse} {self.starts_at:%Y-%m-%d %H:%M}-{self.ends_at:%H:%M} UTC"
