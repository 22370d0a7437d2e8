from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.audit.access import reach_of
from infusion_center.audit.forms import TrailFilterForm
from infusion_center.audit.presenters import present
from infusion_center.audit.queries import TrailFilter, trail
from infusions.facility.queries import current_site
from patients.models import Patient

PAGE = 50


@requires(Permission.VIEW_AUDIT)
def trail_index(request):
    form = TrailFilterForm(request.GET or None, reach=reach_of(request.user))
    wanted = {}
    if form.is_bound and form.is_valid():
        person, values = form.cleaned_data["person"], form.cleaned_data
        wanted = {
            "actor_id": person.pk if person else None,
            "patient_id": form.patient_id(),
            "action": values["action"],
            "day": values["day"],
        }
    page = _page(request, **wanted)
    return render(request, "audit/trail.html", {"form": form, "page": page, "events": [present(e) for e in page]})


@requires(Permission.VIEW_AUDIT)
def patient_trail(request, patient_id):
    patient = get_object_or_404(Patient.objects.visible_to(request.user), public_id=patient_id)
    audit.record_opening(patient, by=request.user, patient=patient, what="the patient's audit trail")
    page = _page(request, patient_id=patient.public_id)
    context = {"patient": patient, "page": page, "events": [present(event) for event in page]}
    return render(request, "audit/patient_trail.html", context)


def _page(request, **wanted):
    site = current_site(request)
    zone = site.time_zone if site else "UTC"
    events = trail(TrailFilter(reach=reach_of(request.user), time_zone=zone, **wanted))
    return Paginator(events, PAGE).get_page(request.GET.get("page"))
