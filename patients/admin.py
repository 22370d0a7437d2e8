from django.contrib import admin

from infusion_center.audit import services as audit
from infusion_center.core.admin import ReadOnlyAdmin, row_or_404
from patients.models import Patient


@admin.register(Patient)
class PatientAdmin(ReadOnlyAdmin):
    """Looking here is looking at a chart: it is recorded like that. No search: its words would stand in the address."""

    list_display = ["name", "mrn", "date_of_birth", "is_active", "version"]

    def note_opening(self, request, object_id: str) -> None:
        patient = row_or_404(Patient.objects.visible_to(request.user), object_id)
        audit.record_opening(patient, by=request.user, patient=patient, what="admin")
