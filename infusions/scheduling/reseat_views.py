"""Books or moves a visit to a start at which others make room: shows who would change, then does it. Pins a visit."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import will_open
from infusion_center.core import clock
from infusion_center.core.htmx import go_to
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting
from infusions.scheduling.meanwhile import seen_now
from infusions.scheduling.models import Appointment
from infusions.scheduling.reseat_forms import ReseatForm, ReseatMoveForm
from infusions.scheduling.reseat_pages import look_at
from infusions.scheduling.reseat_services import book_with_reseating, move_with_reseating, set_pinned
from infusions.scheduling.views import addresses, fetch_order, fetch_visit, filters_of

LOOK_OR_DO = ["GET", "HEAD", "POST"]


@requires(Permission.BOOK_APPOINTMENT)
@require_http_methods(LOOK_OR_DO)
def reseat_book(request, order_id):
    order = fetch_order(request, order_id)
    will_open(order, by=request.user, patient=order.patient, what="slot search")
    filters = filters_of(request, order)
    at_home = filters.setting == Setting.HOME
    asked = request.GET.copy()
    asked.setdefault("token", ReseatForm.new_token())
    asked["setting"] = filters.setting
    form = ReseatForm(request.POST if request.method == "POST" else asked, site=filters.site, at_home=at_home)
    if not form.is_valid():
        return redirect(addresses(request, order, None)["list_url"])
    if request.method == "POST":
        try:
            visit = book_with_reseating(
                order=order,
                site=filters.site,
                setting=form.cleaned_data["setting"],
                shown=form.cleaned_data["plan"],
                token=form.cleaned_data["token"],
                by=request.user,
                **form.wishes(),
            )
        except RuleViolation as refused:
            return _show(request, order, form, filters, refused=refused)
        messages.success(request, f"The visit of {order.patient.name} is booked; others made room for it.")
        return go_to(request, "scheduling:appointment-detail", visit.public_id)
    return _show(request, order, form, filters)


@requires(Permission.BOOK_APPOINTMENT)
@require_http_methods(LOOK_OR_DO)
def reseat_move(request, appointment_id):
    seen = seen_now(appointment_id)
    visit = fetch_visit(request, appointment_id)
    will_open(visit, by=request.user, patient=visit.patient, what="slot search")
    filters = filters_of(request, visit.order, visit)
    asked = request.GET.copy()
    asked["version"], asked["seen"] = visit.version, seen
    sent = request.POST if request.method == "POST" else asked
    form = ReseatMoveForm(sent, site=visit.site, at_home=visit.is_home)
    if not form.is_valid():
        return redirect("scheduling:appointment-move", visit.public_id)
    if request.method == "POST":
        told = {"shown": form.cleaned_data["plan"], **form.as_seen(), **form.wishes()}
        try:
            move_with_reseating(appointment=visit, by=request.user, **told)
        except RuleViolation as refused:
            form.look_again(visit.version, seen)
            return _show(request, visit.order, form, filters, moving=visit, refused=refused)
        messages.success(request, f"The visit of {visit.patient.name} is moved; others made room for it.")
        return go_to(request, "scheduling:appointment-detail", visit.public_id)
    return _show(request, visit.order, form, filters, moving=visit)


def _show(request, order, form, filters, *, moving: Appointment | None = None, refused: RuleViolation | None = None):
    """The plan as it is now; after a refusal with the reasons, and what was typed is kept."""
    chosen = form.wishes()
    shown = look_at(
        order=order,
        site=filters.site,
        setting=filters.setting,
        start=chosen["start"],
        chair=chosen["chair"],
        nurse=chosen["nurse"],
        moving=moving,
        reader=request.user,
        now=clock.now(),
    )
    links = addresses(request, order, moving)
    context = {
        "order": order,
        "patient": order.patient,
        "visit": moving,
        "site": filters.site,
        "form": form,
        "shown": shown,
        "problems": refused.problems if refused else shown.problems,
        "refused": refused,
        "list_url": links["list_url"],
        "why_url": links["why_url"],
    }
    return render(request, "infusions/scheduling/reseat_plan.html", context)


@requires(Permission.BOOK_APPOINTMENT)
@require_POST
def appointment_pin(request, appointment_id):
    visit = fetch_visit(request, appointment_id)
    pinned = request.POST.get("pinned") == "1"
    set_pinned(appointment=visit, pinned=pinned, by=request.user)
    said = "keeps its chair and nurse" if pinned else "may get another chair or nurse"
    messages.success(request, f"The visit of {visit.patient.name} {said} when others are re-seated.")
    return redirect(reverse("scheduling:appointment-detail", args=[visit.public_id]))
