import datetime as dt

from django.shortcuts import render
from django.views.decorators.http import require_GET

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusion_center.core.csv_text import csv_response
from infusions.facility.models import Site
from infusions.facility.queries import current_site
from infusions.reports import clinical, utilization
from infusions.reports.exports import download_visits
from infusions.reports.forms import PeriodForm
from infusions.reports.scope import Scope

USUAL_DAYS = 28


@requires(Permission.VIEW_REPORTS)
@require_GET
def overview(request):
    form, site = period_form(request), current_site(request)
    if site is None:
        return render(request, "infusions/facility/no_site.html")
    context = {"form": form, "site": site, "presets": presets(today_of(site))}
    if form.is_valid():
        context |= _report(scope_of(request, form))
    return render(request, "infusions/reports/overview.html", context)


@requires(Permission.VIEW_REPORTS)
@proof_required(download=True)
@require_GET
def visits_csv(request):
    form = period_form(request)
    if not form.is_valid():
        return overview(request)
    scope = scope_of(request, form)
    lines = download_visits(scope=scope, by=request.user)
    name = f"visits-{scope.first_day}-to-{scope.last_day}.csv"
    return csv_response(lines, name)


def presets(today: dt.date) -> list[tuple[str, dt.date, dt.date]]:
    """Periods that are asked for most: name, first and last day."""
    month = today.replace(day=1)
    before = month - dt.timedelta(days=1)
    return [
        ("Last 7 days", today - dt.timedelta(days=6), today),
        ("Last 28 days", today - dt.timedelta(days=USUAL_DAYS - 1), today),
        ("This month", month, today),
        ("Last month", before.replace(day=1), before),
        ("Next 28 days", today + dt.timedelta(days=1), today + dt.timedelta(days=USUAL_DAYS)),
    ]


def period_form(request, *, days: int = USUAL_DAYS) -> PeriodForm:
    site = current_site(request)
    if site is None:
        return PeriodForm({}, sites=[], usual={})
    today = today_of(site)
    usual = {"from": f"{today - dt.timedelta(days=days - 1)}", "to": f"{today}", "site": site.public_id}
    return PeriodForm(request.GET, sites=Site.objects.visible_to(request.user), usual=usual)


def today_of(site: Site) -> dt.date:
    return clock.local_date(clock.now(), site.time_zone)


def scope_of(request, form: PeriodForm) -> Scope:
    values = form.cleaned_data
    return Scope(request.user, values["site"], values["first_day"], values["last_day"])


def _report(scope: Scope) -> dict:
    products = clinical.product_reports(scope)
    chairs, chairs_total = utilization.chair_use(scope)
    return {
        "scope": scope,
        "visits": utilization.visit_counts(scope),
        "test_visits": scope.visits().filter(patient__is_test=True).count(),
        "chairs": chairs,
        "chairs_total": chairs_total,
        "nurses": utilization.nurse_load(scope),
        "products": products,
        "products_total": clinical.total_of(products),
        "grades": clinical.GRADES,
    }
