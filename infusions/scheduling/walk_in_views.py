"""A patient who walks in, or is added to the day: found by name, with what fits from now on; one press books."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusion_center.core.searching import to_sealed, typed
from infusions.facility.models import Setting
from infusions.facility.queries import current_site
from infusions.scheduling.board_forms import SpotForm
from infusions.scheduling.board_views import chosen_day
from infusions.scheduling.forms import BookForm
from infusions.scheduling.presenters import option_row
from infusions.scheduling.walk_ins import Spot, WalkIn, find_walk_ins


@requires(Permission.BOOK_APPOINTMENT)
@require_http_methods(["GET", "HEAD", "POST"])
def walk_in(request):
    site = current_site(request)
    if site is None:
        raise Http404("You belong to no site.")
    text = typed(request).strip()
    if request.method == "POST":
        return to_sealed(request, text)
    spot = _spot(request, site)
    now = clock.now()
    day = clock.local_date(spot.start, site.time_zone) if spot else chosen_day(request, site)
    day = max(day, clock.local_date(now, site.time_zone))
    found = find_walk_ins(text=text, site=site, day=day, asked_by=request.user, spot=spot, now=now) if text else []
    context = {
        "site": site,
        "day": day,
        "today": clock.local_date(now, site.time_zone),
        "spot": spot,
        "quarter": clock.quarter_of(spot.start) if spot else "",
        "text": text,
        "found": [_with_forms(one) for one in found],
        "setting": Setting.FACILITY,
    }
    return render(request, "infusions/scheduling/walk_in.html", context)


def _with_forms(one: WalkIn) -> tuple:
    """With what its forms carry: a token of its own for each patient, and each start's place on the board."""
    token = BookForm.new_token()
    return one, token, [(option_row(option, token), clock.quarter_of(option.start)) for option in one.starts]


def _spot(request, site) -> Spot | None:
    """What was pointed at on the board, if anything."""
    form = SpotForm(request.GET, site=site)
    return Spot(**form.spot()) if request.GET.get("quarter") and form.is_valid() else None
