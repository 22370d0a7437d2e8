"""The floor: what a signed-in page of this project costs that runs one indexed query and shows next to nothing."""

from django.http import HttpResponse
from django.shortcuts import render

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from patients.models import Patient


@requires(Permission.VIEW_PATIENT)
def page(request, patient_id):
    """Session, person, roles, sites, the frame with its menu: what every page has; and one row by its unique index."""
    return render(request, "bench/floor.html", {"patient": Patient.objects.get(public_id=patient_id)})


@requires(Permission.VIEW_PATIENT)
def bare(request, patient_id):
    """The same without any frame: session, person, roles, one row, twenty bytes. No page that people use is so bare."""
    return HttpResponse(Patient.objects.get(public_id=patient_id).public_id)
