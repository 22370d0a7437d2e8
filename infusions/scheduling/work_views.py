"""The work lists: an overview, one page for each, and the counts that the menu shows."""

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.facility.pages import at_site
from infusions.facility.queries import current_site
from infusions.reminders.after_care_calls import remembered_call_counts
from infusions.scheduling.work_lists import BY_SLUG, counts_of, lists_for

PAGE_SIZE = 30


@requires(Permission.BOOK_APPOINTMENT)
@at_site
@require_safe
def work_overview(request, *, site):
    counts = counts_of(site, clock.now(), fresh=True)
    lists = [(one, counts[one.slug]) for one in lists_for(request.user.permissions)]
    context = {"site": site, "lists": lists, "total": sum(number for _, number in lists)}
    return render(request, "infusions/scheduling/work_overview.html", context)


@requires(Permission.BOOK_APPOINTMENT)
@at_site
@require_safe
def work_list(request, slug, *, site):
    if slug not in BY_SLUG:
        raise Http404("There is no such list.")
    one = BY_SLUG[slug]
    if one.permission not in request.user.permissions:
        raise PermissionDenied
    if one.rows is None:
        return redirect(one.url)
    page = Paginator(one.rows(site, clock.now()), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [one.row(*found) if isinstance(found, tuple) else one.row(found) for found in page]
    context = {
        "site": site,
        "list": one,
        "slug": slug,
        "work_lists": lists_for(request.user.permissions),
        "page": page,
        "rows": [row.allowed(request.user.permissions) for row in rows],
    }
    return render(request, "infusions/scheduling/work_list.html", context)


@requires(Permission.BOOK_APPOINTMENT)
@require_safe
def work_counts(request):
    """What the menu shows beside "To do"; 204 for who belongs to no site. ?fresh where something was just done."""
    site = current_site(request)
    if site is None:
        return HttpResponse(status=204)
    now, fresh = clock.now(), "fresh" in request.GET
    counts = counts_of(site, now, fresh=fresh)
    mine = [counts[one.slug] for one in lists_for(request.user.permissions)]
    context = {"total": sum(mine), "uncovered": counts["uncovered"]}
    if Permission.VIEW_DOSE in request.user.permissions:
        context["care"] = remembered_call_counts(site, now, fresh=fresh)
    return render(request, "infusions/scheduling/_work_counts.html", context)
