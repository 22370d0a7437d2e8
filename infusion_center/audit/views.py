"""The trail: of everything, of one patient, as a file."""

from urllib.parse import urlencode

from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.audit.access import reach_of
from infusion_center.audit.exports import FORMATS, export_response
from infusion_center.audit.forms import TrailFilterForm
from infusion_center.audit.presenters import present
from infusion_center.audit.queries import TrailFilter, TrailPages, last_event_id, trail
from infusion_center.audit.watching import chain_state
from infusions.facility.queries import current_site
from patients.models import Patient


@requires(Permission.VIEW_AUDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def trail_index(request):
    form = TrailFilterForm(
        request.POST if request.method == "POST" else request.GET or None, reach=reach_of(request.user)
    )
    is_valid = form.is_bound and form.is_valid()
    if request.method == "POST" and is_valid:
        return HttpResponseRedirect(f"{reverse('audit:trail')}?{urlencode(form.query())}")
    page = trail_page(request, **form.wanted() if is_valid else {})
    query = urlencode(form.query() if is_valid else {})
    context = {"form": form, "query": query, "chain": chain_state(), **shown(page)}
    return render(request, "audit/trail.html", context)


@requires(Permission.VIEW_AUDIT)
@require_safe
def patient_trail(request, patient_id):
    patient = get_object_or_404(Patient.objects.visible_to(request.user), public_id=patient_id)
    audit.record_opening(patient, by=request.user, patient=patient, what="the patient's audit trail")
    page = trail_page(request, patient_id=patient.public_id)
    query = urlencode({"patient": patient.public_id})
    context = {"patient": patient, "query": query, "chain": chain_state(), **shown(page)}
    return render(request, "audit/patient_trail.html", context)


@requires(Permission.VIEW_AUDIT)
@proof_required(download=True)
@require_safe
def trail_export(request, form_of_file):
    """What the filters show, oldest first, with each event's place in the chain; that it was taken is recorded."""
    form = TrailFilterForm(request.GET, reach=reach_of(request.user))
    if form_of_file not in FORMATS or not form.is_valid():
        raise Http404
    about = {"format": form_of_file, "filters": sorted(form.query())}
    audit.record("audit.exported", request.user, by=request.user, patient=form.patient, **about)
    events = trail(filter_of(request, **form.wanted(), upto=last_event_id()))
    return export_response(events, form_of_file)


def filter_of(request, **wanted) -> TrailFilter:
    site = current_site(request)
    zone = site.time_zone if site else "UTC"
    return TrailFilter(reach=reach_of(request.user), time_zone=zone, **wanted)


def trail_page(request, **wanted):
    """Later pages show what the first had seen: `upto` stands in their addresses."""
    upto = request.GET.get("upto", "")
    if not (upto.isascii() and upto.isdigit() and len(upto) < 19):
        upto = str(last_event_id())
        request.GET = request.GET.copy()
        request.GET["upto"] = upto
    return TrailPages(trail(filter_of(request, **wanted, upto=int(upto)))).get_page(request.GET.get("page"))


def shown(page) -> dict:
    return {"page": page, "events": [present(event) for event in page]}
