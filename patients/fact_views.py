"""Pages that add one dated fact to a chart, take one back, or show them all with those that were taken back."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.core import clock
from infusion_center.core.htmx import go_to
from infusion_center.core.rules import RuleViolation
from patients import services
from patients.fact_forms import AllergyForm, ConsentForm, RetractForm, RiskForm, WeightForm
from patients.models import Allergy, Patient, RiskFactor, Weight
from patients.queries import current_weight
from patients.reading import read_patient
from patients.rules import Weighing, weight_change_problems
from patients.views import opened_patient

KINDS = {"weights": Weight, "allergies": Allergy, "risks": RiskFactor}


def _today(patient: Patient):
    return clock.local_date(clock.now(), patient.time_zone)


def _fact_page(request, patient: Patient, form, save: Callable, heading: str, verb: str, hint: str = ""):
    """Show the form; when it is sent, save and go back to the chart."""
    if request.method == "POST" and form.is_valid():
        try:
            done = save(patient=patient, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"Recorded: {done}.")
            return go_to(request, patient)
    context = {"patient": patient, "form": form, "heading": heading, "verb": verb, "hint": hint}
    return render(request, "patients/fact_form.html", context)


@requires(Permission.RECORD_CLINICAL_DATA)
def weight_create(request, patient_id):
    patient = opened_patient(request, patient_id, what="weights")
    previous = current_weight(patient)
    form = WeightForm(request.POST or None, initial={"measured_on": _today(patient)})

    def save(**fields):
        weight = services.record_weight(**fields)
        for problem in weight_change_problems(Weighing.of(weight), Weighing.of(previous)):
            messages.warning(request, f"{problem.message} {problem.remedy}")
        return weight

    hint = f"Last: {previous}." if previous else "No weight is on record yet."
    return _fact_page(request, patient, form, save, "Add a weight", "Save weight", hint)


@requires(Permission.RECORD_CLINICAL_DATA)
def allergy_create(request, patient_id):
    patient = opened_patient(request, patient_id, what="allergies")
    form = AllergyForm(request.POST or None)
    return _fact_page(request, patient, form, services.record_allergy, "Add an allergy or intolerance", "Save allergy")


@requires(Permission.RECORD_CLINICAL_DATA)
def risk_create(request, patient_id):
    patient = opened_patient(request, patient_id, what="risks")
    form = RiskForm(request.POST or None)
    hint = "Thrombosis and kidney risks of the boxed warning. Any of them caps the infusion rate."
    return _fact_page(request, patient, form, services.record_risk, "Add a risk factor", "Save risk factor", hint)


@requires(Permission.EDIT_PATIENT)
def consent_create(request, patient_id):
    patient = opened_patient(request, patient_id, what="consent")
    asked = {"decided_on": _today(patient), "channel": request.GET.get("channel", "")}
    form = ConsentForm(request.POST or None, initial=asked)
    hint = "The latest answer counts; earlier ones stay on record."
    return _fact_page(
        request, patient, form, services.set_contact_consent, "Record consent to contact", "Save answer", hint
    )


@requires(Permission.RECORD_CLINICAL_DATA)
def fact_retract(request, patient_id, kind, fact_id):
    if kind not in KINDS:
        raise Http404
    fact = get_object_or_404(KINDS[kind].objects.current(), patient__public_id=patient_id, public_id=fact_id)
    patient = opened_patient(request, patient_id, what=kind)
    form = RetractForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.retract_fact(fact=fact, by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            messages.success(request, f"Taken back: {fact}.")
            return go_to(request, patient)
    return render(request, "patients/fact_retract.html", {"patient": patient, "fact": fact, "form": form})


@requires(Permission.VIEW_PATIENT)
@require_safe
def patient_facts(request, patient_id):
    """Everything ever recorded, with what was taken back, by whom and why."""
    patient = read_patient(request, patient_id, what="facts")
    facts = {
        kind: model.objects.filter(patient=patient)
        .select_related("recorded_by", "retracted_by")
        .order_by("-recorded_at", "-pk")[:200]
        for kind, model in KINDS.items()
    }
    decisions = patient.contact_preferences.select_related("recorded_by").order_by("-recorded_at", "-pk")[:200]
    return render(request, "patients/patient_facts.html", {"patient": patient, "facts": facts, "decisions": decisions})
