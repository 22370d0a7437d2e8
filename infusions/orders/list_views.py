"""The list of orders by what is to be done with them."""

from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.facility.queries import current_site
from infusions.orders import queries
from infusions.orders.models import InfusionOrder

PAGE_SIZE = 50
EMPTY = {
    "to-sign": "Drafts wait here for a pharmacist's signature.",
    "held": "Orders on hold wait here until somebody releases or stops them.",
    "expiring": "Signed orders that end within 30 days are listed here, so that a new one is asked for in time.",
}


@requires(Permission.VIEW_ORDER)
@require_safe
def order_list(request):
    site = current_site(request)
    today = clock.local_date(clock.now(), site.time_zone if site else "UTC")
    chosen = request.GET.get("list")
    if chosen not in queries.WORK_LISTS:
        chosen = "to-sign"
    visible = InfusionOrder.objects.visible_to(request.user)
    orders = queries.work_list(chosen, today, among=visible)
    counts = queries.work_list_counts(today, among=visible)
    context = {
        "chosen": chosen,
        "lists": [(name, label, counts.get(name)) for name, label in queries.WORK_LISTS.items()],
        "page": Paginator(orders, PAGE_SIZE).get_page(request.GET.get("page")),
        "empty_text": EMPTY.get(chosen, "Orders are entered from the patient's chart."),
        "today": today,
    }
    return render(request, "infusions/orders/order_list.html", context)
