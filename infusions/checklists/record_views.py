"""Looking at checks afterwards, and deciding on problems."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from infusion_center.accounts.access import proof_required, requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import record_opening, will_open
from infusion_center.core.rules import RuleViolation
from infusions.checklists import services
from infusions.checklists.findings import run_summary
from infusions.checklists.forms import OverrideForm
from infusions.checklists.outcome_views import outcome_context
from infusions.checklists.values import show_value
from infusions.checklists.views import over, visible_run


@requires(Permission.OVERRIDE_CHECKLIST)
@proof_required
@require_POST
def checklist_override(request, run_id):
    run = visible_run(request, run_id)
    code = request.POST.get("code", "")[:60]
    form = OverrideForm(request.POST, auto_id=f"{code}_%s")
    if form.is_valid():
        try:
            services.override_problem(run=run, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            return over(request, run, refused)
        messages.success(request, "Your decision is recorded.")
        return redirect("checklists:checklist-detail", run.appointment.public_id)
    patient = run.appointment.patient
    will_open(run.appointment, by=request.user, patient=patient, what="pre-infusion check")
    context = outcome_context(request, run, refused=form)
    return render(request, "infusions/checklists/outcome.html", context)


@requires(Permission.VIEW_DOSE)
@require_GET
def run_detail(request, run_id):
    """A check as it was filled: on which version, who answered what and when, what was decided."""
    run = visible_run(request, run_id)
    record_opening(run, by=request.user, patient=run.appointment.patient, what="pre-infusion check")
    history = list(run.answers.select_related("item", "answered_by").order_by("-id"))
    for answer in history:
        answer.shown = show_value(answer.item, answer.value)
    steps = list(run.hold_steps.select_related("by").order_by("id"))
    context = run_summary(run) | {"history": history, "steps": steps}
    return render(request, "infusions/checklists/run_detail.html", context)
