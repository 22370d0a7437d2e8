from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_datetime

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.core.htmx import go_to
from infusion_center.core.rules import RuleViolation
from infusions.facility.queries import current_site
from infusions.formulary import presenters, services
from infusions.formulary.forms import NewScheduleForm, ProductFilterForm, ProductForm, ScheduleForm, SignForm
from infusions.formulary.queries import (
    products_matching,
    products_with_schedules,
    schedule_blueprint,
    schedules_with_steps,
)


@requires(Permission.VIEW_FORMULARY)
def product_list(request):
    form = ProductFilterForm(request.GET)
    form.is_valid()  # what makes no sense in the URL filters nothing
    wanted = {name: value for name, value in form.cleaned_data.items() if value}
    page = _page(request)
    rows = [presenters.product_row(product, page) for product in products_matching(**wanted)]
    context = {"form": form, "rows": rows, "chips": _chips(form, wanted), "locked": sum(row.locked for row in rows)}
    return render(request, "infusions/formulary/product_list.html", context)


def _page(request):
    site = current_site(request)
    return presenters.Page(zone_name=site.time_zone if site else "UTC")


def _chips(form, wanted):
    """(words, address without this filter) of each filter in the URL."""
    texts = {
        "q": lambda value: f"“{value}”",
        "indication": str,
        "without": lambda value: "without " + ", ".join(dict(form.fields["without"].choices)[code] for code in value),
        "state": lambda value: dict(form.fields["state"].choices)[value],
    }
    raw = {name: form.data.getlist(name) for name in wanted}
    return [
        (texts[name](value), "?" + urlencode({other: raw[other] for other in raw if other != name}, doseq=True))
        for name, value in wanted.items()
    ]


@requires(Permission.VIEW_FORMULARY)
def product_detail(request, key):
    product = get_object_or_404(products_with_schedules(), key=key)
    page = _page(request)
    context = {
        "product": product,
        "state": presenters.product_state(product, page),
        "schedules": [presenters.schedule_view(schedule, page) for schedule in product.schedules.all()],
        "facts": presenters.product_facts(product, page),
        "marks": presenters.MARKS,
        "page": page,
    }
    return render(request, "infusions/formulary/product_detail.html", context)


@requires(Permission.SIGN_FORMULARY)
def product_amend(request, key):
    product = get_object_or_404(products_with_schedules(), key=key)
    form = ProductForm(request.POST or None, product=product)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("changes", "vial_sizes_g", "source")}
        try:
            services.amend_product(product=product, by=request.user, **values)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"{product} was changed. It is unsigned until a pharmacist signs it.")
            return go_to(request, product)
    return render(request, "infusions/formulary/product_amend.html", {"product": product, "form": form})


@requires(Permission.SIGN_FORMULARY)
@proof_required
def product_sign(request, key):
    product = get_object_or_404(products_with_schedules(), key=key)
    page = _page(request)
    context = {"product": product, "facts": presenters.product_facts(product, page), "page": page}
    return _sign(request, product, product, services.sign_product, "product", context)


@requires(Permission.SIGN_FORMULARY)
def schedule_amend(request, schedule_id):
    schedule = get_object_or_404(schedules_with_steps(), public_id=schedule_id)
    form = ScheduleForm(request.POST or None, schedule=schedule)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("changes", "steps", "source")}
        try:
            services.amend_schedule(schedule=schedule, by=request.user, **values)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"{schedule} was changed. Changed rates stay locked until a pharmacist signs.")
            return go_to(request, schedule.get_absolute_url())
    context = {"schedule": schedule, "product": schedule.product, "form": form, "back": schedule.get_absolute_url()}
    return render(request, "infusions/formulary/schedule_amend.html", context)


@requires(Permission.SIGN_FORMULARY)
def schedule_add(request, key):
    product = get_object_or_404(products_with_schedules(), key=key)
    blueprint, steps = schedule_blueprint(product)
    form = NewScheduleForm(request.POST or None, schedule=blueprint, steps=steps)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("indication", "changes", "steps", "source")}
        try:
            schedule = services.add_schedule(product=product, by=request.user, master_unit=form.unit, **values)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"{schedule} was added. It is locked until a pharmacist signs it.")
            return go_to(request, schedule.get_absolute_url())
    context = {"product": product, "form": form, "back": product.get_absolute_url()}
    return render(request, "infusions/formulary/schedule_add.html", context)


@requires(Permission.SIGN_FORMULARY)
@proof_required
def schedule_sign(request, schedule_id):
    schedule = get_object_or_404(schedules_with_steps(), public_id=schedule_id)
    page = _page(request)
    context = {"product": schedule.product, "view": presenters.schedule_view(schedule, page), "page": page}
    return _sign(request, schedule, schedule.product, services.sign_schedule, "schedule", context)


def _sign(request, row, product, sign, name, context):
    """GET shows what will be signed, POST signs exactly that: the form carries when the row was read."""
    form = SignForm(request.POST or None, initial={"seen_at": row.updated_at.isoformat()})
    if request.method == "POST" and form.is_valid():
        seen_at = parse_datetime(form.cleaned_data["seen_at"])
        try:
            sign(checked_against=form.cleaned_data["checked_against"], seen_at=seen_at, by=request.user, **{name: row})
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"{row} is signed.")
            return go_to(request, row.get_absolute_url())
    context |= {"form": form, "marks": presenters.MARKS, "cancel_url": product.get_absolute_url()}
    return render(request, f"infusions/formulary/{name}_sign.html", context)
