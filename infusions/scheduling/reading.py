"""Visits on the few pages that an emergency access opens, see patients.reading: all sites' of that one patient."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from infusion_center.core import clock
from infusions.scheduling.models import Appointment
from patients.emergency_models import emergency_where
from patients.models import Patient
from patients.reading import emergency_mark, note_emergency


def readable_visit(request, appointment_id: str) -> Appointment:
    """One visit to look at, never to act on; 404 where neither the sites nor an emergency access open it."""
    visits = Appointment.objects.with_people().select_related("order__patient", "booked_by")
    visit = visits.visible_to(request.user).filter(public_id=appointment_id).first()
    if visit is None:
        behind_glass = visits.filter(emergency_where(request.user, clock.now(), "patient"))
        visit = get_object_or_404(behind_glass, public_id=appointment_id)
        note_emergency(request, visit.patient)
    return visit


def visits_to_read(request, patient: Patient) -> QuerySet[Appointment]:
    """Of a patient whose page is open already (patients.reading.readable_patient)."""
    visits = Appointment.objects.filter(patient=patient)
    return visits if emergency_mark(request) else visits.visible_to(request.user)
