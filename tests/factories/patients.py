"""Plainly fictional patients for tests."""

import datetime as dt
from decimal import Decimal
from itertools import count

from infusion_center.core import clock
from infusions.facility.models import Site
from patients.models import Channel, ContactPreference, Patient, Weight
from patients.search_keys import write_search_keys
from patients.site_models import PatientSite
from tests.factories.accounts import make_staff

numbers = count(1)


def link_site(patient: Patient, site: Site) -> None:
    PatientSite.objects.get_or_create(patient=patient, site=site, defaults={"added_at": clock.now()})


def make_patient(*, kg: str | None = "70", consents: bool = True, site: Site | None = None, **fields) -> Patient:
    """A grown patient of 70 kg, weighed a week ago, who agreed to mail; treated at the site, by default the first."""
    number = next(numbers)
    values = {
        "mrn": f"T{number:05d}",
        "given_name": "Test",
        "family_name": f"Patient{number}",
        "date_of_birth": dt.date(1980, 3, 12),
        "sex": "F",
        "height_cm": Decimal("168"),
        "email": f"patient{number}@example.org",
    }
    patient = Patient.objects.create(**{**values, **fields})
    write_search_keys(patient)
    if site := site or Site.objects.order_by("pk").first():
        link_site(patient, site)
    now = clock.now()
    if kg is not None:
        measured_on = now.date() - dt.timedelta(days=7)
        Weight.objects.create(
            patient=patient, kg=Decimal(kg), measured_on=measured_on, recorded_at=now, recorded_by=make_staff()
        )
    ContactPreference.objects.create(
        patient=patient, channel=Channel.EMAIL, consents=consents, decided_on=now.date(), recorded_at=now
    )
    return patient
