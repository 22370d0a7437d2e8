"""Which product and size the numbers on vials and cartons stand for."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusions.facility.pages import form_page
from infusions.stock import forms, services
from infusions.stock.gs1 import UnreadableCode, read_code
from infusions.stock.models import ProductCode


@requires(Permission.VIEW_STOCK)
@require_safe
def code_list(request):
    codes = ProductCode.objects.select_related("product", "registered_by")
    codes = codes.order_by("product__name", "product__concentration_mg_per_ml", "grams", "gtin")
    return render(request, "infusions/stock/code_list.html", {"codes": codes})


@requires(Permission.MANAGE_STOCK)
def code_add(request):
    """The number typed, or a whole code scanned, of which the number counts."""
    form = forms.CodeForm(request.POST or None, initial={"gtin": request.GET.get("gtin", "")})

    def save(data):
        values = form.values()
        services.register_code(by=request.user, **values | {"gtin": number_in(values["gtin"])})

    page = {
        "title": "Register a product number",
        "text": "From then on a scan of this number is this product and size. Compare with the vial in your hand.",
        "verb": "Register",
        "done": "The number is registered.",
    }
    return form_page(request, form, save, to="stock:code-list", **page)


def number_in(text: str) -> str:
    try:
        return read_code(text).gtin
    except UnreadableCode:
        return text  # the service says what is wrong with it
