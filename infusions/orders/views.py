"""Order entry with its live plan, the order page and its decisions."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import will_open
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, Severity
from infusions.facility.models import Setting, Site
from infusions.facility.queries import current_site
from infusions.orders import queries, rules, services
from infusions.orders.forms import OrderForm, ReasonForm, SignForm
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.orders.presenters import OrderView, plan_view
from infusions.orders.reading import readable_order
from infusions.orders.signing import is_intact
from infusions.scheduling import series_queries
from infusions.scheduling.order_visits import visits_by_other_orders
from infusions.scheduling.reading import visits_to_read
from infusions.scheduling.states import State
from patients.models import Patient
from patients.reading import emergency_mark, permissions_here, record_reading


def order_view(order, site, *, alternatives=None) -> OrderView:
    """Everything computed about an order, saved or being typed."""
    facts = queries.order_facts(order, alternatives=alternatives)
    minutes = max(order.infusion_minutes, queries.longest_day_minutes(facts.products))
    visit = None
    if site is not None and minutes:
        visit = queries.visit_length(order, site, Setting.FACILITY, infusion_minutes=minutes)
    return OrderView(
        facts=facts,
        plans=tuple(plan_view(one) for one in facts.products),
        problems=rules.order_problems(order, facts=facts),
        visit=visit,
    )


def fetch_order(request, order_id) -> InfusionOrder:
    orders = InfusionOrder.objects.visible_to(request.user).select_related("patient", "product", "indication")
    return get_object_or_404(orders, public_id=order_id)


def sketched_view(request, form) -> dict:
    order = form.sketch()
    if order is None:
        return {"view": None}
    return {
        "view": order_view(order, current_site(request), alternatives=form.cleaned_data.get("alternatives") or ()),
        "order": order,
    }


@requires(Permission.DRAFT_ORDER)
def order_create(request, patient_id):
    patient = get_object_or_404(Patient.objects.visible_to(request.user), public_id=patient_id, is_active=True)
    will_open(patient, by=request.user, patient=patient, what="order entry")
    renewed = patient.orders.filter(public_id=request.GET.get("renew", "")).first()
    form = OrderForm(request.POST or None, patient=patient, renewed=renewed)
    context = {"patient": patient, "form": form}
    if request.method == "POST" and form.is_valid() and "check" not in request.POST:
        try:
            order = services.draft_order(patient=patient, by=request.user, **form.entered())
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, "The draft is saved.")
            return redirect("orders:order-detail", order.public_id)
    if form.is_bound:
        context |= sketched_view(request, form)
    return render(request, "infusions/orders/order_form.html", context)


@requires(Permission.DRAFT_ORDER)
def order_edit(request, order_id):
    draft = fetch_order(request, order_id)
    if draft.status != OrderStatus.DRAFT:
        messages.error(request, "Only a draft can be edited. Stop this order and enter a new one.")
        return redirect("orders:order-detail", draft.public_id)
    will_open(draft, by=request.user, patient=draft.patient, what="order entry")
    form = OrderForm(request.POST or None, patient=draft.patient, instance=fetch_order(request, order_id))
    context = {"patient": draft.patient, "form": form, "draft": draft}
    if request.method == "POST" and form.is_valid() and "check" not in request.POST:
        version = form.cleaned_data["version"] or 0
        try:
            services.amend_draft(order=draft, version=version, by=request.user, **form.entered())
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, "The draft is saved.")
            return redirect("orders:order-detail", draft.public_id)
    if form.is_bound:
        context |= sketched_view(request, form)
    else:
        context |= {"view": order_view(draft, current_site(request)), "order": draft}
    return render(request, "infusions/orders/order_form.html", context)


@requires(Permission.DRAFT_ORDER)
@require_POST
def order_preview(request, patient_id):
    """The plan of what is typed so far; nothing is written."""
    patient = get_object_or_404(Patient.objects.visible_to(request.user), public_id=patient_id)
    form = OrderForm(request.POST, patient=patient)
    form.is_valid()
    context = {"patient": patient, "form": form, **sketched_view(request, form)}
    return render(request, "infusions/orders/_order_preview.html", context)


@requires(Permission.VIEW_ORDER)
@require_safe
def order_detail(request, order_id):
    order = readable_order(request, order_id)
    record_reading(request, order, order.patient, what="order")
    return show_order(request, order)


def visits_ahead(request, order):
    """The order's visits to come at the person's sites, the whole series of them, with what stands against each."""
    ahead = series_queries.visits_ahead(order, clock.now())
    if emergency_mark(request):
        return ahead
    sites = set(Site.objects.visible_to(request.user).values_list("pk", flat=True))
    return [one for one in ahead if one.visit.site_id in sites]


def by_other_orders(order, user):
    """What the patient has ahead by other orders at the person's sites."""
    sites = set(Site.objects.visible_to(user).values_list("pk", flat=True))
    return [visit for visit in visits_by_other_orders(order, clock.now()) if visit.site_id in sites]


def visits_of(request, order):
    """The order's visits at the person's sites that are over: the latest dozen, cancelled ones left out."""
    visits = visits_to_read(request, order.patient).filter(order=order, end__lte=clock.now())
    visits = visits.exclude(state=State.CANCELLED)
    return visits.select_related("site", "chair", "nurse__user").order_by("-start", "-pk")[:12]


def show_order(request, order, *, sign_form=None, status=200):
    site = current_site(request)
    view = order_view(order, site)
    is_draft = order.status == OrderStatus.DRAFT
    if is_draft and Permission.SIGN_ORDER in permissions_here(request):
        sign_form = sign_form or SignForm(initial={"version": order.version})
    signatures = [(row, is_intact(row)) for row in order.signatures.select_related("signed_by")]
    today = queries.patient_today(order.patient)
    needs_reason = any(problem.severity == Severity.APPROVAL for problem in view.problems)
    if sign_form:
        sign_form.fields["override_reason"].required = needs_reason
    context = {
        "order": order,
        "patient": order.patient,
        "view": view,
        "problems": view.problems if is_draft else rules.standing_problems(order, view.problems, today),
        "needs_reason": needs_reason,
        "blocked": any(problem.severity == Severity.BLOCKER for problem in view.problems),
        "sign_form": sign_form,
        "signatures": signatures,
        "events": order.events.select_related("by"),
        "window": rules.dose_window(order),
        "visits": visits_of(request, order),
        "ahead": visits_ahead(request, order),
        "elsewhere": by_other_orders(order, request.user) if order.status == OrderStatus.SIGNED else [],
        "may_stop": may_stop(permissions_here(request), order),
        "is_expired": order.valid_until < today,
    }
    return render(request, "infusions/orders/order_detail.html", context, status=status)


@requires(Permission.SIGN_ORDER)
@proof_required
@require_POST
def order_sign(request, order_id):
    order = fetch_order(request, order_id)
    will_open(order, by=request.user, patient=order.patient, what="order")
    form = SignForm(request.POST)
    if form.is_valid():
        reason, version = form.cleaned_data["override_reason"], form.cleaned_data["version"]
        try:
            services.sign_order(order=order, by=request.user, override_reason=reason, version=version)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"Signed for {order.prescriber_name}.")
            return redirect("orders:order-detail", order.public_id)
    return show_order(request, fetch_order(request, order_id), sign_form=form)


def may_stop(permissions, order) -> bool:
    """A draft is thrown away by whoever may draft; a signed order is stopped by whoever may sign."""
    if order.status == OrderStatus.STOPPED:
        return False
    needed = Permission.DRAFT_ORDER if order.status == OrderStatus.DRAFT else Permission.SIGN_ORDER
    return needed in permissions


def decide(request, order, *, service, done, confirm):
    """A page that asks for the reason and then calls the service; `confirm` fills components/_confirm.html."""
    will_open(order, by=request.user, patient=order.patient, what="order")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            service(order=order, reason=form.cleaned_data["reason"], by=request.user)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, done)
            return redirect("orders:order-detail", order.public_id)
    context = {"order": order, "patient": order.patient, "form": form, **confirm}
    return render(request, "infusions/orders/order_decide.html", context)


@requires(Permission.SIGN_ORDER)
@proof_required
def order_release(request, order_id):
    confirm = {
        "title": "Release this order?",
        "text": "Visits can be booked and started by it again. Say what was decided, and by whom.",
        "verb": "Release order",
    }
    done = "The order is released."
    return decide(request, fetch_order(request, order_id), service=services.release_order, done=done, confirm=confirm)
