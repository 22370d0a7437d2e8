"""The board: chairs, nurses or a list of one day, or the load of a week; it brings itself up to date."""

from __future__ import annotations

import datetime as dt

from django.http import HttpResponse
from django.shortcuts import render

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.facility.queries import current_site
from infusions.scheduling.board_day import board_day, version_of
from infusions.scheduling.board_html import BoardHtml, legend, sprite
from infusions.scheduling.board_move_views import undo_of
from infusions.scheduling.board_week import board_week

VIEWS = {"chairs": "Chairs", "nurses": "Nurses", "list": "List", "week": "Week"}
ICONS = {"chairs": "armchair", "nurses": "users-round", "list": "list", "week": "chart-column"}
DAY = dt.timedelta(days=1)


@requires(Permission.VIEW_SCHEDULE)
def board(request):
    site = current_site(request)
    if site is None:
        return render(request, "infusions/scheduling/board_no_site.html")
    context = context_of(request, site) | {"undo": undo_of(request)}
    return render(request, "infusions/scheduling/board.html", context)


@requires(Permission.VIEW_SCHEDULE)
def board_fragment(request):
    """204 while nothing has changed since `seen`, so that htmx leaves the page, its focus and its scroll alone."""
    site = current_site(request)
    if site is None or request.GET.get("seen") == version_of(site, chosen_day(request, site), clock.now()):
        return HttpResponse(status=204)
    return render(request, "infusions/scheduling/_board.html", context_of(request, site))


def context_of(request, site) -> dict:
    day, now = chosen_day(request, site), clock.now()
    view = request.GET.get("view") if request.GET.get("view") in VIEWS else "chairs"
    # The version is read before the rows: what changes in between is shown twice rather than never.
    context = {"site": site, "version": version_of(site, day, now), "view": view, "now": now, "sprite": sprite()}
    if view == "week":
        shown = board_week(site, day, now)
        step = 7 * DAY
    else:
        shown = board_day(site, day, now, view=view)
        permissions = request.user.permissions
        context["html"] = BoardHtml(
            shown,
            may_move=Permission.BOOK_APPOINTMENT in permissions,
            may_check_in=Permission.CHECK_IN in permissions,
        )
        step = DAY
    return context | {
        "board": shown,
        "legend": legend(),
        "views": [(key, word, ICONS[key]) for key, word in VIEWS.items()],
        "step": "week" if view == "week" else "day",
        "before": day - step,
        "after": day + step,
        "today": clock.local_date(now, site.time_zone),
    }


def chosen_day(request, site) -> dt.date:
    """The day in the URL; today where it is missing or no date."""
    try:
        day = dt.date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return clock.local_date(clock.now(), site.time_zone)
    return min(max(day, dt.date(2000, 1, 9)), dt.date(2199, 12, 20))
