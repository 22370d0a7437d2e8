"""The page that hands out everything kept about one patient."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.core.csv_text import download_headers
from infusions.reports.export_forms import ExportForm
from infusions.reports.patient_export import export_patient
from patients.models import Patient


@requires(Permission.EXPORT_PATIENT)
@proof_required(download=True)
def patient_export(request, patient_id):
    """Never by an emergency access: that is to read only."""
    patient = get_object_or_404(Patient.objects.visible_to(request.user), public_id=patient_id)
    form = ExportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        download = export_patient(patient=patient, by=request.user, **form.cleaned_data)
        headers = download_headers(download.name)
        return HttpResponse(download.content, content_type=download.content_type, headers=headers)
    audit.will_open(patient, by=request.user, patient=patient, what="export")
    return render(request, "infusions/reports/patient_export_form.html", {"patient": patient, "form": form})
