"""Pages by which a person opens, prolongs and closes an emergency access to a chart outside the own sites."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from patients import emergency_rules as rules
from patients import emergency_services as services
from patients.emergency_forms import FindForm, OpenForm, ReasonForm, found_token
from patients.emergency_models import EmergencyAccess
from patients.emergency_queries import open_access, open_accesses_of, wrong_tries
from patients.models import Patient


@sensitive_post_parameters()
@requires(Permission.BREAK_GLASS)
def emergency_find(request):
    """One patient, named exactly: there is nothing to browse here."""
    form, status = FindForm(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        try:
            patient = services.find_for_emergency(by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            if patient is not None:
                return _found(request, patient, by_mrn=bool(form.cleaned_data["mrn"]))
            form.add_error(None, "Nobody is named exactly so. Check the spelling and every digit.")
    now = clock.now()
    context = {
        "form": form,
        "now": now,
        "tries_left": max(0, rules.MOST_WRONG_TRIES - wrong_tries(request.user, now)),
        "standing": open_accesses_of(request.user, now),
    }
    return render(request, "patients/emergency_find.html", context, status=status)


def _found(request, patient, *, by_mrn: bool):
    """To the chart where it is open anyway; else the question why."""
    if Patient.objects.visible_to(request.user).filter(pk=patient.pk).exists():
        messages.info(request, "This patient belongs to one of your sites: the chart is open as always.")
        return redirect(patient)
    if open_access(request.user, patient, clock.now()) is not None:
        return redirect(patient)
    form = OpenForm(initial={"found": found_token(patient, request.user, by_mrn=by_mrn)})
    return _ask_why(request, form, patient, by_mrn=by_mrn)


def _ask_why(request, form, patient, *, by_mrn: bool):
    """Shows what was typed and what it takes to be sure, not all that identifies the patient: nothing is opened yet."""
    return render(request, "patients/emergency_open.html", {"form": form, "patient": patient, "by_mrn": by_mrn})


@sensitive_post_parameters()
@requires(Permission.BREAK_GLASS)
@require_POST
def emergency_open(request):
    form = OpenForm(request.POST)
    found = form.found_by(request.user)
    patient = Patient.objects.filter(public_id=found.get("patient", "")).first()
    if patient is None:
        messages.error(request, "That took too long. Find the patient again.")
        return redirect("patients:emergency-find")
    if form.is_valid():
        kind, reason = form.cleaned_data["kind"], form.cleaned_data["reason"]
        try:
            services.open_emergency_access(patient=patient, kind=kind, reason=reason, by=request.user)
        except RuleViolation as refused:
            if "already-open" in refused.codes:  # pressed twice
                return redirect(patient)
            form.show_problems(refused.problems)
        else:
            return redirect(patient)
    return _ask_why(request, form, patient, by_mrn=found["by_mrn"])


def _own(request, access_id) -> EmergencyAccess:
    return get_object_or_404(request.user.emergency_accesses.select_related("patient"), public_id=access_id)


@requires(Permission.BREAK_GLASS)
def emergency_extend(request, access_id):
    access, now = _own(request, access_id), clock.now()
    if not access.is_open(now):
        messages.error(request, "This access is over. Find the patient again if you still need to.")
        return redirect("patients:emergency-find")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.extend_emergency_access(access=access, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, "Extended by another 60 minutes.")
            return redirect(access.patient)
    context = {"form": form, "access": access, "minutes": access.minutes_left(now)}
    return render(request, "patients/emergency_extend.html", context)


@requires(Permission.BREAK_GLASS)
@require_POST
def emergency_close(request, access_id):
    services.close_emergency_access(access=_own(request, access_id), by=request.user)
    messages.success(request, "The emergency access is closed.")
    return redirect("patients:emergency-find")
