"""Acts of one or two taps: the step with its vital signs, staying, and a colleague's second check."""

from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core.rules import RuleViolation
from infusions.doses import quick_forms, services
from infusions.doses.act_views import acted, back, told, visible_record
from infusions.doses.running import refuse_stale
from infusions.doses.views import JUST_ACTED, visible_visit


@requires(Permission.INFUSE)
@require_POST
def step_up(request, appointment_id):
    """Vital signs and the new rate in one press. A step that the values forbid leaves the page asking for a reason."""
    outcome = []

    def stepped(**values):
        outcome.append(services.step_up(**values))
        return outcome[0]

    def said(done):
        if done.change is None:
            return ""
        return f"The pump runs at {done.change.rate_ml_per_h.normalize():f} mL/h."

    response = acted(request, appointment_id, quick_forms.StepForm, stepped, act="step", said=said)
    if not outcome or outcome[0].change is not None:
        return response
    messages.warning(request, "Vital signs saved. The rate was not raised: give the reason, or stay.")
    request.session[JUST_ACTED] = appointment_id
    return redirect(reverse("doses:dose-detail", args=[appointment_id]) + "?do=step#act")


@requires(Permission.INFUSE)
@require_POST
def rate_stay(request, appointment_id):
    def said(change):
        return f"Stays at {change.rate_ml_per_h.normalize():f} mL/h. The step is put off."

    return acted(request, appointment_id, quick_forms.StayForm, services.stay_at_rate, act="stay", said=said)


@requires(Permission.INFUSE)
@require_POST
def second_check_own(request, appointment_id):
    """A colleague signed in at her own tablet vouches for what her page shows: her press must say what she saw."""

    visit = visible_visit(request, appointment_id)
    record = visible_record(request, visit)
    try:
        refuse_stale(record, request.POST.get("seen") or "nothing")
        services.second_check(record=record, by=request.user)
    except RuleViolation as refused:
        return told(request, visit, refused)
    return back(request, visit, "You have made the second check.")
