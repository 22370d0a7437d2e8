"""Holding and stopping an order together with the visits that it has ahead, and taking visits over from another."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import will_open
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.orders import queries
from infusions.orders.forms import EndingForm
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.orders.views import by_other_orders, fetch_order, may_stop
from infusions.scheduling.order_visits import end_order, open_visits, reattach_visits
from infusions.scheduling.series_services import SeriesRefused


@requires(Permission.DRAFT_ORDER, Permission.SIGN_ORDER)
def order_hold(request, order_id):
    confirm = {
        "title": "Hold this order?",
        "text": "Nothing is booked or started by it until a pharmacist releases it.",
        "verb": "Hold order",
    }
    return _end(request, fetch_order(request, order_id), ending="hold", done="The order is on hold.", confirm=confirm)


@requires(Permission.DRAFT_ORDER, Permission.SIGN_ORDER)
def order_stop(request, order_id):
    order = fetch_order(request, order_id)
    if order.status != OrderStatus.STOPPED and not may_stop(request.user.permissions, order):
        raise PermissionDenied
    draft = order.status == OrderStatus.DRAFT
    confirm = {
        "title": "Discard this draft?" if draft else "Stop this order for good?",
        "text": "It stays readable. A stopped order cannot be taken up again; a new one is entered instead.",
        "verb": "Discard draft" if draft else "Stop order",
        "danger": True,
    }
    done = "The draft is discarded." if draft else "The order is stopped."
    return _end(request, order, ending="stop", done=done, confirm=confirm)


@requires(Permission.BOOK_APPOINTMENT, Permission.SIGN_ORDER)
def order_visits(request, order_id):
    """Visits that the patient has ahead by other orders: the chosen ones are given by this one, all or none."""
    order = fetch_order(request, order_id)
    visits = by_other_orders(order, request.user)
    problems: dict[int, list] = {}
    will_open(order, by=request.user, patient=order.patient, what="order")
    if request.method == "POST":
        chosen = [visit for visit in visits if visit.public_id in request.POST.getlist("visit")]
        try:
            moved = reattach_visits(appointments=chosen, order=order, by=request.user)
        except SeriesRefused as refused:
            problems = {chosen[number - 1].pk: found for number, found in refused.by_line.items()}
        else:
            messages.success(
                request, f"{len(moved)} visit{'' if len(moved) == 1 else 's'} will be given by this order."
            )
            return redirect("orders:order-detail", order.public_id)
    rows = [(visit, problems.get(visit.pk, [])) for visit in visits]
    chosen = set(request.POST.getlist("visit")) if request.method == "POST" else {visit.public_id for visit in visits}
    context = {"order": order, "patient": order.patient, "rows": rows, "chosen": chosen, "problems": problems}
    return render(request, "infusions/orders/order_visits.html", context)


def _end(request, order, *, ending, done, confirm):
    will_open(order, by=request.user, patient=order.patient, what="order")
    visits = open_visits(order, clock.now())
    form = EndingForm(request.POST or None, visits=visits, others=_others(order, request.user))
    lost = {}
    if request.method == "POST" and form.is_valid():
        try:
            end_order(order=order, ending=ending, by=request.user, versions=_seen(request), **form.cleaned_data)
        except RuleViolation as refused:
            if isinstance(refused, SeriesRefused):
                lost = {visits[number - 1].pk: found for number, found in refused.by_line.items()}
                form.add_error("decision", "Not every visit fits the other order; nothing was changed.")
            else:
                form.show_problems(refused.problems)
        else:
            messages.success(request, done)
            return redirect("orders:order-detail", order.public_id)
    rows = [(visit, lost.get(visit.pk, [])) for visit in visits]
    context = {"order": order, "patient": order.patient, "form": form, "rows": rows, **confirm}
    return render(request, "infusions/orders/order_decide.html", context)


def _others(order, user):
    """Signed orders of the patient that are in force."""
    others = InfusionOrder.objects.visible_to(user).signed().filter(patient=order.patient)
    others = others.filter(valid_until__gte=queries.patient_today(order.patient)).exclude(pk=order.pk)
    return others.select_related("product", "indication").order_by("-starts_on", "-pk")


def _seen(request) -> dict[str, int] | None:
    pairs = [text.rpartition(":") for text in request.POST.getlist("visit")]
    return {
        public_id: int(version) for public_id, _, version in pairs if version.isdecimal() and len(version) < 10
    } or None
