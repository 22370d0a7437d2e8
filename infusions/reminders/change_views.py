"""The patient's pages "I need another time" and "I cannot come": a GET shows, a POST acts. See public_views for why
they need no session."""

from copy import copy

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from infusion_center.accounts.access import anonymous_allowed
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.reminders import limits, links
from infusions.reminders.forms import CallBackForm, CannotComeForm, NewTimeForm
from infusions.reminders.public_views import LINK_IN_MAIL, not_open, page_of, page_url, patient_page
from infusions.reminders.wording import language_of, when_of
from infusions.scheduling.models import Appointment
from infusions.scheduling.patient_answers import (
    CALL_ONLY,
    answer_problems,
    ask_for_call,
    cancel_by_patient,
    cancel_problems,
    move_by_patient,
    offered_starts,
    offers_starts,
)
from infusions.scheduling.slots import SlotOption


@anonymous_allowed(reason=LINK_IN_MAIL)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def move_visit(request, token):
    """Some times that fit, of which one press takes one; or a call, where the site or the visit wants that."""
    link, now = links.read_visit_token(token, links.Purpose.MOVE), clock.now()
    visit = link.appointment
    if elsewhere := not_open(request, link):
        return elsewhere
    if problems := answer_problems(visit, now):
        return please_call(request, link, problems)
    refused = ""
    if request.method == "POST":
        wants_call = "call" in request.POST
        refused = _asked_for_call(link, request) if wants_call else _moved(link, request)
        if not refused:
            return _back_to(visit, "asked" if wants_call else "moved")
        if elsewhere := not_open(request, links.read_visit_token(token, links.Purpose.MOVE)):
            return elsewhere
    limits.count_search(request, token)
    choices = [_choice(visit, option) for option in offered_starts(visit, now=now)]
    return page_of(
        request,
        "move",
        visit,
        choices=choices,
        offers=offers_starts(visit),
        refused=refused,
        back_url=page_url("visit", link, links.Purpose.VISIT),
    )


@anonymous_allowed(reason=LINK_IN_MAIL)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def cancel_visit(request, token):
    link, now = links.read_visit_token(token, links.Purpose.CANCEL), clock.now()
    visit = link.appointment
    if elsewhere := not_open(request, link):
        return elsewhere
    if problems := cancel_problems(visit, now):
        return please_call(request, link, problems)
    form, refused = CannotComeForm(request.POST if request.method == "POST" else None), ""
    if request.method == "POST":
        refused = _cancelled(link, form)
        if not refused:
            return redirect("reminders:visit", token=link.token(links.Purpose.VISIT))
        if elsewhere := not_open(request, links.read_visit_token(token, links.Purpose.CANCEL)):
            return elsewhere
    return page_of(
        request,
        "cancel",
        visit,
        refused=refused,
        chosen=form["because"].value() or "",
        message=form["message"].value() or "",
        move_url=page_url("move-visit", link, links.Purpose.MOVE),
        back_url=page_url("visit", link, links.Purpose.VISIT),
    )


def please_call(request: HttpRequest, link: links.VisitLink, problems) -> HttpResponse:
    is_course = any(problem.code == CALL_ONLY for problem in problems)
    back_url = page_url("visit", link, links.Purpose.VISIT)
    return page_of(request, "please_call", link.appointment, is_course=is_course, back_url=back_url)


def _moved(link: links.VisitLink, request: HttpRequest) -> str:
    """Why it was not moved: no time chosen, or that time is gone; nothing if it was."""
    form = NewTimeForm(request.POST)
    if not form.is_valid():
        return "none-chosen"
    start = clock.quarter_start(form.cleaned_data["start"])
    try:
        move_by_patient(appointment=link.appointment, start=start, version=link.version)
    except RuleViolation:
        return "gone"
    return ""


def _asked_for_call(link: links.VisitLink, request: HttpRequest) -> str:
    form = CallBackForm(request.POST)
    if not form.is_valid():
        return "too-long"
    message = form.cleaned_data["message"]
    try:
        ask_for_call(appointment=link.appointment, message=message, version=link.version)
    except RuleViolation:
        return "busy"
    return ""


def _cancelled(link: links.VisitLink, form: CannotComeForm) -> str:
    if not form.is_valid():
        return "none-chosen" if "because" in form.errors else "too-long"
    try:
        cancel_by_patient(appointment=link.appointment, version=link.version, **form.cleaned_data)
    except RuleViolation:
        return "busy"
    return ""


def _back_to(visit: Appointment, done: str) -> HttpResponse:
    """Whoever could move it by this link may go on with it as it now is."""
    visit.refresh_from_db()
    return redirect(f"{reverse('reminders:visit', args=[links.visit_token(visit)])}?done={done}")


def _choice(visit: Appointment, option: SlotOption) -> dict:
    """A start as the patient reads it, and what its button sends."""
    shown = copy(visit)
    shown.start, shown.end = option.start, option.end
    return {"value": clock.quarter_of(option.start), "when": when_of(shown, language_of(visit))}
