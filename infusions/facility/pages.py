"""What the pages of this room share: the site in use, and a form that calls one service."""

import datetime as dt
from functools import wraps
from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Nurse
from infusions.facility.queries import current_site
from infusions.facility.rules import overlapping


def at_site(view):
    """Hand the site in use to the view; who belongs to none is told so."""

    @wraps(view)
    def placed(request, *args, **kwargs):
        site = current_site(request)
        if site is None:
            return render(request, "infusions/facility/no_site.html")
        return view(request, *args, site=site, **kwargs)

    return placed


def fetch_nurse(request, nurse_id) -> Nurse:
    """A nurse of one of the person's sites."""
    return get_object_or_404(Nurse.objects.visible_to(request.user).select_related("user"), public_id=nurse_id)


def cover_url(site, first: dt.date, last: dt.date | None = None) -> str:
    """The page of the visits that lost their chair, nurse or open site between two local days."""
    query = {"site": site.public_id, "from": first.isoformat()} | ({"to": last.isoformat()} if last else {})
    return f"{reverse('scheduling:cover-list')}?{urlencode(query)}"


def cover_url_if_hit(site, visits, start: dt.datetime, end: dt.datetime | None) -> str | None:
    """The same when booked visits (of a reverse relation) touch [start, end), so that they are dealt with at once."""
    start = max(start, clock.now())
    if (end is not None and end <= start) or not overlapping(visits, start, end):
        return None
    last = clock.local_date(end - dt.timedelta(microseconds=1), site.time_zone) if end is not None else None
    return cover_url(site, clock.local_date(start, site.time_zone), last)


def form_page(request, form, save, *, to, done, template="infusions/facility/form_page.html", **page):
    """Show the form; on a valid post `save(cleaned_data)` and go on: to the address that it returns, else to `to`.

    What a service refuses is shown in the form.
    """
    back = resolve_url(to)
    if request.method == "POST" and form.is_valid():
        try:
            following = save(form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, done)
            return redirect(following or back)
    return render(request, template, {"form": form, "back_url": back, **page})
