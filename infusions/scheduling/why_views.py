"""Why a start does not fit: a page of its own, and a fragment beside the search."""

from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import record_opening
from infusion_center.core.htmx import page_or_partial
from infusions.facility.models import Setting
from infusions.scheduling import presenters
from infusions.scheduling.forms import BookForm, MoveForm, StartForm
from infusions.scheduling.meanwhile import seen_now
from infusions.scheduling.models import Appointment
from infusions.scheduling.views import addresses, fetch_order, filters_of
from infusions.scheduling.why_not import explain_start

ASKED = ("day", "time", "chair", "nurse", "setting", "site", "visit", "start", "from", "to")


@requires(Permission.BOOK_APPOINTMENT)
@require_http_methods(["GET", "HEAD", "POST"])
def slot_why(request, order_id):
    """A press without JavaScript comes as a POST, of which only the question goes into an address."""
    order = fetch_order(request, order_id)
    if request.method == "POST":
        sent = request.GET.dict() | {name: request.POST[name] for name in ASKED if name in request.POST}
        return redirect(f"{reverse('scheduling:slot-why', args=[order.public_id])}?{urlencode(sent)}")
    seen = seen_now(request.GET["visit"]) if request.GET.get("visit") else None
    visit = _moving(request, order)
    filters = filters_of(request, order, visit)
    at_home = filters.setting == Setting.HOME
    record_opening(order, by=request.user, patient=order.patient, what="slot search")
    asked = StartForm(request.GET, site=filters.site, at_home=at_home)
    why = None
    if asked.is_valid():
        chosen = asked.wishes()
        del chosen["override_reason"]
        why = explain_start(
            order=order, site=filters.site, setting=filters.setting, by=request.user, moving=visit, **chosen
        )
    token = BookForm.new_token()
    context = {
        "order": order,
        "patient": order.patient,
        "visit": visit,
        "seen": seen,
        "site": filters.site,
        "setting": filters.setting,
        "asked": asked,
        "form": _form(asked, filters, visit, seen, token),
        "why": why,
        "start_row": presenters.start_row(why.start, token) if why else None,
        "nearest": [presenters.option_row(option, token) for option in why.nearest] if why else [],
        **addresses(request, order, visit),
    }
    return page_or_partial(
        request, "infusions/scheduling/slot_why.html", "infusions/scheduling/_slot_why.html", context
    )


def _moving(request, order) -> Appointment | None:
    """The visit that is to move, if one is; of this order and of a site that the person may see."""
    if not request.GET.get("visit"):
        return None
    visits = Appointment.objects.visible_to(request.user).with_people().filter(order=order)
    visit = visits.filter(public_id=request.GET["visit"]).first()
    if visit is None:
        raise Http404
    return visit


def _form(asked, filters, visit, seen, token):
    """What was asked, as the form that books or moves it."""
    at_home = filters.setting == Setting.HOME
    typed = {name: asked[name].value() for name in ("day", "time", "chair", "nurse") if name in asked.fields}
    if visit is not None:
        return MoveForm(site=filters.site, at_home=at_home, initial={**typed, "version": visit.version, "seen": seen})
    return BookForm(site=filters.site, at_home=at_home, initial={**typed, "token": token, "setting": filters.setting})
