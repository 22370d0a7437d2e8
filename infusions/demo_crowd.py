"""Patients of the bigger demo tiers, in bulk: who they are, what they get and how long they are booked ahead."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from infusion_center.core.models import PUBLIC_ID_ALPHABET
from infusions.demo_people import COURSES, FAMILY_NAMES, GIVEN_NAMES, STREETS, Course
from infusions.demo_plans import PlanBook
from infusions.demo_sites import BATCH, Place
from infusions.facility.models import Site
from infusions.orders.models import InfusionOrder
from patients.models import ContactPreference, Patient, SearchKey, Weight
from patients.queries import AGE_AT_RISK
from patients.search_keys import search_keys
from patients.site_models import PatientSite

if TYPE_CHECKING:
    from infusions.demo_tiers import Tier

YEAR = dt.timedelta(days=365)
OPEN_MINUTES = 13 * 60
MOST_MINUTES_AT_HOME = 5 * 60
ONE_DAY_COURSES = [course for course in COURSES if course.days == 1]
NAME_ENDS = (
    "", "wood", "field", "mere", "ford", "ley", "ton", "by", "stead", "well", "brook", "hurst", "croft",
    "dale", "worth", "gate", "shaw", "combe", "thorpe", "march", "mond", "wick", "ness", "holm", "land",
)  # fmt: skip


@dataclass
class Guest:
    """A patient of the crowd with what his visits follow from; `periods` are the days of each of his orders."""

    patient: Patient
    course: Course
    kg: int
    at_risk: bool
    at_home: bool
    minutes: int  # of the infusion
    periods: list[tuple[dt.date, dt.date]]
    is_stopped: bool = False
    booked_until: dt.date | None = None
    orders: list[InfusionOrder] = field(default_factory=list)

    def period_on(self, day: dt.date) -> int | None:
        """Which of his orders is in force on the day."""
        for number, (starts_on, valid_until) in enumerate(self.periods):
            if starts_on <= day <= valid_until:
                return number
        return None


@dataclass
class Crowd:
    """The patients of one place."""

    place: Place
    plans: PlanBook
    dice: random.Random
    today: dt.date
    first_day: dt.date
    first_number: int = 0
    guests: list[Guest] = field(default_factory=list)

    def gather(self, tier: Tier) -> None:
        """As many patients as the tier says. When the chairs are taken as far as they shall be, the others stopped."""
        site = self.place.site
        around = site.preparation_minutes + site.observation_minutes
        minutes_a_day = tier.fill * len(self.place.chairs) * OPEN_MINUTES * tier.weekdays / 7
        for number in range(tier.patients):
            guest = self.make_guest(number)
            minutes_a_day -= 0 if guest.at_home else (guest.minutes + around) / guest.course.interval_days
            guest.is_stopped = minutes_a_day < 0 or number % 50 == 49
            guest.booked_until = dt.date.min if guest.is_stopped else self.booking_horizon(guest)
            self.guests.append(guest)

    def make_guest(self, number: int) -> Guest:
        patient = make_patient(self.dice, self.first_number + number + 1, self.today, self.place.site.time_zone)
        course, kg = self.dice.choice(ONE_DAY_COURSES), self.dice.randrange(48, 103, 3)
        at_risk = patient.age_on(self.today) > AGE_AT_RISK
        minutes = self.plans.minutes(course, kg, at_risk)
        at_home = bool(self.place.home_nurses) and minutes <= MOST_MINUTES_AT_HOME and self.dice.random() < 0.15
        return Guest(patient, course, kg, at_risk, at_home, minutes, self.order_periods())

    def order_periods(self) -> list[tuple[dt.date, dt.date]]:
        """A year each, one after the other, the last one in force today; the first begins before the history."""
        starts_on = self.today - dt.timedelta(days=self.dice.randint(20, 340))
        periods = [(starts_on, starts_on + YEAR - dt.timedelta(days=1))]
        while periods[0][0] > self.first_day:
            earlier = periods[0][0] - YEAR
            periods.insert(0, (earlier, periods[0][0] - dt.timedelta(days=1)))
        return periods

    def booking_horizon(self, guest: Guest) -> dt.date:
        """Up to when his visits are booked: everybody's for the next weeks, ever fewer beyond."""
        ahead = 10 + int(self.dice.triangular(0, 70, 8))
        return min(self.today + dt.timedelta(days=ahead), guest.periods[-1][1])


def make_patient(dice: random.Random, number: int, today: dt.date, time_zone: str) -> Patient:
    """An unsaved patient, plainly fictional."""
    sex = dice.choice("FM")
    given = dice.choice(GIVEN_NAMES[sex].split())
    family = dice.choice(FAMILY_NAMES) + dice.choice(NAME_ENDS)
    return Patient(
        public_id=public_id(dice),
        mrn=f"DEMO{number:06d}",
        given_name=given,
        family_name=family,
        date_of_birth=today - dt.timedelta(days=dice.randint(19 * 365, 84 * 365)),
        sex=sex,
        height_cm=Decimal(dice.randint(152, 192)),
        email=f"{given}.{family}{number}@patients.example.org".lower(),
        phone=f"+1{200 + number // 100 % 800}55501{number % 100:02d}",
        address_line=f"{dice.randint(1, 99)} {dice.choice(STREETS)}",
        city="Demoville",
        postal_code="10001",
        language="es" if number % 12 == 0 else "en",
        time_zone=time_zone,
        is_test=True,
    )


def public_id(dice: random.Random) -> str:
    return "".join(dice.choices(PUBLIC_ID_ALPHABET, k=14))


def write_patients(crowd: Crowd, *, now: dt.datetime) -> None:
    """Patients of the place, search keys, weight and consent."""
    save_patients((guest.patient for guest in crowd.guests), site=crowd.place.site, now=now)
    recorded = {"recorded_at": now, "recorded_by": crowd.place.nurses[0].user}
    Weight.objects.bulk_create(
        (
            Weight(patient=guest.patient, kg=guest.kg, measured_on=guest.periods[-1][0], **recorded)
            for guest in crowd.guests
        ),
        batch_size=BATCH,
    )
    ContactPreference.objects.bulk_create(
        (
            ContactPreference(
                patient=guest.patient,
                channel="email",
                consents=number % 20 != 0,
                decided_on=guest.periods[-1][0],
                **recorded,
            )
            for number, guest in enumerate(crowd.guests)
        ),
        batch_size=BATCH,
    )


def save_patients(patients: Iterable[Patient], *, site: Site, now: dt.datetime) -> list[Patient]:
    """With the site that treats them and the keys by which they are found."""
    saved = Patient.objects.bulk_create(patients, batch_size=BATCH)
    links = (PatientSite(patient=patient, site=site, added_at=now) for patient in saved)
    PatientSite.objects.bulk_create(links, batch_size=BATCH)
    SearchKey.objects.bulk_create((key for patient in saved for key in search_keys(patient)), batch_size=BATCH)
    return saved
