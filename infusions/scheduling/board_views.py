"""The day board: chairs as rows, the day as columns, or a list; brings itself up to date."""

from __future__ import annotations

import datetime as dt

from django.http import HttpResponse
from django.shortcuts import render

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.facility.queries import current_site
from infusions.scheduling.board_day import board_day, version_of

VIEWS = {"chairs": "Chairs", "list": "List"}
DAY = dt.timedelta(days=1)


@requires(Permission.VIEW_SCHEDULE)
def board(request):
    site = current_site(request)
    if site is None:
        return render(request, "infusions/scheduling/board_no_site.html")
    return render(request, "infusions/scheduling/board.html", context_of(request, site))


@requires(Permission.VIEW_SCHEDULE)
def board_fragment(request):
    """204 while nothing has changed since `seen`, so that htmx leaves the page, its focus and its scroll alone."""
    site = current_site(request)
    if site is None:
        return HttpResponse(status=204)
    if request.GET.get("seen") == version_of(request.user, site, chosen_day(request, site), clock.now()):
        return HttpResponse(status=204)
    return render(request, "infusions/scheduling/_board.html", context_of(request, site))


def context_of(request, site) -> dict:
    day, now = chosen_day(request, site), clock.now()
    view = request.GET.get("view") if request.GET.get("view") in VIEWS else "chairs"
    # The version is read before the rows: what changes in between is shown twice rather than never.
    version = version_of(request.user, site, day, now)
    return {
        "site": site,
        "board": board_day(request.user, site, day, now),
        "version": version,
        "view": view,
        "views": VIEWS,
        "yesterday": day - DAY,
        "tomorrow": day + DAY,
        "today": clock.local_date(now, site.time_zone),
    }


def chosen_day(request, site) -> dt.date:
    """The day in the URL; today where it is missing or no date."""
    try:
        day = dt.date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return clock.local_date(clock.now(), site.time_zone)
    return min(max(day, dt.date(2000, 1, 2)), dt.date(2199, 12, 30))
