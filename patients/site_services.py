"""Writes which sites treat a patient."""

import datetime as dt

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker
from patients.emergency_queries import met_in_emergency
from patients.models import Patient
from patients.site_mail import tell_other_sites
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


# One answer whatever is wrong: nobody learns by trying who is registered elsewhere.
NOT_THIS_PATIENT = blocker(
    "no-such-patient",
    "No patient has this MRN, date of birth and family name together.",
    remedy="Check all three with the patient, or register him as new.",
)
FOUND_BY_EMERGENCY = blocker(
    "found-by-emergency",
    "You found this patient by emergency access within the last day, which is to read for an hour and no more.",
    remedy="A colleague who did not has to add the patient here, or the other site has to.",
)


def treat_here(*, mrn: str, date_of_birth: dt.date, family_name: str, site, by) -> Patient:
    """The site treats a patient of another one too, whom somebody knows by record number, birthday and family name.

    Wrong tries are recorded as well, without what was typed. What an emergency search shows is all that is asked here,
    so who searched adds nobody: an hour's reading would become a lasting access. Raises RuleViolation.

    No transaction here: a refusal has to stay in the trail.
    """
    now = clock.now()
    patient = Patient.objects.filter(mrn=mrn.strip().upper(), date_of_birth=date_of_birth).first()
    if patient is None or _folded(patient.family_name) != _folded(family_name):
        audit.record("patient.treat_here_refused", by, by=by, site=site)
        raise RuleViolation([NOT_THIS_PATIENT])
    if met_in_emergency(by, patient, now) and not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
        audit.record("patient.treat_here_refused", by, by=by, patient=patient, site=site, why="found-by-emergency")
        raise RuleViolation([FOUND_BY_EMERGENCY])
    if note_site(patient=patient, site=site, by=by, why="treat-here", now=now):
        transaction.on_commit(lambda: tell_other_sites(patient=patient, site=site, person=by))
    return patient


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
