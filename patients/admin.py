from django.contrib import admin

from infusion_center.audit import services as audit
from infusion_center.core.admin import ReadOnlyAdmin, row_or_404
from patients.models import Patient


@admin.register(Patient)
class PatientAdmin(ReadOnlyAdmin):
    """Looking here is looking at a chart: it is recorded like that."""

    list_display = ["name", "mrn", "date_of_birth", "is_active", "version"]
    search_fields = ["=mrn", "=public_id"]
    search_help_text = "A whole MRN or public id; for names use the patient search."

    def change_view(self, request, object_id, form_url="", extra_context=None):
        patient = row_or_404(Patient.objects.visible_to(request.user), object_id)
        audit.record_opening(patient, by=request.user, patient=patient, what="admin")
        return super().change_view(request, object_id, form_url, extra_context)
