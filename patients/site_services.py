"""Writes which sites treat a patient."""

import datetime as dt

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from patients.models import Patient
from patients.site_models import PatientSite


@transaction.atomic
def note_site(*, patient: Patient, site, by, why: str, now: dt.datetime | None = None) -> bool:
    """The site treats the patient from now on, so its staff see him. True where that is new; `why` is a code."""
    _, is_new = PatientSite.objects.get_or_create(
        patient=patient, site=site, defaults={"added_at": now or clock.now(), "added_by": by}
    )
    if is_new:
        audit.record(
            "patient.site_added",
            patient,
            by=by,
            patient=patient,
            site=site,
            why=why,
            **({} if by else {"actor": "Patient"}),
        )
    return is_new
