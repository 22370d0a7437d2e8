"""Uncovered visits: who is left without chair, nurse or open site, and why."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.facility.models import Site
from infusions.facility.pages import at_site
from infusions.scheduling.cover import Uncovered, uncovered_visits
from infusions.scheduling.cover_forms import Span, span_of
from infusions.scheduling.work_lists import LISTS

PAGE_SIZE = 40


def chosen_site(request, site: Site) -> Site:
    """The site named in the address, where the person belongs to it; else the one in use."""
    wanted = request.GET.get("site")
    return get_object_or_404(Site.objects.visible_to(request.user), public_id=wanted) if wanted else site


@requires(Permission.BOOK_APPOINTMENT)
@at_site
@require_safe
def cover_list(request, *, site):
    site = chosen_site(request, site)
    now = clock.now()
    span = span_of(request.GET, site)
    found = uncovered_visits(site, span.start, span.end, now=now)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"site": site, "span": span, "page": page, "days": by_day(page, site), "chips": chips(span, site, now)}
    context |= {"slug": "uncovered", "work_lists": LISTS}
    return render(request, "infusions/scheduling/cover_list.html", context)


def by_day(found: list[Uncovered], site: Site) -> list[tuple[dt.date, list[Uncovered]]]:
    """By the local day of the start; `found` comes by time."""
    groups = groupby(found, key=lambda one: clock.local_date(one.appointment.start, site.time_zone))
    return [(day, list(members)) for day, members in groups]


def chips(span: Span, site: Site, now: dt.datetime) -> list[tuple[str, str, bool]]:
    """Label, query and whether it is the one shown."""
    today = clock.local_date(now, site.time_zone)
    choices = [
        ("All ahead", Span(site, None, None)),
        ("Today", Span(site, today, today)),
        ("7 days", Span(site, today, today + dt.timedelta(days=6))),
    ]
    days = (span.first_day, span.last_day)
    return [(label, one.query, days == (one.first_day, one.last_day)) for label, one in choices]
