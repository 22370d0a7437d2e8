"""The ledger of messages owed: one row per appointment, its version, kind and channel; per waitlist offer; or per
nurse, site and day."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from infusion_center.core.models import PublicIdModel, TimestampedModel
from infusions.facility.models import Site
from infusions.reminders.about import DaySheet
from infusions.scheduling.models import Appointment, WaitlistOffer


class Kind(models.TextChoices):
    CONFIRMATION = "confirmation", "Confirmation"
    DAYS_14 = "days_14", "14 days before"
    DAYS_10 = "days_10", "10 days before"
    DAYS_7 = "days_7", "7 days before"
    DAYS_6 = "days_6", "6 days before"
    DAYS_5 = "days_5", "5 days before"
    DAYS_4 = "days_4", "4 days before"
    DAYS_3 = "days_3", "3 days before"
    DAYS_2 = "days_2", "2 days before"
    DAYS_1 = "days_1", "1 day before"
    HYDRATION = "hydration", "Evening before"
    MOVED = "moved", "Moved"
    CANCELLED = "cancelled", "Cancelled"
    OFFER = "offer", "Offer from the waitlist"
    ADVICE = "advice", "Advice after the visit"
    AFTER_CARE = "after_care", "Day after"
    DAY_SHEET = "day_sheet", "Day sheet of a nurse"


ANNOUNCING = frozenset({Kind.CONFIRMATION, Kind.MOVED})
# About a visit that is over: whatever became of its time, they are of use to whoever was here.
AFTERWARDS = frozenset({Kind.ADVICE, Kind.AFTER_CARE})
# Which day reminders a site may ask for.
DAYS_BEFORE: dict[Kind, int] = {kind: int(kind[5:]) for kind in Kind if kind.startswith("days_")}


class ReminderState(models.TextChoices):
    OWED = "owed", "Owed"
    CLAIMED = "claimed", "Being sent"
    SENT = "sent", "Sent"
    SKIPPED = "skipped", "Skipped"
    FAILED = "failed", "Failed"


UNSETTLED = frozenset({ReminderState.OWED, ReminderState.CLAIMED})


class Reason(models.TextChoices):
    """Why a message was skipped or failed."""

    MOVED = "moved", "The visit was moved: a newer message replaces this one"
    CANCELLED = "cancelled", "The visit was cancelled"
    BEGUN = "begun", "The visit has begun or is over"
    TOO_LATE = "too_late", "Too close to the visit for this reminder"
    TOLD_RECENTLY = "told_recently", "Booked or moved shortly before: that message said it all"
    NEVER_TOLD = "never_told", "The patient was never told of this visit"
    NO_DECENT_HOUR = "no_decent_hour", "No hour outside the quiet hours before the visit: call the patient"
    NO_CONSENT = "no_consent", "The patient does not want mail"
    NO_ADDRESS = "no_address", "No email address on file"
    INACTIVE = "inactive", "The patient's record is closed"
    ORDER_STOPPED = "order_stopped", "The order was stopped"
    SWITCHED_OFF = "switched_off", "The site no longer sends this reminder"
    ADDRESS_REFUSED = "address_refused", "The mail server refused the message for good"
    OFFER_OVER = "offer_over", "The offer is no longer open"
    OFFER_EXPIRED = "offer_expired", "The offer ended before it could be sent"
    OFFER_TAKEN = "offer_taken", "The time was taken before it could be offered"
    OFFER_NIGHT = "offer_night", "The offer ends before a decent hour: call the patient"
    GAVE_UP = "gave_up", "Given up after too many tries"
    BOUNCED = "bounced", "Mail to this address came back: call the patient"
    COMPLAINED = "complained", "The patient reported our mail as unwanted: call instead"
    NOTHING_ON = "nothing_on", "No visits that day"
    NOT_ON_SHIFT = "not_on_shift", "No shift that day any more"


# Where the reason means something else for a kind than its name says.
OWN_WORDS = {
    (Kind.HYDRATION, Reason.TOO_LATE): "The evening before the visit was over",
    (Kind.AFTER_CARE, Reason.TOO_LATE): "Too long after the visit",
    (Kind.DAY_SHEET, Reason.TOO_LATE): "The shift had begun",
    (Kind.DAY_SHEET, Reason.INACTIVE): "The person no longer works here",
    (Kind.DAY_SHEET, Reason.SWITCHED_OFF): "The site no longer sends day sheets",
}


class ReminderQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.of_sites(Site.objects.visible_to(user))

    def of_sites(self, sites):
        """Asked row by row: with joins, PostgreSQL reads all visits there ever were before it looks at the days."""
        visit = Appointment.objects.filter(pk=OuterRef("appointment"), site__in=sites)
        offer = WaitlistOffer.objects.filter(pk=OuterRef("offer"), entry__site__in=sites)
        return self.filter(Q(Exists(visit)) | Q(Exists(offer)) | Q(day_site__in=sites))

    def with_visit(self):
        """With what the message is about: a visit, an offer and its entry, or a nurse's day at a site."""
        return self.select_related(
            *("appointment__patient", "appointment__site", "appointment__order"),
            *("offer__entry__patient", "offer__entry__site", "offer__entry__order", "offer__entry__instead_of"),
            *("nurse__user", "day_site"),
        )

    def due(self, now):
        """Owed and due, or claimed by somebody whose lease ran out."""
        return self.filter(
            Q(state=ReminderState.OWED, due_at__lte=now) | Q(state=ReminderState.CLAIMED, lease_until__lte=now)
        )


class Reminder(PublicIdModel, TimestampedModel):
    appointment = models.ForeignKey(
        "infusions.Appointment", on_delete=models.PROTECT, null=True, blank=True, related_name="reminders"
    )
    appointment_version = models.PositiveIntegerField(default=0)
    offer = models.ForeignKey(
        "infusions.WaitlistOffer", on_delete=models.PROTECT, null=True, blank=True, related_name="reminders"
    )
    nurse = models.ForeignKey(
        "infusions.Nurse", on_delete=models.PROTECT, null=True, blank=True, related_name="reminders"
    )
    day = models.DateField(null=True, blank=True, help_text="of a day sheet, by the site's calendar")
    day_site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=15, choices=Kind)
    channel = models.CharField(max_length=10, default="email")
    resend_no = models.PositiveSmallIntegerField(
        default=0, help_text="0 for what the scan planned; each resend by staff is a further row"
    )
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ReminderState, default=ReminderState.OWED)
    reason = models.CharField(max_length=20, choices=Reason, blank=True, help_text="why skipped or failed")
    detail = models.CharField(max_length=200, blank=True, help_text="what the mail server last said")
    claimed_by = models.CharField(max_length=60, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True, blank=True, help_text="when sent, skipped or failed for good")
    message_id = models.CharField(max_length=120, blank=True)
    provider_id = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="by which the mail provider knows it"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    request_reason = models.CharField(max_length=200, blank=True, help_text="why somebody asked to send it again")

    objects = ReminderQuerySet.as_manager()

    class Meta:
        ordering = ["-due_at", "-id"]
        indexes = [
            models.Index(fields=["state", "due_at"], name="reminder_state_due"),
            models.Index(fields=["due_at"], name="reminder_due"),
            models.Index(fields=["provider_id"], name="reminder_provider_id", condition=~Q(provider_id="")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "appointment_version", "kind", "channel", "resend_no"],
                name="reminder_owed_once",
            ),
            models.UniqueConstraint(
                fields=["offer", "channel", "resend_no"], condition=Q(offer__isnull=False), name="reminder_offer_once"
            ),
            models.UniqueConstraint(
                fields=["nurse", "day", "day_site", "channel", "resend_no"],
                condition=Q(nurse__isnull=False),
                name="reminder_day_sheet_once",
            ),
            models.CheckConstraint(
                condition=Q(appointment__isnull=False, offer=None, nurse=None, day=None, day_site=None)
                | Q(appointment=None, offer__isnull=False, nurse=None, day=None, day_site=None)
                | Q(appointment=None, offer=None, nurse__isnull=False, day__isnull=False, day_site__isnull=False),
                name="reminder_about_one_thing",
            ),
            # Two planners that disagree on whether the patient was told before still announce a version once.
            models.UniqueConstraint(
                fields=["appointment", "appointment_version", "channel"],
                condition=Q(kind__in=["confirmation", "moved"], resend_no=0),
                name="reminder_version_announced_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["owed", "claimed"], settled_at=None)
                | Q(state__in=["sent", "skipped", "failed"], settled_at__isnull=False),
                name="reminder_settled_pair",
            ),
            models.CheckConstraint(
                condition=Q(resend_no=0, requested_by=None) | Q(resend_no__gt=0, requested_by__isnull=False),
                name="reminder_resend_has_person",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.public_id}"

    def get_reason_display(self) -> str:
        reason = self.reason and Reason(self.reason)
        return OWN_WORDS.get((Kind(self.kind), reason)) or (reason.label if reason else "")

    @property
    def about(self):
        """The visit, the offer or the day sheet. The first two name patient, site, order, start, end, is_home."""
        if self.nurse_id is not None:
            return DaySheet(nurse=self.nurse, day=self.day, site=self.day_site)
        return self.appointment if self.offer_id is None else self.offer

    @property
    def about_ids(self) -> dict[str, str]:
        """As audit events name it."""
        if self.nurse_id is not None:
            return {"nurse": self.nurse.public_id, "day": self.day.isoformat()}
        return {"visit" if self.offer_id is None else "offer": self.about.public_id}

    @property
    def patient(self):
        """None for a message to staff."""
        return self.about.patient

    @property
    def site(self):
        return self.about.site

    @property
    def reader_name(self) -> str:
        return self.nurse.user.full_name if self.patient is None else self.patient.name

    @property
    def reader_email(self) -> str:
        return self.nurse.user.email if self.patient is None else self.patient.email

    @property
    def reader_zone(self) -> str:
        return self.site.time_zone if self.patient is None else self.patient.time_zone

    @property
    def is_settled(self) -> bool:
        return self.settled_at is not None

    @property
    def face(self) -> str:
        """The state as badges name it."""
        return "sending" if self.state == ReminderState.CLAIMED else self.state
