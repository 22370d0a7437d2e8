"""What is given besides the dose, and the advice that the patient takes home."""

from django.db import transaction
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission
from infusion_center.audit import services as audit
from infusions.doses import forms, services
from infusions.doses.act_views import acted, visible_record
from infusions.doses.history import medication_text
from infusions.doses.medication_forms import MedicationForm
from infusions.doses.views import READ, visible_visit
from infusions.reminders.advice import owe_advice


@requires(Permission.INFUSE)
@require_POST
def medication_add(request, appointment_id):
    def said(given):
        return f"Saved: {medication_text(given)}."

    return acted(request, appointment_id, MedicationForm, services.record_medication, act="medication", said=said)


@requires(Permission.INFUSE)
@require_POST
def advice_give(request, appointment_id):
    """Handed over on paper, or owed by mail; the mail and what the record says of it are written together."""
    mailed = "mail" in request.POST

    @transaction.atomic
    def given(*, record, by):
        services.record_advice(record=record, mailed=mailed, by=by)
        if mailed:
            owe_advice(appointment=record.appointment, by=by)

    said = "The advice is on its way by mail." if mailed else "The advice was handed over."
    return acted(request, appointment_id, forms.ConfirmForm, given, act="advice", said=said)


@requires(*READ)
@require_safe
def advice_print(request, appointment_id):
    """One page for the patient, in plain words and without what was given."""
    visit = visible_visit(request, appointment_id)
    record = visible_record(request, visit)
    audit.record("dose.advice_printed", record, by=request.user, patient=visit.patient, site=visit.site)
    context = {"visit": visit, "patient": visit.patient, "site": visit.site}
    return render(request, "infusions/doses/advice_print.html", context)
