"""Planning and booking a series: a plan in the URL, its lines changed one by one, all of them booked at once."""

from dataclasses import replace

from django.contrib import messages
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import will_open
from infusion_center.core.htmx import go_to, is_htmx
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting, Site
from infusions.facility.queries import current_site
from infusions.scheduling.forms import BookForm
from infusions.scheduling.models import Appointment
from infusions.scheduling.rules import approvals
from infusions.scheduling.series_forms import ReasonForm, SeriesForm, SeriesSheet
from infusions.scheduling.series_planning import check_series, plan_series
from infusions.scheduling.series_services import SeriesRefused, book_series
from infusions.scheduling.views import fetch_order

MARKED = "Look at the lines that are marked: change or drop them, and book again. Everything else is kept."


@requires(Permission.BOOK_APPOINTMENT)
def series_plan(request, order_id):
    """GET plans anew; POST checks the lines as they were changed. Neither writes."""
    order = fetch_order(request, order_id)
    will_open(order, by=request.user, patient=order.patient, what="series plan")
    asked = _asked(request, order)
    if request.method != "POST":
        plan = plan_series(order=order, **asked.wishes())
        sheet = SeriesSheet.planned(as_seen_by(plan, request.user))
        return _show(request, order, asked, sheet, ReasonForm(initial={"token": BookForm.new_token()}))
    sheet = SeriesSheet.typed(request.POST, zone=asked.site.time_zone)
    sheet.show(_checked(request, order, asked, sheet))
    if "drop" in request.POST and sheet.plan.unplaced:
        sheet.leave_out_unplaced()
        sheet.show(_checked(request, order, asked, sheet))
    return _show(request, order, asked, sheet, ReasonForm(request.POST))


@requires(Permission.BOOK_APPOINTMENT)
@require_POST
def series_book(request, order_id):
    """Books every line that is kept, or none: what was lost meanwhile is marked, and everything typed is kept."""
    order = fetch_order(request, order_id)
    will_open(order, by=request.user, patient=order.patient, what="series plan")
    asked = _asked(request, order)
    form = ReasonForm(request.POST)
    sheet = SeriesSheet.typed(request.POST, zone=asked.site.time_zone)
    form.is_valid()
    if earlier := _booked_already(order, form.cleaned_data.get("token"), request.user):
        return _done(request, order, earlier)
    sheet.show(_checked(request, order, asked, sheet))
    if sheet.plan.unplaced or sheet.plan.problems:
        form.add_error(None, MARKED)
        return _show(request, order, asked, sheet, form)
    try:
        series = book_series(
            order=order,
            lines=sheet.plan.bookable,
            by=request.user,
            site=asked.site,
            setting=asked.setting,
            override_reason=form.cleaned_data["override_reason"],
            token=form.cleaned_data["token"] or None,
            weekday=asked.cleaned_data.get("weekday"),
            local_time=asked.cleaned_data.get("time"),
        )
    except RuleViolation as refused:
        if isinstance(refused, SeriesRefused):
            sheet.show(_checked(request, order, asked, sheet), refused.by_line)
            form.add_error(None, MARKED)
        else:
            form.show_problems(refused.problems)
        return _show(request, order, asked, sheet, form)
    return _done(request, order, series)


def as_seen_by(plan, user):
    """What this person may not decide stops him, and says so before he presses."""
    return replace(
        plan, lines=tuple(replace(line, problems=tuple(approvals(list(line.problems), user))) for line in plan.lines)
    )


def _checked(request, order, asked, sheet):
    plan = check_series(order=order, site=asked.site, setting=asked.setting, lines=sheet.wishes())
    return as_seen_by(plan, request.user)


def _booked_already(order, token, user):
    """The series that this form booked when it was sent the first time."""
    if not token:
        return None
    visits = Appointment.objects.visible_to(user).filter(order=order, idempotency_token=f"{token}.1")
    first = visits.select_related("series").first()
    return first.series if first else None


def _done(request, order, series):
    visits = series.appointments.count()
    messages.success(request, f"{visits} visits of {order.patient.name} are booked.")
    return go_to(request, "orders:order-detail", order.public_id)


def _asked(request, order) -> SeriesForm:
    sites = Site.objects.visible_to(request.user)
    visits = Appointment.objects.visible_to(request.user).filter(order=order)
    last = visits.select_related("site").order_by("-start").first()
    site = last.site if last else current_site(request)
    if site is None:
        raise Http404("You belong to no site.")
    return SeriesForm(request.GET, sites=sites, site=site, setting=last.setting if last else Setting.FACILITY)


def _show(request, order, asked, sheet, form):
    context = {
        "order": order,
        "patient": order.patient,
        "asked": asked,
        "site": asked.site,
        "sheet": sheet,
        "plan": sheet.plan,
        "form": form,
        "query": request.GET.urlencode(),
        "check_url": "scheduling:series-plan",
    }
    template = "_series_lines.html" if is_htmx(request) else "series_plan.html"
    response = render(request, f"infusions/scheduling/{template}", context)
    response.headers["Vary"] = "HX-Request"
    return response
