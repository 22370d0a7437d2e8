"""Staff pages of after-care: whom to call, what was answered about a visit, and what came of a call."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility.pages import at_site
from infusions.facility.queries import current_site
from infusions.reminders.after_care_calls import calls_owed, remembered_call_counts
from infusions.reminders.after_care_forms import AfterCareCallForm
from infusions.reminders.after_care_models import CallOutcome
from infusions.reminders.after_care_services import record_after_care_call
from infusions.reminders.after_care_sheet import call_rows, sheet_of
from infusions.scheduling.models import Appointment
from infusions.scheduling.work_lists import lists_for

P = Permission


@requires(P.VIEW_DOSE)
@at_site
@require_safe
def after_care_list(request, *, site):
    now = clock.now()
    context = {
        "site": site,
        "now": now,
        "rows": call_rows(calls_owed(site, now)),
        "slug": "after-care",
        "work_lists": lists_for(request.user.permissions) if P.BOOK_APPOINTMENT in request.user.permissions else [],
    }
    return render(request, "infusions/reminders/after_care_list.html", context)


@requires(P.VIEW_DOSE)
@require_safe
def after_care_alert(request):
    """What a nurse's tablet fetches again and again; 204 for who belongs to no site."""
    site = current_site(request)
    if site is None:
        return HttpResponse(status=204)
    care = remembered_call_counts(site, clock.now(), fresh="fresh" in request.GET)
    return render(request, "infusions/reminders/_after_care_alert.html", {"care": care})


@requires(P.VIEW_DOSE)
@require_safe
def after_care_detail(request, appointment_id):
    """All that was reported after a visit, and the calls about it."""
    visit = visit_reported_on(request, appointment_id)
    audit.record_opening(visit, by=request.user, patient=visit.patient, what="after-care answers")
    return show(request, visit)


@requires(P.RECORD_CLINICAL_DATA)
@require_POST
def after_care_call(request, appointment_id):
    visit = visit_reported_on(request, appointment_id)
    form = AfterCareCallForm(request.POST)
    report = get_object_or_404(visit.after_care_reports.all(), public_id=request.POST.get("upto", ""))
    if form.is_valid():
        given = {"outcome": form.cleaned_data["outcome"], "note": form.cleaned_data["note"]}
        try:
            call = record_after_care_call(report=report, by=request.user, **given)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            stays = " The patient stays on the list." if call.outcome == CallOutcome.NOT_REACHED else ""
            messages.success(request, f"{visit.patient.name}: {call.get_outcome_display().lower()}.{stays}")
            return redirect("reminders:after-care-list")
    return show(request, visit, form)


def visit_reported_on(request, appointment_id) -> Appointment:
    visits = Appointment.objects.visible_to(request.user).with_people()
    visit = get_object_or_404(visits, public_id=appointment_id)
    if not visit.after_care_reports.exists():
        raise Http404("Nothing was reported after this visit.")
    return visit


def show(request, visit: Appointment, form: AfterCareCallForm | None = None) -> HttpResponse:
    sheet = sheet_of(visit, clock.now())
    context = {
        "visit": visit,
        "patient": visit.patient,
        "site": visit.site,
        "sheet": sheet,
        "form": form or AfterCareCallForm(initial={"upto": sheet.newest.public_id}),
        "may_record": P.RECORD_CLINICAL_DATA in request.user.permissions,
    }
    return render(request, "infusions/reminders/after_care_detail.html", context)
