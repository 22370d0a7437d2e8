"""The cabinets of a site: what lies in them, what came in, and what was done with it."""

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.doses.queries import left_prepared
from infusions.facility.pages import at_site, form_page
from infusions.stock import forms, queries, services
from infusions.stock.gs1 import UnreadableCode, read_code
from infusions.stock.models import StockItem
from infusions.stock.presenters import history, rows_of


def visible_item(request, item_id) -> StockItem:
    items = StockItem.objects.visible_to(request.user).select_related("site", "product")
    return get_object_or_404(items, public_id=item_id)


@requires(Permission.VIEW_STOCK)
@at_site
@require_safe
def stock_list(request, *, site):
    form = forms.StockFilterForm(request.GET)
    today = clock.local_date(clock.now(), site.time_zone)
    found = queries.stock_items(request.user, site, today=today, **form.wanted())
    page = Paginator(found, 100).get_page(request.GET.get("page"))
    context = {
        "site": site,
        "form": form,
        "page": page,
        "rows": rows_of(page, today),
        "asked": any(form.wanted().values()),
        "left_prepared": left_prepared(site, clock.now()),
    }
    return render(request, "infusions/stock/stock_list.html", context)


@requires(Permission.MANAGE_STOCK)
@at_site
def receive(request, *, site):
    """A delivery, one lot and size at a time; a scanned code fills in what it says."""
    code, said = request.GET.get("code", ""), ""
    initial, unknown = {"count": 1}, ""
    if code and request.method != "POST":
        try:
            scanned = read_code(code)
        except UnreadableCode as error:
            said = str(error)
        else:
            initial |= _initial_of(scanned)
            unknown = "" if "vial" in initial else scanned.gtin
    form = forms.ReceiveForm(request.POST or None, initial=initial)

    def save(data):
        services.receive_vials(site=site, by=request.user, **form.values())

    page = {"site": site, "code": code, "unreadable": said, "unknown": unknown, "done": "The vials are in stock."}
    return form_page(request, form, save, to="stock:receive", template="infusions/stock/receive.html", **page)


def _initial_of(scanned) -> dict:
    initial = {"lot": scanned.lot, "expires_on": scanned.expires_on.isoformat() if scanned.expires_on else ""}
    if (known := queries.code_of(scanned)) is not None:
        initial["vial"] = f"{known.product.key}:{known.grams.normalize():f}"
    return initial


@requires(Permission.VIEW_STOCK)
@require_safe
def item_detail(request, item_id):
    item = visible_item(request, item_id)
    today = clock.local_date(clock.now(), item.site.time_zone)
    context = {"item": item, "site": item.site, "row": rows_of([item], today)[0], "events": history(item)}
    return render(request, "infusions/stock/item_detail.html", context)


def _act(request, item, form, service, *, title, verb, done, text="", danger=False):
    def save(data):
        service(item=item, by=request.user, **data)

    back = reverse("stock:item-detail", args=[item.public_id])
    page = {"title": title, "verb": verb, "text": text or _what(item), "danger": danger}
    return form_page(request, form, save, to=back, done=done, **page)


def _what(item) -> str:
    return f"{item}: {item.on_hand} on hand, {item.quarantined} set aside at {item.site}."


@requires(Permission.MANAGE_STOCK)
def item_move(request, item_id):
    item = visible_item(request, item_id)
    today = clock.local_date(clock.now(), item.site.time_zone)
    form = forms.MoveForm(request.POST or None, initial={"count": item.on_hand, "on": today})
    days = item.product.room_temperature_days
    kept = f"Out of it they keep for {days} days." if days else "How long they keep out of it is not known here."
    words = {
        "title": "Take out of the refrigerator",
        "verb": "Move to room temperature",
        "done": "The vials are moved.",
    }
    return _act(request, item, form, services.move_to_room, text=f"{_what(item)} {kept} They may not go back.", **words)


@requires(Permission.MANAGE_STOCK)
def item_discard(request, item_id):
    item = visible_item(request, item_id)
    initial = {"count": item.on_hand or item.quarantined, "set_aside": not item.on_hand}
    form = forms.DiscardForm(request.POST or None, initial=initial)
    words = {"title": "Discard vials", "verb": "Discard vials", "done": "The vials are off the stock."}
    return _act(request, item, form, services.discard_vials, danger=True, **words)


@requires(Permission.MANAGE_STOCK)
def item_set_aside(request, item_id):
    item = visible_item(request, item_id)
    form = forms.ReasonForm(request.POST or None, initial={"count": item.on_hand})
    words = {
        "title": "Set vials aside",
        "verb": "Set aside",
        "done": "The vials are set aside: nobody is offered them.",
    }
    return _act(request, item, form, services.quarantine_vials, **words)


@requires(Permission.MANAGE_STOCK)
def item_release(request, item_id):
    item = visible_item(request, item_id)
    form = forms.ReasonForm(request.POST or None, initial={"count": item.quarantined})
    words = {"title": "Release vials", "verb": "Release", "done": "The vials may be given again."}
    return _act(request, item, form, services.release_vials, **words)


@requires(Permission.MANAGE_STOCK)
def item_correct(request, item_id):
    item = visible_item(request, item_id)
    form = forms.CorrectForm(request.POST or None, initial={"count": item.on_hand, "seen": item.on_hand})

    def correct(*, count, **more):
        services.correct_count(counted=count, **more)

    words = {"title": "Correct the count", "verb": "Save the count", "done": "The count is saved."}
    return _act(request, item, form, correct, **words)
