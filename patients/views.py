"""Search, registration and amendment of patients."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404, render

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from patients.models import Patient


def opened_patient(request: HttpRequest, patient_id: str, *, what: str) -> Patient:
    """The patient of this page; that somebody saw him is recorded. 404 for one whom the person may not see."""
    patient = get_object_or_404(Patient.objects.visible_to(request.user), public_id=patient_id)
    if request.method != "POST":
        audit.record_opening(patient, by=request.user, patient=patient, what=what)
    return patient


@requires(Permission.VIEW_PATIENT)
def patient_detail(request, patient_id):
    patient = opened_patient(request, patient_id, what="chart")
    return render(request, "patients/patient_detail.html", {"patient": patient})
