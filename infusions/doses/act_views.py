"""Acts at the chair: each is one POST, one form, one service call, and back to the page."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.reauthentication import person_with_proof
from infusion_center.accounts.roles import Permission
from infusion_center.core.rules import RuleViolation
from infusions.doses import forms, queries, quick_forms, running_rules, services
from infusions.doses.models import DoseState, VialUsed
from infusions.doses.reaction_calls import GRADE_PAUSE, GRADE_STOP
from infusions.doses.reaction_forms import ReactionForm
from infusions.doses.running import refuse_stale
from infusions.doses.screen_views import ACTS
from infusions.doses.views import JUST_ACTED, detail_page, visible_visit

HOLDS_UNSEEN = (DoseState.PREPARING, DoseState.ENDED)  # in between the page itself shows what the values call for


def visible_record(request, visit):
    record = queries.record_of(visit)
    if record is None:
        raise Http404
    record.appointment = visit
    return record


def back(request, visit, said=""):
    if said:
        messages.success(request, said)
    request.session[JUST_ACTED] = visit.public_id
    # The form's own address ended in #act: without another one the browser would stay down there.
    return redirect(f"{reverse('doses:dose-detail', args=[visit.public_id])}#main")


def acted(request, appointment_id, form_class, service, *, act, said):
    """Read the form, do the act; refused, the page comes back with the form as it was and the reasons in it."""
    visit = visible_visit(request, appointment_id)
    record = visible_record(request, visit)
    form = form_class(request.POST, record=record)
    if form.is_valid():
        try:
            refuse_stale(record, form.cleaned_data["seen"])
            done = service(record=record, by=request.user, **form.values())
        except RuleViolation as refused:
            if act not in ACTS[queries.record_of(visit).state]:  # the page has no such form (any more)
                return told(request, visit, refused)
            form.show_problems(refused.problems)
        else:
            return back(request, visit, said(done) if callable(said) else said)
    return detail_page(request, visit, act=act, form=form)


def told(request, visit, refused):
    for problem in refused.problems:
        messages.error(request, f"{problem.message} {problem.remedy}".strip())
    return back(request, visit)


@requires(Permission.INFUSE)
@require_POST
def dose_prepare(request, appointment_id):
    visit = visible_visit(request, appointment_id)
    try:
        services.prepare_dose(appointment=visit, by=request.user)
    except RuleViolation as refused:
        return told(request, visit, refused)
    return back(request, visit)


@requires(Permission.INFUSE)
@require_POST
def product_choose(request, appointment_id):
    said = "The plan is computed for this product."
    return acted(request, appointment_id, forms.ProductForm, services.choose_product, act="product", said=said)


@requires(Permission.INFUSE)
@require_POST
def vial_add(request, appointment_id):
    def said(vials):
        return f"{len(vials)} vial{'s' if len(vials) > 1 else ''} of lot {vials[0].lot} added."

    return acted(request, appointment_id, forms.VialForm, services.add_vials, act="vial", said=said)


@requires(Permission.INFUSE)
@require_POST
def vial_remove(request, appointment_id, vial_id):
    visit = visible_visit(request, appointment_id)
    vial = get_object_or_404(VialUsed, record__appointment=visit, public_id=vial_id)
    try:
        services.remove_vial(vial=vial, by=request.user)
    except RuleViolation as refused:
        return told(request, visit, refused)
    return back(request, visit, "The vial is removed.")


@requires(Permission.INFUSE)
@require_POST
def second_check(request, appointment_id):
    """Signed by a second person at the same tablet; at home by the nurse herself, who is alone."""
    visit = visible_visit(request, appointment_id)
    if visit.is_home and "alone" in request.POST:
        return acted(
            request, appointment_id, forms.ConfirmForm, services.second_check, act="second-check", said="Checked again."
        )

    def checked(*, record, by, person, email, password):
        named = {"public_id": person} if person else {"email": email}
        person = person_with_proof(request, **named, secret=password, purpose="second check")
        return services.second_check(record=record, by=person)

    def said(record):
        return f"Second check by {record.second_check_by}."

    return acted(request, appointment_id, forms.SecondCheckForm, checked, act="second-check", said=said)


@requires(Permission.INFUSE)
@require_POST
def infusion_start(request, appointment_id):
    said = "The infusion runs."
    return acted(request, appointment_id, forms.ConfirmForm, services.start_infusion, act="", said=said)


@requires(Permission.INFUSE)
@require_POST
def rate_change(request, appointment_id):
    def said(change):
        return f"The pump runs at {change.rate_ml_per_h.normalize():f} mL/h."

    return acted(request, appointment_id, quick_forms.RateForm, services.change_rate, act="rate", said=said)


@requires(Permission.INFUSE)
@require_POST
def infusion_pause(request, appointment_id):
    return acted(request, appointment_id, quick_forms.PauseForm, services.pause_infusion, act="pause", said="Paused.")


@requires(Permission.INFUSE)
@require_POST
def infusion_resume(request, appointment_id):
    def said(change):
        return f"Resumed at {change.rate_ml_per_h.normalize():f} mL/h."

    return acted(request, appointment_id, quick_forms.ResumeForm, services.resume_infusion, act="resume", said=said)


@requires(Permission.INFUSE)
@require_POST
def vital_signs_add(request, appointment_id):
    def said(signs):
        if signs.record.state in HOLDS_UNSEEN:
            for problem in running_rules.hold_problems(signs, signs.record.appointment.site):
                messages.warning(request, f"{problem.message} {problem.remedy}")
        return "Vital signs saved."

    return acted(
        request, appointment_id, forms.VitalSignsForm, services.record_vital_signs, act="vital-signs", said=said
    )


@requires(Permission.INFUSE)
@require_POST
def reaction_add(request, appointment_id):
    def said(reaction):
        if reaction.grade >= GRADE_STOP:
            return "Stopped for good. Every order is on hold until a pharmacist releases it."
        return "Paused for the reaction." if reaction.grade == GRADE_PAUSE else "Reaction saved."

    return acted(request, appointment_id, ReactionForm, services.record_reaction, act="reaction", said=said)


@requires(Permission.INFUSE)
@require_POST
def infusion_end(request, appointment_id):
    said = "The infusion has ended. Observe the patient."
    return acted(request, appointment_id, quick_forms.EndForm, services.end_infusion, act="end", said=said)


@requires(Permission.INFUSE)
@require_POST
def observation_end(request, appointment_id):
    said = "The patient may go. Sign the record."
    return acted(
        request, appointment_id, quick_forms.ObservationForm, services.end_observation, act="observation", said=said
    )


@requires(Permission.INFUSE)
@require_POST
def dose_sign(request, appointment_id):
    """Signing asks for the person's own password again; at a shared tablet the PIN will do."""

    def signed(*, record, by, notes, password):
        person_with_proof(request, public_id=by.public_id, secret=password, purpose="signing a dose record")
        return services.sign_dose(record=record, by=by, notes=notes)

    return acted(request, appointment_id, forms.SignForm, signed, act="sign", said="Signed.")


@requires(Permission.AMEND_DOSE)
@require_POST
def dose_amend(request, appointment_id):
    """What is added to a signed record is proven as the signature was."""

    def amended(*, record, by, password, **fields):
        person_with_proof(request, public_id=by.public_id, secret=password, purpose="amending a dose record")
        return services.amend_dose(record=record, by=by, **fields)

    said = "The amendment is added."
    return acted(request, appointment_id, forms.AmendForm, amended, act="amend", said=said)
