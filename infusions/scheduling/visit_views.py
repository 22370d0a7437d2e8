"""The page of one visit, what is done to it on the day, and a patient's visits."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.models import AuditEvent
from infusion_center.audit.presenters import present
from infusion_center.core import clock
from infusion_center.core.going_back import own_path
from infusion_center.core.htmx import go_to
from infusion_center.core.rules import RuleViolation
from infusions.reminders.timeline import visit_timeline
from infusions.reminders.unreached import unreached_problems
from infusions.reminders.untold import note_told_by_phone, untold_problems
from infusions.scheduling import attendance, presenters
from infusions.scheduling.queries import appointments_of
from infusions.scheduling.reading import readable_visit
from infusions.scheduling.series_queries import place_in_series
from infusions.scheduling.states import State
from infusions.scheduling.views import fetch_visit
from patients.reading import emergency_mark, permissions_here, read_patient, record_reading


@requires(Permission.VIEW_SCHEDULE)
@require_safe
def appointment_detail(request, appointment_id):
    visit = readable_visit(request, appointment_id)
    record_reading(request, visit, visit.patient, what="visit")
    now = clock.now()
    trail = AuditEvent.objects.filter(target_type="appointment", target_id=visit.public_id)
    trail = list(trail.exclude(action="chart.opened").order_by("-at", "-id"))
    to_call = untold_problems if visit.state == State.CANCELLED else unreached_problems
    context = {
        "visit": visit,
        "patient": visit.patient,
        "site": visit.site,
        "zone": presenters.zone_name(visit.start, visit.site),
        "place": presenters.place_of(visit),
        "acts": presenters.acts_for(visit, permissions_here(request), now),
        "together": place_in_series(visit),
        "problems": to_call(visit, now),
        "timeline": [present(event) for event in trail],
        "correspondence": visit_timeline(visit, trail, now),
    }
    return render(request, "infusions/scheduling/appointment_detail.html", context)


def _act(request, appointment_id, service, done):
    """One press, one step; a refusal is told on the visit's page."""
    visit = fetch_visit(request, appointment_id)
    try:
        service(appointment=visit, by=request.user, version=_version(request))
    except RuleViolation as refused:
        for problem in refused.problems:
            messages.error(request, " ".join(filter(None, [problem.message, problem.remedy])))
    else:
        messages.success(request, done.format(name=visit.patient.name))
    following = request.POST.get("next", "")  # the list on which the button was pressed
    here = reverse("scheduling:appointment-detail", args=[visit.public_id])
    return go_to(request, own_path(request, following) or here)


def _version(request) -> int | None:
    """The version that the page with the button showed; buttons of other pages carry none."""
    typed = request.POST.get("version", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


@requires(Permission.CHECK_IN)
@require_POST
def appointment_check_in(request, appointment_id):
    return _act(request, appointment_id, attendance.check_in, "{name} is checked in.")


@requires(Permission.CHECK_IN)
@require_POST
def appointment_undo_check_in(request, appointment_id):
    return _act(request, appointment_id, attendance.undo_check_in, "{name} is expected again.")


@requires(Permission.CHECK_IN)
@require_POST
def appointment_confirm(request, appointment_id):
    return _act(request, appointment_id, attendance.confirm, "The visit of {name} is confirmed.")


@requires(Permission.CHECK_IN)
@require_POST
def appointment_told(request, appointment_id):
    return _act(request, appointment_id, note_told_by_phone, "{name} knows that the visit is cancelled.")


@requires(Permission.CHECK_IN)
@require_POST
def appointment_no_show(request, appointment_id):
    return _act(request, appointment_id, attendance.mark_no_show, "{name} is noted as a no-show.")


@requires(Permission.VIEW_SCHEDULE)
@require_safe
def appointment_list(request, patient_id):
    patient = read_patient(request, patient_id, what="visits")
    visits = appointments_of(patient)
    if not emergency_mark(request):
        visits = visits.visible_to(request.user)
    page = Paginator(visits, 30).get_page(request.GET.get("page"))
    context = {"patient": patient, "page": page, "now": clock.now()}
    return render(request, "infusions/scheduling/appointment_list.html", context)
