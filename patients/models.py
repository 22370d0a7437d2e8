"""The patient: identity, contact, and the dated facts that dosing and safety depend on."""

import datetime as dt

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from phonenumber_field.modelfields import PhoneNumberField

from infusion_center.core.models import PublicIdModel, TimestampedModel
from patients.emergency_models import emergency_where
from patients.site_models import treated_where


class Sex(models.TextChoices):
    FEMALE = "F", "Female"
    MALE = "M", "Male"


class Language(models.TextChoices):
    ENGLISH = "en", "English"
    SPANISH = "es", "Spanish"


def years_between(born: dt.date, day: dt.date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class PatientQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The one door through which pages fetch patients: those whom one of the person's sites treats."""
        return self.filter(treated_where(user)) if user.is_authenticated and user.is_active else self.none()

    def readable_by(self, user, now: dt.datetime):
        """Wider than visible_to by an open emergency access; only for the few pages of patients.reading.

        `is_of_own_site` tells which door it was.
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        own = self.annotate(is_of_own_site=treated_where(user))
        return own.filter(Q(is_of_own_site=True) | emergency_where(user, now))


class Patient(PublicIdModel, TimestampedModel):
    mrn = models.CharField(
        "MRN",
        max_length=20,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9-]+$", "Letters, digits and hyphens.")],
    )
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    chosen_name = models.CharField(max_length=80, blank=True, help_text="the given name the patient goes by")
    date_of_birth = models.DateField()
    sex = models.CharField("sex for dosing", max_length=1, choices=Sex)
    height_cm = models.DecimalField(
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(30), MaxValueValidator(250)],
    )
    blood_group = models.CharField(max_length=3, blank=True, choices=[(g, g) for g in ("O", "A", "B", "AB")])
    diagnosis_code = models.CharField("ICD-10-CM code", max_length=8, blank=True)
    diagnosis_text = models.CharField("diagnosis", max_length=200, blank=True)
    fluid_restriction_ml_per_day = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(200), MaxValueValidator(5000)]
    )
    email = models.EmailField(blank=True)
    phone = PhoneNumberField(blank=True)
    address_line = models.CharField("street and number", max_length=120, blank=True)
    city = models.CharField(max_length=80, blank=True)
    region = models.CharField("state", max_length=40, blank=True)
    postal_code = models.CharField(max_length=12, blank=True)
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    time_zone = models.CharField(max_length=40, default="America/New_York")
    preferences = models.CharField("booking wishes", max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_test = models.BooleanField(
        "test patient",
        default=False,
        db_default=False,
        help_text="made up, to try things; said at registration and never changed",
    )
    version = models.PositiveIntegerField(default=1, help_text="raised by every amendment: a stale form is refused")

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["family_name", "given_name", "mrn"]
        indexes = [models.Index(fields=["date_of_birth"], name="patient_date_of_birth")]

    def __str__(self):
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("patients:patient-detail", args=[self.public_id])

    @property
    def name(self) -> str:
        """As the patient is called, family name first: NAME on banners, lists and the board."""
        return f"{self.family_name}, {self.chosen_name or self.given_name}"

    @property
    def full_legal_name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    def age_on(self, day: dt.date) -> int:
        return years_between(self.date_of_birth, day)


class SearchKey(models.Model):
    """One word by which a patient is found, as written and as it sounds. Rewritten with each amendment.

    Names, the date of birth (19610312), the email address, and each ending of record and telephone number, so that
    any part of a number is the beginning of some key.
    """

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="search_keys", db_index=False)
    word = models.CharField(max_length=80)
    sound = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["word"], name="search_key_word"),
            models.Index(fields=["sound", "word"], name="search_key_sound_word"),
        ]
        # Serves look-ups by patient too, hence no index on the foreign key alone.
        constraints = [models.UniqueConstraint(fields=["patient", "word"], name="search_key_once")]


class RetractableQuerySet(models.QuerySet):
    def current(self):
        return self.filter(retracted_at=None)


class RetractableFact(models.Model):
    """A clinical fact is never edited: it is retracted by name and, if need be, recorded anew."""

    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    retracted_at = models.DateTimeField(null=True, blank=True)
    retracted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    retract_reason = models.CharField(max_length=200, blank=True)

    objects = RetractableQuerySet.as_manager()

    class Meta:
        abstract = True


class Weight(PublicIdModel, RetractableFact):
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="weights")
    kg = models.DecimalField(max_digits=5, decimal_places=2, validators=[MinValueValidator(1), MaxValueValidator(400)])
    measured_on = models.DateField()

    class Meta:
        ordering = ["-measured_on", "-recorded_at"]
        indexes = [models.Index(fields=["patient", "-measured_on"], name="weight_patient_day")]
        constraints = [models.CheckConstraint(condition=models.Q(kg__gte=1, kg__lte=400), name="weight_kg_plausible")]

    def __str__(self):
        return f"{self.kg.normalize():f} kg on {self.measured_on:%d-%b-%Y}"


class Condition(models.TextChoices):
    """Allergies, intolerances and conditions that decide which product may be given."""

    IG_REACTION = "ig_reaction", "Severe reaction to immune globulin"
    IGA_DEFICIENCY_ANTI_IGA = "iga_deficiency_anti_iga", "IgA deficiency with anti-IgA"
    HEREDITARY_FRUCTOSE_INTOLERANCE = "hereditary_fructose_intolerance", "Hereditary fructose intolerance"
    HYPERPROLINEMIA = "hyperprolinemia", "Hyperprolinemia"
    CORN = "corn", "Corn allergy"
    LATEX = "latex", "Latex allergy"
    DIABETES = "diabetes", "Diabetes (glucose meter)"
    OTHER = "other", "Other"


class Allergy(PublicIdModel, RetractableFact):
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="allergies")
    code = models.CharField(max_length=40, choices=Condition)
    text = models.CharField("details", max_length=200, blank=True)

    class Meta:
        ordering = ["code"]
        verbose_name_plural = "allergies"
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "code"],
                condition=models.Q(retracted_at=None) & ~models.Q(code="other"),
                name="allergy_once_per_patient",
            ),
            models.CheckConstraint(condition=~models.Q(code="other", text=""), name="other_allergy_has_text"),
        ]

    def __str__(self):
        return self.text if self.code == Condition.OTHER else self.get_code_display()


class Risk(models.TextChoices):
    """Risk factors of the boxed warning: thrombosis and renal failure."""

    IMMOBILISATION = "immobilisation", "Long immobilisation"
    HYPERCOAGULABLE = "hypercoagulable", "Hypercoagulable state"
    THROMBOSIS_HISTORY = "thrombosis_history", "Earlier thrombosis"
    OESTROGEN = "oestrogen", "Estrogens"
    CENTRAL_LINE = "central_line", "Central venous catheter"
    HYPERVISCOSITY = "hyperviscosity", "Hyperviscosity"
    CARDIOVASCULAR = "cardiovascular", "Cardiovascular risk"
    RENAL_INSUFFICIENCY = "renal_insufficiency", "Renal insufficiency"
    DIABETES = "diabetes", "Diabetes"
    VOLUME_DEPLETION = "volume_depletion", "Volume depletion"
    SEPSIS = "sepsis", "Sepsis"
    PARAPROTEINEMIA = "paraproteinemia", "Paraproteinemia"
    NEPHROTOXIC_DRUGS = "nephrotoxic_drugs", "Nephrotoxic drugs"


RENAL_RISKS = frozenset(
    {
        Risk.RENAL_INSUFFICIENCY,
        Risk.DIABETES,
        Risk.VOLUME_DEPLETION,
        Risk.SEPSIS,
        Risk.PARAPROTEINEMIA,
        Risk.NEPHROTOXIC_DRUGS,
    }
)
THROMBOSIS_RISKS = frozenset(set(Risk) - RENAL_RISKS)


class RiskFactor(PublicIdModel, RetractableFact):
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="risk_factors")
    code = models.CharField(max_length=40, choices=Risk)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "code"], condition=models.Q(retracted_at=None), name="risk_once_per_patient"
            )
        ]

    def __str__(self):
        return self.get_code_display()


class Channel(models.TextChoices):
    EMAIL = "email", "Email"
    PHONE = "phone", "Phone call"


class ContactPreference(models.Model):
    """A decision of the patient about one channel; the latest one counts, earlier ones stay readable."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="contact_preferences")
    channel = models.CharField(max_length=10, choices=Channel)
    consents = models.BooleanField()
    decided_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="empty: the patient, by a link",
    )

    class Meta:
        ordering = ["-recorded_at", "-id"]

    def __str__(self):
        return f"{self.get_channel_display()}: {'yes' if self.consents else 'no'} since {self.decided_on:%d-%b-%Y}"


# Django looks for tables here.
from patients.import_models import *  # noqa: E402, F403
