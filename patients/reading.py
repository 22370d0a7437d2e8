"""The wider door of the few pages that an emergency access opens, to read. Every other page keeps to visible_to."""

from django.http import Http404
from django.shortcuts import get_object_or_404

from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.core import clock
from patients.emergency_queries import open_access
from patients.models import Patient

READS = frozenset(
    {
        Permission.VIEW_PATIENT,
        Permission.VIEW_ORDER,
        Permission.VIEW_SCHEDULE,
        Permission.VIEW_FORMULARY,
        Permission.VIEW_DOSE,
    }
)


def readable_patient(request, patient_id: str) -> Patient:
    """By whichever door; 404 where both are shut."""
    patients = Patient.objects.readable_by(request.user, clock.now())
    patient = get_object_or_404(patients, public_id=patient_id)
    if not patient.is_of_own_site:
        note_emergency(request, patient)
    return patient


def read_patient(request, patient_id: str, *, what: str) -> Patient:
    """The patient of a page that an emergency access opens too; that somebody saw him is recorded."""
    patient = readable_patient(request, patient_id)
    record_reading(request, patient, patient, what=what)
    return patient


def record_reading(request, target, patient: Patient, *, what: str) -> None:
    """As audit.record_opening, marked with the emergency access that let the person in."""
    audit.record("chart.opened", target, by=request.user, patient=patient, what=what, **emergency_mark(request))


def note_emergency(request, patient: Patient) -> None:
    """The page is open by an emergency access only: its banner, its audit events and its buttons follow."""
    request.emergency = open_access(request.user, patient, clock.now())
    if request.emergency is None:  # it ended a moment ago
        raise Http404


def emergency_mark(request) -> dict[str, str]:
    """For the detail of audit events of this request: {} in the ordinary case."""
    access = getattr(request, "emergency", None)
    return {"emergency": access.public_id} if access else {}


def permissions_here(request) -> frozenset[Permission]:
    """What the person may do on this page: to read only, where an emergency access opened it."""
    permissions = request.user.permissions
    return permissions & READS if getattr(request, "emergency", None) else permissions
