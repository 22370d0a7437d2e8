"""Presses at a reaction, reactions learned of later, and the summary for MedWatch."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.doses import medwatch, queries, services
from infusions.doses.act_views import back, told, visible_record
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.reaction_calls import GRADE_STOP
from infusions.doses.reaction_forms import LateReactionForm
from infusions.doses.reaction_models import LateReaction, Reaction, ReactionStepKind
from infusions.doses.running import refuse_stale
from infusions.doses.views import visible_visit
from patients.models import Patient


def visible_reaction(request, appointment_id, reaction_id):
    """The visit and its reaction, with the record as the page shows it."""
    visit = visible_visit(request, appointment_id)
    record = visible_record(request, visit)
    reaction = get_object_or_404(Reaction, record=record, public_id=reaction_id)
    reaction.record = record
    return visit, reaction


@requires(Permission.INFUSE)
@require_POST
def reaction_slow(request, appointment_id, reaction_id):
    visit, reaction = visible_reaction(request, appointment_id, reaction_id)
    try:
        refuse_stale(reaction.record, request.POST.get("seen", ""))
        step = services.slow_for_reaction(reaction=reaction, by=request.user)
    except RuleViolation as refused:
        return told(request, visit, refused)
    return back(request, visit, f"{step.get_kind_display()}: {step.note}. Set the pump too.")


@requires(Permission.INFUSE)
@require_POST
def reaction_step_add(request, appointment_id, reaction_id):
    visit, reaction = visible_reaction(request, appointment_id, reaction_id)
    kind = request.POST.get("kind", "")
    try:
        services.record_reaction_step(reaction=reaction, kind=kind, by=request.user)
    except RuleViolation as refused:
        return told(request, visit, refused)
    return back(request, visit, f"Noted: {ReactionStepKind(kind).label.lower()}.")


@requires(Permission.RECORD_CLINICAL_DATA)
def late_reaction_create(request, patient_id):
    """From the chart or from a signed record (?dose=): a reaction learned of hours to months later."""
    patient = get_object_or_404(Patient.objects.visible_to(request.user), public_id=patient_id)
    audit.will_open(patient, by=request.user, patient=patient, what="infusions, for a late reaction")
    records = signed_records(request.user, patient)
    chosen = records.filter(public_id=request.GET.get("dose", "")).first() or records.first()
    form = LateReactionForm(request.POST or None, records=records, initial={"record": chosen and chosen.public_id})
    if request.method == "POST" and form.is_valid():
        try:
            late = services.record_late_reaction(by=request.user, **form.cleaned_data)
        except RuleViolation as refused:
            form.show_problems(refused.problems)
        else:
            held = " Every signed order of the patient is on hold until a pharmacist releases it."
            messages.success(request, f"The reaction is recorded.{held if late.grade >= GRADE_STOP else ''}")
            return redirect("patients:patient-detail", patient.public_id)
    context = {"patient": patient, "form": form, "chosen": chosen}
    return render(request, "infusions/doses/late_reaction_form.html", context)


def signed_records(user, patient):
    """Signed infusions of the patient at the person's sites, latest first."""
    records = DoseRecord.objects.visible_to(user).filter(appointment__patient=patient, state=DoseState.SIGNED)
    return records.select_related("product", "appointment__site", "patient").order_by("-started_at", "-pk")


@requires(Permission.VIEW_DOSE)
@require_safe
def medwatch_summary(request, appointment_id, reaction_id):
    """What the voluntary report to the FDA asks for, taken from the record; one page to print."""
    visit = visible_visit(request, appointment_id)
    record = queries.record_of(visit)
    if record is None:
        raise Http404
    record.appointment = visit
    reaction = next(
        (
            found
            for model in (Reaction, LateReaction)
            if (found := model.objects.filter(record=record, public_id=reaction_id).first())
        ),
        None,
    )
    if reaction is None:
        raise Http404
    audit.record(
        "dose.medwatch_opened", record, by=request.user, patient=visit.patient, site=visit.site, reaction=reaction_id
    )
    report = medwatch.report_of(record, reaction, now=clock.now())
    context = {"visit": visit, "patient": visit.patient, "site": visit.site, "report": report, "reporter": request.user}
    return render(request, "infusions/doses/medwatch.html", context)
