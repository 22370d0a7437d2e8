"""The page by which a site begins to treat a patient whom another site registered."""

from allauth.core.internal.ratelimit import consume
from django.contrib import messages
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core.htmx import go_to
from infusion_center.core.rules import RuleViolation, blocker
from infusions.facility.pages import at_site
from patients.services import treat_here
from patients.site_forms import TreatHereForm

# Enough for a morning of slips, too few to find anybody by trying.
RATES = {"treat-here": "20/h/user"}
TOO_OFTEN = blocker("too-often", "Too many tries within the hour.", remedy="Ask the other site, and try again later.")


@requires(Permission.EDIT_PATIENT)
@at_site
@require_http_methods(["GET", "HEAD", "POST"])
def patient_treat_here(request, *, site):
    form = TreatHereForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if not consume(request, app="patients", action="treat-here", config=RATES, user=request.user):
                raise RuleViolation([TOO_OFTEN])
            patient = treat_here(site=site, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"{patient.name} is treated at {site} too. Compare name and date of birth.")
            return go_to(request, patient)
    return render(request, "patients/treat_here.html", {"form": form, "site": site})
