"""Chairside pages of the pre-infusion check: fill, finish, look at, decide."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from infusion_center.accounts.access import requires
from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.audit.services import will_open
from infusion_center.core import clock
from infusion_center.core.htmx import go_to, is_htmx
from infusion_center.core.rules import RuleViolation
from infusions.checklists import cards, confirming, services
from infusions.checklists.forms import changed_answers, posted_answer
from infusions.checklists.models import ChecklistItem, PatientReport, PreInfusionChecklist
from infusions.checklists.outcome_views import outcome_context
from infusions.checklists.patient_reports import newest_reports
from infusions.checklists.queries import current_run, nothing_new, run_state
from infusions.scheduling.models import Appointment

NOT_ANSWERED = "Not answered yet."


def visible_appointment(request, appointment_id: str) -> Appointment:
    return get_object_or_404(Appointment.objects.visible_to(request.user).with_people(), public_id=appointment_id)


def visible_run(request, run_id: str) -> PreInfusionChecklist:
    runs = PreInfusionChecklist.objects.visible_to(request.user).select_related("template", "closed_by")
    run = get_object_or_404(runs, public_id=run_id)
    visits = Appointment.objects.visible_to(request.user).with_people()
    run.appointment = get_object_or_404(visits, pk=run.appointment_id)
    return run


@requires(Permission.FILL_CHECKLIST, Permission.OVERRIDE_CHECKLIST)
@require_GET
def checklist_detail(request, appointment_id):
    """The check in hand: to start, to fill, or what came out of it."""
    appointment = visible_appointment(request, appointment_id)
    run = current_run(appointment)
    will_open(appointment, by=request.user, patient=appointment.patient, what="pre-infusion check")
    if run is not None and services.began_today(run, clock.now()):
        run.appointment = appointment
        if run.is_open and has_permission(request.user, Permission.FILL_CHECKLIST):
            return fill_page(request, run)
        return render(request, "infusions/checklists/outcome.html", outcome_context(request, run))
    context = {"appointment": appointment, "earlier": run, "reports": newest_reports(appointment)}
    return render(request, "infusions/checklists/start.html", context)


def fill_page(request, run, *, errors=None, typed=None, problems=()):
    patient = run.appointment.patient
    will_open(run.appointment, by=request.user, patient=patient, what="pre-infusion check")
    state = run_state(run, clock.now())
    drawn = cards.cards_of(state, errors=errors, typed=typed, viewer=request.user)
    context = page_context(state) | {
        "sections": cards.sections_of(drawn),
        "reports": newest_reports(state.run.appointment),
        "errors": errors or {},
        "problems": problems,
    }
    return render(request, "infusions/checklists/fill.html", context)


def page_context(state) -> dict:
    return {
        "run": state.run,
        "appointment": state.run.appointment,
        "site": state.run.appointment.site,
        "progress": cards.progress_of(state),
        "seen": state.last_answer_id,
    }


@requires(Permission.FILL_CHECKLIST)
@require_POST
def checklist_start(request, appointment_id):
    appointment = visible_appointment(request, appointment_id)
    try:
        services.start_checklist(appointment=appointment, by=request.user)
    except RuleViolation as refused:
        for problem in refused.problems:
            messages.error(request, f"{problem.message} {problem.remedy}".strip())
    return redirect("checklists:checklist-detail", appointment.public_id)


@requires(Permission.FILL_CHECKLIST)
@require_POST
def checklist_answer(request, run_id, code):
    """One answer, kept at once. Without htmx the page comes back at the question."""
    run = visible_run(request, run_id)
    item = get_object_or_404(ChecklistItem, template=run.template, code=code)
    value, errors = posted_answer(item, request.POST), {}
    try:
        services.answer_item(run=run, item=item, value=value, by=request.user)
    except RuleViolation as refused:
        errors = {problem.field: problem.message for problem in refused.problems if problem.field}
        if not errors:
            return over(request, run, refused)
    if not is_htmx(request):
        if errors:
            return fill_page(request, run, errors=errors, typed={code: value})
        return redirect(f"{reverse('checklists:checklist-detail', args=[run.appointment.public_id])}#item-{code}")
    return fragment(request, run, code=code, errors=errors, typed={code: value} if errors else {})


def fragment(request, run, *, code="", errors=None, typed=None):
    """The question answered, and beside it (out of band) what else changed on the page."""
    state, seen = run_state(run, clock.now()), seen_by(request)
    wanted = cards.touched_codes(state, code, seen) if code else cards.changed_codes(state, seen)
    cards_now = cards.cards_of(state, errors=errors, typed=typed, viewer=request.user)
    drawn = {card.item.code: card for card in cards_now}
    context = page_context(state) | {
        "card": drawn.get(code),
        "others": [card for other, card in drawn.items() if other in wanted],
    }
    return render(request, "infusions/checklists/_answered.html", context)


def seen_by(request) -> int:
    """The latest answer that the page shows."""
    seen = request.POST.get("seen") or request.GET.get("seen") or ""
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else 0


@requires(Permission.FILL_CHECKLIST)
@require_POST
def checklist_confirm(request, run_id, code):
    """One tap takes over what the patient reported, or what the check before found."""
    run = visible_run(request, run_id)
    item, errors = get_object_or_404(ChecklistItem, template=run.template, code=code), {}
    named = request.POST.get("report", "")
    try:
        if not is_htmx(request):
            keep_changed(request, run)
        if named:
            report = get_object_or_404(PatientReport, appointment=run.appointment, public_id=named)
            confirming.confirm_report(run=run, item=item, report=report, by=request.user)
        else:
            confirming.confirm_earlier(run=run, item=item, by=request.user)
    except RuleViolation as refused:
        errors = {problem.field: f"{problem.message} {problem.remedy}".strip() for problem in refused.problems}
        if code not in errors:
            return over(request, run, refused)
    if is_htmx(request):
        return fragment(request, run, code=code, errors=errors)
    if errors:
        return fill_page(request, run, errors=errors)
    return redirect(f"{reverse('checklists:checklist-detail', args=[run.appointment.public_id])}#item-{code}")


@requires(Permission.FILL_CHECKLIST)
@require_GET
def checklist_changes(request, run_id):
    """What colleagues answered since `seen`: the page asks every few seconds, mostly for nothing, in one statement."""
    if nothing_new(request.user, run_id, seen_by(request)):
        return HttpResponse(status=204)
    run = visible_run(request, run_id)
    if not run.is_open:
        return go_to(request, "checklists:checklist-detail", run.appointment.public_id)
    return fragment(request, run)


@requires(Permission.FILL_CHECKLIST)
@require_POST
def checklist_save(request, run_id):
    """Every answer changed on the page at once: the way without JavaScript."""
    run = visible_run(request, run_id)
    try:
        kept, errors, typed = keep_changed(request, run)
    except RuleViolation as refused:
        return over(request, run, refused)
    if errors:
        return fill_page(request, run, errors=errors, typed=typed)
    messages.success(request, f"{kept} answer{'' if kept == 1 else 's'} saved.")
    return redirect("checklists:checklist-detail", run.appointment.public_id)


@requires(Permission.FILL_CHECKLIST)
@require_POST
def checklist_close(request, run_id):
    """Keep what was changed on the page, then close; what is missing is shown instead."""
    run = visible_run(request, run_id)
    try:
        _, errors, typed = keep_changed(request, run)
        if errors:
            return fill_page(request, run, errors=errors, typed=typed)
        services.close_checklist(run=run, by=request.user)
    except RuleViolation as refused:
        if refused.codes != {"unanswered"}:
            return over(request, run, refused)
        return fill_page(request, run, errors={problem.field: NOT_ANSWERED for problem in refused.problems})
    return redirect("checklists:checklist-detail", run.appointment.public_id)


def over(request, run, refused: RuleViolation):
    """Nothing can be written into this run any more, such as when a colleague closed it."""
    messages.error(request, " ".join(f"{p.message} {p.remedy}".strip() for p in refused.problems))
    return go_to(request, "checklists:checklist-detail", run.appointment.public_id)


@transaction.atomic
def keep_changed(request, run) -> tuple[int, dict, dict]:
    """How many answers were kept; what could not be read, by item code; and what was typed there.

    Raises RuleViolation, and keeps nothing, when the run takes no answers any more.
    """
    kept, errors, typed = 0, {}, {}
    for item, value in changed_answers(list(run.template.items.order_by("position")), request.POST):
        try:
            services.answer_item(run=run, item=item, value=value, by=request.user)
        except RuleViolation as refused:
            if not refused.problems[0].field:
                raise
            errors[item.code], typed[item.code] = refused.problems[0].message, value
        else:
            kept += 1
    return kept, errors, typed
