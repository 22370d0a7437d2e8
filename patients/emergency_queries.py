"""Reads about emergency access: what stands open, what waits for review, whom to tell, what was opened during it."""

import datetime as dt

from django.db.models import Exists, OuterRef, Q, QuerySet

from infusion_center.accounts.models import User
from infusion_center.accounts.queries import managers
from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.audit.models import AuditEvent
from patients.emergency_models import EmergencyAccess
from patients.emergency_rules import FOUND_WITHIN, MET_FOR, WRONG_TRIES_WITHIN
from patients.models import Patient
from patients.names import fold
from patients.site_models import PatientSite

SEVERAL = 2


def open_access(user, patient: Patient, now: dt.datetime) -> EmergencyAccess | None:
    """Which lets this person read this patient now; of an access and its extension the one that ends later."""
    if not has_permission(user, Permission.BREAK_GLASS):
        return None
    mine = EmergencyAccess.objects.open(now).filter(user=user, patient=patient)
    return mine.order_by("-ends_at", "-pk").first()


def open_accesses_of(user, now: dt.datetime) -> list[EmergencyAccess]:
    """One for each patient, the longest; to show a person what he has open."""
    found = EmergencyAccess.objects.open(now).filter(user=user).select_related("patient").order_by("ends_at", "pk")
    return list({access.patient_id: access for access in found}.values())


def wrong_tries(user, now: dt.datetime) -> int:
    tries = AuditEvent.objects.by_user(user).filter(action="emergency.not_found", at__gt=now - WRONG_TRIES_WITHIN)
    return tries.count()


def found_lately(user, now: dt.datetime) -> set[str]:
    """Public ids of the patients whom this person found within the hour, opened or not."""
    found = AuditEvent.objects.by_user(user).filter(action="emergency.found", at__gt=now - FOUND_WITHIN)
    return set(found.values_list("patient_id", flat=True))


def met_in_emergency(user, patient: Patient, now: dt.datetime) -> bool:
    """Whether what the person knows of this patient may come from an emergency search or access of the last day."""
    events = AuditEvent.objects.about_patient(patient).by_user(user).filter(at__gt=now - MET_FOR)
    return events.filter(action__in=("emergency.found", "emergency.opened", "emergency.extended")).exists()


def patients_named(*, mrn: str, family_name: str, date_of_birth: dt.date | None, given_name: str) -> list[Patient]:
    """Whole numbers and whole names only; accents and capitals do not matter. At most as many as are needed to see
    that it is not one."""
    if mrn:
        return list(Patient.objects.filter(mrn__iexact=mrn)[:SEVERAL])
    if not family_name or date_of_birth is None:
        return []
    born = Patient.objects.filter(date_of_birth=date_of_birth).order_by("pk")
    return [
        patient
        for patient in born
        if fold(patient.family_name) == fold(family_name)
        and (not given_name or fold(given_name) in {fold(patient.given_name), fold(patient.chosen_name)})
    ][:SEVERAL]


def managers_to_tell(access: EmergencyAccess) -> list[User]:
    """Managers of the patient's sites and of the person's; where there is none, all managers. Never the person."""
    others = managers().exclude(pk=access.user_id)
    at_the_patients = Q(site_memberships__site__patient_links__patient=access.patient)
    at_the_persons = Q(site_memberships__site__memberships__user=access.user)
    near = others.filter(at_the_patients | at_the_persons).distinct()
    return list(near.order_by("pk")) or list(others.order_by("pk"))


def accesses_seen_by(manager) -> QuerySet[EmergencyAccess]:
    """Those that concern a site of the manager: the patient's or the person's. Newest first."""
    sites = manager.site_memberships.values("site")
    by_patient = PatientSite.objects.filter(site__in=sites, patient=OuterRef("patient"))
    by_person = User.objects.filter(site_memberships__site__in=sites, pk=OuterRef("user"))
    return EmergencyAccess.objects.filter(Exists(by_patient) | Exists(by_person))


def opened_during(access: EmergencyAccess) -> QuerySet[AuditEvent]:
    """What the person did within it, as the trail marked it, oldest first."""
    events = AuditEvent.objects.about_patient(access.patient).filter(actor_id=access.user_id, at__gte=access.opened_at)
    return events.filter(detail__emergency=access.public_id).order_by("at", "id")
