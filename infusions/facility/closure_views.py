"""Days on which the site is closed."""

import datetime as dt

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusions.facility import services
from infusions.facility.forms import ClosureForm, HolidaysForm
from infusions.facility.models import Closure, Setting
from infusions.facility.pages import at_site, cover_url_if_hit, form_page
from infusions.facility.queries import closures_between


def chosen_year(request, site) -> int:
    this_year = clock.local_date(clock.now(), site.time_zone).year
    text = request.GET.get("year", "")
    return int(text) if text.isascii() and text.isdigit() and 2000 <= int(text) <= 2100 else this_year


@requires(Permission.VIEW_SCHEDULE)
@at_site
@require_safe
def closure_list(request, *, site):
    year = chosen_year(request, site)
    closures = closures_between([site], dt.date(year, 1, 1), dt.date(year, 12, 31)).order_by("starts_on", "pk")
    today = clock.local_date(clock.now(), site.time_zone)
    context = {"site": site, "year": year, "closures": closures, "today": today, "years": (year - 1, year, year + 1)}
    return render(request, "infusions/facility/closure_list.html", context)


@requires(Permission.MANAGE_FACILITY)
@at_site
def closure_create(request, *, site):
    form, zone = ClosureForm(request.POST or None), site.time_zone

    def save(data):
        # Why the site closes is also why visits booked on these days must move: nobody is asked twice.
        services.add_closure(site=site, by=request.user, **data | {"override_reason": data["reason"]})
        first, last = clock.day_bounds(data["starts_on"], zone)[0], clock.day_bounds(data["ends_on"], zone)[1]
        return cover_url_if_hit(site, site.appointments.filter(setting=Setting.FACILITY), first, last)

    page = {
        "title": "Close the site",
        "text": "No visits are offered on these days. Visits booked there are listed next, to be moved.",
        "verb": "Close these days",
        "done": "The closure is added.",
    }
    return form_page(request, form, save, to="facility:closure-list", **page)


@requires(Permission.MANAGE_FACILITY)
@at_site
def holidays_add(request, *, site):
    year = chosen_year(request, site)
    try:
        found = services.holidays_to_add(site, year)
    except ValueError as unknown:
        messages.error(request, f"{unknown} Set country and state of the site first.")
        return redirect("facility:closure-list")
    form = HolidaysForm(request.POST or None, found=found, initial={"days": [day.isoformat() for day, _ in found]})

    def save(data):
        reason = data["override_reason"]
        services.add_public_holidays(site=site, year=year, days=data["days"], by=request.user, override_reason=reason)

    return form_page(
        request,
        form,
        save,
        to="facility:closure-list",
        done="The holidays are added.",
        template="infusions/facility/holidays_form.html",
        site=site,
        year=year,
        years=(year - 1, year, year + 1),
        found=found,
    )


@requires(Permission.MANAGE_FACILITY)
@require_POST
def closure_remove(request, closure_id):
    closures = Closure.objects.visible_to(request.user).select_related("site")
    closure = get_object_or_404(closures, public_id=closure_id)
    services.remove_closure(closure=closure, by=request.user)
    messages.success(request, f"{closure.reason} is removed: the site takes patients again by its opening hours.")
    return redirect("facility:closure-list")
