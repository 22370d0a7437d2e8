from django.shortcuts import get_object_or_404, render

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusions.formulary.queries import products_with_schedules


@requires(Permission.VIEW_FORMULARY)
def product_list(request):
    return render(request, "infusions/formulary/product_list.html", {"products": products_with_schedules()})


@requires(Permission.VIEW_FORMULARY)
def product_detail(request, key):
    product = get_object_or_404(products_with_schedules(), key=key)
    return render(request, "infusions/formulary/product_detail.html", {"product": product})
