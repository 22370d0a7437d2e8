"""Searching and booking, moving and cancelling."""

from dataclasses import replace

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import will_open
from infusion_center.core import clock
from infusion_center.core.htmx import go_to
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting, Site
from infusions.facility.queries import current_site
from infusions.orders.models import InfusionOrder
from infusions.scheduling import presenters
from infusions.scheduling.booking import cancel_appointment, move_appointment
from infusions.scheduling.courses import book_visit_or_course, whole_courses
from infusions.scheduling.forms import BookForm, CancelForm, MoveForm, SlotFilterForm
from infusions.scheduling.meanwhile import seen_now
from infusions.scheduling.models import Appointment
from infusions.scheduling.placing import wrong_state
from infusions.scheduling.preference_services import preference_of, words_of
from infusions.scheduling.product_on_hand import product_on_hand
from infusions.scheduling.slots import find_slots
from infusions.scheduling.states import MOVABLE, State, may_follow
from infusions.scheduling.waitlist_queries import is_waited_for

USUALLY, MANY = 20, 80


def fetch_order(request, order_id) -> InfusionOrder:
    orders = InfusionOrder.objects.visible_to(request.user).select_related("patient", "product", "indication")
    return get_object_or_404(orders, public_id=order_id)


def fetch_visit(request, appointment_id) -> Appointment:
    visits = Appointment.objects.visible_to(request.user).with_people().select_related("order__patient", "booked_by")
    return get_object_or_404(visits, public_id=appointment_id)


@requires(Permission.BOOK_APPOINTMENT)
@require_safe
def slot_list(request, order_id):
    order = fetch_order(request, order_id)
    will_open(order, by=request.user, patient=order.patient, what="slot search")
    return _show_slots(request, order)


@requires(Permission.BOOK_APPOINTMENT)
@require_POST
def appointment_book(request, order_id):
    """Books one of the starts shown, or a typed one; a lost start keeps everything and shows what still fits."""
    order = fetch_order(request, order_id)
    will_open(order, by=request.user, patient=order.patient, what="slot search")
    filters = filters_of(request, order)
    form = BookForm(request.POST, site=filters.site, at_home=request.POST.get("setting") == Setting.HOME)
    if form.is_valid():
        try:
            visit = book_visit_or_course(
                order=order,
                site=filters.site,
                setting=form.cleaned_data["setting"],
                token=form.cleaned_data["token"],
                by=request.user,
                **form.wishes(),
            )
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            what = "visit" if order.days == 1 else "course"
            messages.success(request, f"The {what} of {order.patient.name} is booked.")
            return go_to(request, "scheduling:appointment-detail", visit.public_id)
    return _show_slots(request, order, form=form)


@requires(Permission.BOOK_APPOINTMENT)
def appointment_move(request, appointment_id):
    seen, visit = seen_now(appointment_id), fetch_visit(request, appointment_id)
    if visit.state not in MOVABLE:
        return _too_late(request, visit, wrong_state(visit, "be moved"))
    form = None
    will_open(visit, by=request.user, patient=visit.patient, what="slot search")
    if request.method == "POST":
        form = MoveForm(request.POST, site=visit.site, at_home=visit.is_home)
        if form.is_valid():
            try:
                move_appointment(appointment=visit, by=request.user, **form.as_seen(), **form.wishes())
            except RuleViolation as refused:
                form.show_problems(refused.problems)
                if "changed-meanwhile" in refused.codes:
                    form.look_again(visit.version, seen)
            else:
                messages.success(request, f"The visit of {visit.patient.name} is moved. The patient is to confirm it.")
                return _after_freeing(request, visit)
    return _show_slots(request, visit.order, form=form, moving=visit, seen=seen)


@requires(Permission.BOOK_APPOINTMENT)
def appointment_cancel(request, appointment_id):
    seen, visit = seen_now(appointment_id), fetch_visit(request, appointment_id)
    if not may_follow(visit.state, State.CANCELLED):
        return _too_late(request, visit, wrong_state(visit, "be cancelled"))
    will_open(visit, by=request.user, patient=visit.patient, what="visit")
    form = CancelForm(request.POST or None, initial={"version": visit.version, "seen": seen})
    if request.method == "POST" and form.is_valid():
        try:
            cancel_appointment(appointment=visit, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
            if "changed-meanwhile" in refused.codes:
                form.look_again(visit.version, seen)
        else:
            messages.success(request, f"The visit of {visit.patient.name} is cancelled.")
            return _after_freeing(request, visit)
    consequence = presenters.cancelling_means(visit)
    context = {"visit": visit, "patient": visit.patient, "form": form, "consequence": consequence}
    return render(request, "infusions/scheduling/appointment_cancel.html", context)


def _after_freeing(request, visit):
    """On to who waits for the freed hours; back to the visit when nobody does."""
    visit.refresh_from_db()
    waited_for = is_waited_for(visit, clock.now())
    return go_to(request, "scheduling:slot-freed" if waited_for else "scheduling:appointment-detail", visit.public_id)


def _too_late(request, visit, problem):
    """Somebody was faster, or the page is old: said on the visit's own page."""
    messages.error(request, problem.message)
    return go_to(request, "scheduling:appointment-detail", visit.public_id)


def filters_of(request, order, moving=None) -> SlotFilterForm:
    sites = Site.objects.visible_to(request.user)
    if moving is not None:
        return SlotFilterForm(request.GET, sites=sites.none(), site=moving.site, setting=moving.setting)
    visits = Appointment.objects.visible_to(request.user).filter(order=order)
    last = visits.select_related("site").order_by("-start").first()
    site = last.site if last else current_site(request)
    if site is None:
        raise Http404("You belong to no site.")
    return SlotFilterForm(request.GET, sites=sites, site=site, setting=last.setting if last else Setting.FACILITY)


def _show_slots(request, order, *, form=None, moving=None, seen=None):
    """The page of options. After a refused booking or move, `form` holds what was typed and why not."""
    filters = filters_of(request, order, moving)
    many = "more" in request.GET
    search = find_slots(
        order,
        setting=filters.setting,
        site=filters.site,
        limit=MANY if many or order.days > 1 else USUALLY,
        moving=moving,
        # The days of a course are booked together, as they are.
        reseating=order.days == 1 or moving is not None,
        **filters.days,
    )
    if moving is None and order.days > 1:
        whole = whole_courses(order=order, options=search.options, site=filters.site, setting=filters.setting)
        search = replace(search, options=whole[: MANY if many else USUALLY])
    token = BookForm.new_token()
    context = {
        "order": order,
        "patient": order.patient,
        "visit": moving,
        "seen": seen,
        "site": filters.site,
        "setting": filters.setting,
        "filters": filters,
        "form": form or _empty_form(filters, moving, seen, token),
        "search": search,
        "product_on_hand": product_on_hand(order, filters.site, clock.now()),
        "best": presenters.best_row(search, filters.site, token),
        "days": presenters.day_groups(search, filters.site, token),
        "wished": words_of(preference_of(order.patient)),
        "may_show_more": not many and len(search.options) == USUALLY,
        **addresses(request, order, moving),
    }
    return render(request, "infusions/scheduling/slot_list.html", context)


def _empty_form(filters, moving, seen, token):
    at_home = filters.setting == Setting.HOME
    if moving is not None:
        return MoveForm(site=filters.site, at_home=at_home, initial={"version": moving.version, "seen": seen})
    return BookForm(site=filters.site, at_home=at_home, initial={"token": token, "setting": filters.setting})


def addresses(request, order, moving) -> dict:
    """Where the page's forms and links lead; filters travel along, so a refused start comes back to the same search."""
    if moving is not None:
        list_url = post_url = reverse("scheduling:appointment-move", args=[moving.public_id])
    else:
        list_url = reverse("scheduling:slot-list", args=[order.public_id])
        post_url = reverse("scheduling:appointment-book", args=[order.public_id])
    more, asked = request.GET.copy(), request.GET.copy()
    more["more"] = "1"
    if moving is not None:
        asked["visit"] = moving.public_id
    for typed in ("day", "time", "chair", "nurse", "start"):
        asked.pop(typed, None)
    room_url = reverse("scheduling:reseat-book", args=[order.public_id])
    if moving is not None:
        room_url = reverse("scheduling:reseat-move", args=[moving.public_id])
    return {
        "room_url": f"{room_url}?{asked.urlencode()}",
        "why_url": f"{reverse('scheduling:slot-why', args=[order.public_id])}?{asked.urlencode()}",
        "list_url": list_url,
        "post_url": f"{post_url}?{request.GET.urlencode()}",
        "more_url": f"{list_url}?{more.urlencode()}",
    }
