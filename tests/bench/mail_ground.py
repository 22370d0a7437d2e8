"""Visits that are owed mails: copies of one visit, each with a patient of its own who wants mail."""

from __future__ import annotations

from django.db import connection, transaction

from infusion_center.core import clock
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import UPCOMING
from patients.models import Channel, ContactPreference, Patient
from patients.services import set_contact_consent
from tests.bench.recalls import FIRST, copies, pad, unguarded

DOMAINS = 40
FIRST_VISIT = 2 * FIRST  # behind all that the recall among millions of vials writes


def template_visit() -> Appointment:
    """One ahead, whose patient wants mail."""
    visit = Appointment.objects.filter(state__in=UPCOMING, start__gt=clock.now()).order_by("-start").first()
    set_contact_consent(patient=visit.patient, channel=Channel.EMAIL, consents=True, by=None)
    return visit


def add_visits(count: int) -> None:
    """So many visits three to five days ahead, just booked."""
    visit = template_visit()
    consent = ContactPreference.objects.filter(patient=visit.patient, channel=Channel.EMAIL).latest("recorded_at")
    number, unique = f"{FIRST_VISIT} + n", {"public_id": pad(f"{FIRST_VISIT} + n", 14)}
    email = f"'visitor' || n || '@domain' || (n % {DOMAINS}) || '.example'"
    with transaction.atomic() if connection.vendor == "postgresql" else unguarded(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        patient = {"id": number, "mrn": f"'M' || {pad('n', 9)}", "email": email, **unique}
        cursor.execute(copies(Patient, visit.patient_id, count, **patient))
        cursor.execute(copies(ContactPreference, consent.pk, count, id=number, patient_id=number))
        moments = {"start": ahead(0), "end": ahead(240), "created_at": ahead(None), "updated_at": ahead(None)}
        same = {"id": number, "patient_id": number, "idempotency_token": "NULL", "version": "1", **unique}
        cursor.execute(copies(Appointment, visit.pk, count, **same, **moments))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def ahead(minutes: int | None) -> str:
    """Three to five days from now, spread by the visit's number; or now."""
    now = f"{clock.now():%Y-%m-%d %H:%M:%S}"
    later = None if minutes is None else f"({minutes + 3 * 1440} + n % 2880)"
    if connection.vendor == "postgresql":
        return f"(timestamptz '{now}+00'" + (f" + {later} * interval '1 minute')" if later else ")")
    return f"datetime('{now}', '+' || {later} || ' minutes')" if later else f"'{now}'"
