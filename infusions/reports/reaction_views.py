from django.shortcuts import render
from django.views.decorators.http import require_GET

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.core.csv_text import csv_response
from infusions.facility.queries import current_site
from infusions.reports.reaction_exports import download_reactions
from infusions.reports.reaction_picture import picture_of
from infusions.reports.reactions import GRADES, HINT_REACTIONS, HINT_TIMES, reaction_report
from infusions.reports.views import period_form, presets, scope_of, today_of

USUAL_DAYS = 365


@requires(Permission.VIEW_REPORTS)
@require_GET
def reactions(request):
    """Where reactions gather: by product and month, lot, and rate at the onset."""
    form, site = period_form(request, days=USUAL_DAYS), current_site(request)
    if site is None:
        return render(request, "infusions/facility/no_site.html")
    past = [preset for preset in presets(today_of(site)) if preset[2] <= today_of(site)]
    context = {"form": form, "site": site, "presets": past, "grades": GRADES}
    if form.is_valid():
        scope = scope_of(request, form)
        report = reaction_report(scope)
        context |= {"scope": scope, "report": report, "picture": picture_of(report.trend, report.months)}
        context["test_visits"] = scope.visits().filter(patient__is_test=True).count()
        context |= {"hint_reactions": HINT_REACTIONS, "hint_times": HINT_TIMES}
    return render(request, "infusions/reports/reactions.html", context)


@requires(Permission.VIEW_REPORTS)
@proof_required(download=True)
@require_GET
def reactions_csv(request):
    form = period_form(request, days=USUAL_DAYS)
    if not form.is_valid():
        return reactions(request)
    scope = scope_of(request, form)
    lines = download_reactions(scope=scope, by=request.user)
    return csv_response(lines, f"reactions-{scope.first_day}-to-{scope.last_day}.csv")
