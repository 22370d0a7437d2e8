"""Notes what is done about a check that did not pass, by one or two taps on its page."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit.services import will_open
from infusion_center.core.rules import RuleViolation
from infusions.checklists.forms import HoldStepForm
from infusions.checklists.hold_services import record_hold_step
from infusions.checklists.models import HoldStepKind
from infusions.checklists.outcome_views import outcome_context
from infusions.checklists.views import over, visible_run


@requires(Permission.FILL_CHECKLIST)
@require_POST
def hold_step(request, run_id):
    """Without a field that could be put right the page comes back with what stands against it."""
    run = visible_run(request, run_id)
    form = HoldStepForm(request.POST)
    if form.is_valid():
        try:
            step = record_hold_step(run=run, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            if not any(problem.field for problem in refused.problems):
                return over(request, run, refused)
            form.show_problems(refused.problems)
        else:
            if step.kind == HoldStepKind.SENT_HOME:
                messages.info(request, "Noted: no infusion today. Now move or cancel the visit.")
                return redirect("scheduling:appointment-detail", run.appointment.public_id)
            page = reverse("checklists:checklist-detail", args=[run.appointment.public_id])
            return redirect(f"{page}#steps")
    patient = run.appointment.patient
    will_open(run.appointment, by=request.user, patient=patient, what="pre-infusion check")
    context = outcome_context(request, run, step_form=form)
    return render(request, "infusions/checklists/outcome.html", context)
