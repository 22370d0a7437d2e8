"""A nurse cannot come: her hours leave the roster, and the visits booked in them are listed at once."""

from __future__ import annotations

import datetime as dt

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.facility.call_out_forms import CallOutForm
from infusions.facility.models import Site
from infusions.facility.pages import at_site, cover_url, fetch_nurse, form_page
from infusions.facility.roster_services import call_out
from infusions.facility.roster_views import chosen_day, week_url


@requires(Permission.MANAGE_ROSTER, Permission.BOOK_APPOINTMENT)
@at_site
def nurse_call_out(request, nurse_id, *, site):
    """Whoever answers the telephone at six in the morning may note it; whoever does must be able to re-seat."""
    nurse = fetch_nurse(request, nurse_id)
    day = chosen_day(request.GET.get("day"), site)
    form = CallOutForm(request.POST or None, site=site, nurse=nurse, initial={"first_day": day})

    def save(data):
        wanted = {name: data[name] for name in ("starts_at", "ends_at", "reason")}
        gone = call_out(nurse=nurse, by=request.user, **wanted)
        return cover_url(site, *_days(gone, site))

    page = {
        "title": f"{nurse} cannot come",
        "text": "The hours leave the roster, at every site. Visits booked in them are listed next, to be re-seated.",
        "verb": "Take off the roster",
        "done": f"{nurse} is off the roster for these hours.",
    }
    return form_page(request, form, save, to=week_url(day - dt.timedelta(days=day.weekday())), **page)


def _days(spans: list[tuple[dt.datetime, dt.datetime]], site: Site) -> tuple[dt.date, dt.date]:
    """First and last local day on which hours were taken off."""
    last = max(end for _, end in spans) - dt.timedelta(microseconds=1)
    return clock.local_date(min(start for start, _ in spans), site.time_zone), clock.local_date(last, site.time_zone)
