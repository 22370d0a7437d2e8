"""Chairside pages: a nurse's patients, one infusion, its printed record."""

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusions.doses import queries
from infusions.doses.due import DueKind
from infusions.doses.record_sheet import record_sheet
from infusions.doses.screen_views import detail_context, screen_of
from infusions.doses.signing import is_intact
from infusions.facility.queries import current_site
from infusions.reminders.after_care_calls import remembered_call_counts
from infusions.scheduling.models import Appointment
from infusions.scheduling.reading import readable_visit
from patients.reading import emergency_mark

READ = (Permission.VIEW_DOSE, Permission.INFUSE)
JUST_ACTED = "dose-acted"


def visible_visit(request, appointment_id: str) -> Appointment:
    return get_object_or_404(Appointment.objects.visible_to(request.user).with_people(), public_id=appointment_id)


@requires(*READ)
@require_safe
def my_patients(request):
    """Her patients of today, what is overdue first; `?all=1` shows everybody at the site."""
    site, now, everybody = current_site(request), clock.now(), "all" in request.GET
    visits, unsigned = [], []
    if site is not None:
        nurse_user = None if everybody else request.user
        visits = queries.visits_of_day(request.user, site, now, nurse_user=nurse_user)
        unsigned = [] if everybody else queries.left_unsigned(request.user, site, now)
    standing = queries.by_urgency(queries.visits_now(visits, now))
    context = {
        "site": site,
        "now": now,
        "everybody": everybody,
        "cards": [(one, card_url(one)) for one in standing if not one.is_over],
        "over": [(one, card_url(one)) for one in standing if one.is_over],
        "unsigned": [(one, card_url(one)) for one in queries.visits_now(unsigned, now)],
        "care": remembered_call_counts(site, now) if site is not None and not request.htmx else {},
        "overdue": sum(1 for one in standing if one.due is not None and one.due.is_overdue),
    }
    template = "_cards.html" if request.htmx else "my_patients.html"
    return render(request, f"infusions/doses/{template}", context)


def card_url(one: queries.VisitNow) -> str:
    """One tap to where the next thing is done."""
    name = "doses:dose-detail"
    if one.due is not None and one.due.kind in (DueKind.CHECKLIST, DueKind.RECHECK):
        name = "checklists:checklist-detail"
    try:
        return reverse(name, args=[one.appointment.public_id])
    except NoReverseMatch:
        return reverse("doses:dose-detail", args=[one.appointment.public_id])


def others_of(request, visit, now) -> list:
    """Who else of the signed-in nurse's patients waits, each with the page to go to."""
    return [(one, card_url(one)) for one in queries.others_due(request.user, visit.site, now, leave_out=visit)]


@requires(*READ)
@require_safe
def others(request, appointment_id):
    """The chips of the other patients, fetched again and again beside a patient's page."""
    visit = visible_visit(request, appointment_id)
    context = {"visit": visit, "others": others_of(request, visit, clock.now())}
    return render(request, "infusions/doses/_others.html", context)


@requires(*READ)
@require_safe
def dose_detail(request, appointment_id):
    visit = readable_visit(request, appointment_id)
    if emergency_mark(request):  # nothing to act on there: the record as it would be printed
        return redirect("doses:dose-print", visit.public_id)
    if request.session.pop(JUST_ACTED, "") != visit.public_id:  # the page after an act is the same look at the chart
        audit.record_opening(visit, by=request.user, patient=visit.patient, what="infusion")
    known = {name: request.GET.get(name, "") for name in ("preset", "reaction")}
    return detail_page(request, visit, act=request.GET.get("do", ""), known=known)


def detail_page(request, visit, *, act="", form=None, known=None):
    """The whole page; an act that was refused comes back here with its form."""
    if request.method == "POST":
        audit.will_open(visit, by=request.user, patient=visit.patient, what="infusion")
    shown = {"user": request.user, "now": clock.now(), "act": act, "form": form, "known": known}
    context = detail_context(visit, queries.record_of(visit), **shown)
    context["others"] = others_of(request, visit, context["now"])
    return render(request, "infusions/doses/dose_detail.html", context)


@requires(*READ)
@require_safe
def dose_status(request, appointment_id):
    """The part that follows the clock, fetched again and again; no opening of a chart, the page was one."""
    visit = visible_visit(request, appointment_id)
    record = queries.record_of(visit)
    if record is None:
        raise Http404
    context = detail_context(visit, record, user=request.user, now=clock.now())
    context["act"] = request.GET.get("do", "")  # what the page shows beside it
    context["is_stale"] = request.GET.get("seen", "") != context["seen"]
    return render(request, "infusions/doses/status_update.html", context)


@requires(*READ)
@require_safe
def dose_print(request, appointment_id):
    visit = readable_visit(request, appointment_id)
    record = queries.record_of(visit)
    if record is None:
        raise Http404
    marked = emergency_mark(request)
    audit.record("dose.printed", record, by=request.user, patient=visit.patient, site=visit.site, **marked)
    now = clock.now()
    screen = screen_of(record, by=request.user, now=now)
    context = {
        "visit": visit,
        "record": record,
        "patient": visit.patient,
        "site": visit.site,
        "screen": screen,
        "sheet": record_sheet(screen.course, now),
        "intact": is_intact(record) if record.signed_at else None,
    }
    return render(request, "infusions/doses/dose_print.html", context)
