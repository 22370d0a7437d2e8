"""Chairs of the site, and when they are out of service."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.facility import chair_services as services
from infusions.facility.forms import ChairForm, ConfirmForm, OutageForm
from infusions.facility.models import Chair, ChairOutage
from infusions.facility.pages import at_site, cover_url_if_hit, form_page
from infusions.facility.queries import chairs_with_outages


def fetch_chair(request, chair_id) -> Chair:
    chairs = Chair.objects.visible_to(request.user).select_related("site")
    return get_object_or_404(chairs, public_id=chair_id)


@requires(Permission.VIEW_SCHEDULE)
@at_site
@require_safe
def chair_list(request, *, site):
    now = clock.now()
    context = {"site": site, "chairs": chairs_with_outages(site, now), "now": now}
    return render(request, "infusions/facility/chair_list.html", context)


@requires(Permission.MANAGE_FACILITY)
@at_site
def chair_create(request, *, site):
    form = ChairForm(request.POST or None)

    def save(data):
        services.add_chair(site=site, by=request.user, **data)

    page = {"title": "Add a chair", "verb": "Add chair", "done": "The chair is added."}
    return form_page(request, form, save, to="facility:chair-list", **page)


@requires(Permission.MANAGE_FACILITY)
def chair_edit(request, chair_id):
    chair = fetch_chair(request, chair_id)
    form = ChairForm(request.POST or None, instance=fetch_chair(request, chair_id))

    def save(data):
        services.amend_chair(chair=chair, by=request.user, **data)

    page = {"title": f"Change {chair}", "verb": "Save chair", "done": "The chair is saved."}
    return form_page(request, form, save, to="facility:chair-list", **page)


@requires(Permission.MANAGE_FACILITY)
@require_POST
def chair_move(request, chair_id):
    services.move_chair(chair=fetch_chair(request, chair_id), up=request.POST.get("to") == "up", by=request.user)
    return redirect("facility:chair-list")


@requires(Permission.MANAGE_FACILITY)
def chair_take_out(request, chair_id):
    chair = fetch_chair(request, chair_id)
    local = clock.to_local(clock.now(), chair.site.time_zone)
    initial = {"starts_on": local.date(), "starts": local.time().replace(second=0, microsecond=0)}
    form = OutageForm(request.POST or None, site=chair.site, initial=initial)

    def save(data):
        # Why it is out of service is also why it is taken from the visits booked there: nobody is asked twice.
        wanted = {name: data[name] for name in ("starts_at", "ends_at", "reason")}
        services.take_chair_out(chair=chair, by=request.user, override_reason=data["reason"], **wanted)
        return cover_url_if_hit(chair.site, chair.appointments, data["starts_at"], data["ends_at"])

    page = {
        "title": f"Take {chair} out of service",
        "text": "It is not offered for visits in this time. Visits booked there are listed next, to be re-seated.",
        "verb": "Take out of service",
        "done": f"{chair} is out of service.",
    }
    return form_page(request, form, save, to="facility:chair-list", **page)


@requires(Permission.MANAGE_FACILITY)
@require_POST
def outage_end(request, outage_id):
    outages = ChairOutage.objects.visible_to(request.user).select_related("chair__site")
    outage = get_object_or_404(outages, public_id=outage_id)
    services.put_chair_back(outage=outage, by=request.user)
    messages.success(request, f"{outage.chair} is back in service.")
    return redirect("facility:chair-list")


@requires(Permission.MANAGE_FACILITY)
def chair_retire(request, chair_id):
    chair = fetch_chair(request, chair_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)

    def save(data):
        services.retire_chair(chair=chair, by=request.user, override_reason=data["override_reason"])
        return cover_url_if_hit(chair.site, chair.appointments, clock.now(), None)

    page = {
        "title": f"Retire {chair}?",
        "text": "It leaves the board and is not booked again. Past visits keep it, and it can be brought back.",
        "verb": "Retire chair",
        "danger": True,
        "done": f"{chair} is retired.",
    }
    return form_page(request, form, save, to="facility:chair-list", **page)


@requires(Permission.MANAGE_FACILITY)
@require_POST
def chair_reinstate(request, chair_id):
    chair = services.reinstate_chair(chair=fetch_chair(request, chair_id), by=request.user)
    messages.success(request, f"{chair} is back.")
    return redirect("facility:chair-list")
