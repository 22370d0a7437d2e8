"""Whom the sites of an older database treat: where each patient was seen or waits, else all."""

from importlib import import_module
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection

from patients.site_models import PatientSite
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment, next_weekday
from tests.factories.waitlist import make_entry

pytestmark = pytest.mark.django_db


def test_patients_of_an_older_database_get_the_sites_that_know_them():
    first, second, third = (make_site() for _ in range(3))
    seen = make_appointment(site=first).patient
    for ahead in (8, 15):
        make_appointment(site=second, patient=seen, day=next_weekday(second, ahead=ahead))
    waits = make_entry(site=second).patient
    unknown = make_patient()
    PatientSite.objects.all().delete()

    fill = import_module("patients.migrations.0003_patient_sites").link_patients
    fill(None, SimpleNamespace(connection=connection))

    assert set(PatientSite.objects.values_list("patient", "site")) == {
        (seen.pk, first.pk),
        (seen.pk, second.pk),
        (waits.pk, second.pk),
        *((unknown.pk, site.pk) for site in (first, second, third)),
    }
    assert {link.added_at.tzinfo is not None for link in PatientSite.objects.all()} == {True}


def test_patients_whom_an_old_web_registered_meanwhile_are_linked_once():
    site, other = make_site(), make_site()
    known = make_appointment(site=site).patient
    make_appointment(site=other, patient=known, day=next_weekday(other, ahead=8))
    registered = make_appointment(site=site).patient
    PatientSite.objects.filter(patient=registered).delete()
    PatientSite.objects.filter(patient=known, site=other).delete()
    said = [link_again(), link_again()]
    assert said == ["2 patients and sites linked.\n", "0 patients and sites linked.\n"]
    expected = {(known.pk, site.pk), (known.pk, other.pk), (registered.pk, site.pk)}
    assert set(PatientSite.objects.values_list("patient", "site")) == expected


def link_again() -> str:
    said = StringIO()
    call_command("link_patients", stdout=said)
    return said.getvalue()
