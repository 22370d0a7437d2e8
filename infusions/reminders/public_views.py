"""Pages behind the signed links of mails: a GET shows, a POST acts. No sign-in, no session, no names in the address.

The token is the only authority here and no cookie is, so a forged request from elsewhere gains nothing: these views
need no CSRF token. That also lets mail programs unsubscribe with one POST (RFC 8058), and lets the pages forbid all
referrers, with which browsers send no origin that a CSRF check could compare.
"""

from contextlib import suppress
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from infusion_center.accounts.access import anonymous_allowed
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.checklists.patient_reports import opening_problems
from infusions.reminders import limits, links
from infusions.reminders.wording import About, language_of, visit_context
from infusions.scheduling import attendance
from infusions.scheduling.models import Appointment
from infusions.scheduling.patient_answers import answer_problems, is_cancelled_by_patient
from infusions.scheduling.states import UPCOMING, State
from patients.models import Channel
from patients.queries import may_contact
from patients.services import set_contact_consent

LINK_IN_MAIL = "patients have no account: the signed link from their mail is the authority"


def patient_page(view):
    """Nothing of these pages is kept or passed on; a wrong link tells nothing, kindly; nobody asks without end."""

    @wraps(view)
    def kind(request, token):
        try:
            limits.count(request, token)
            response = _answered(view, request, token)
        except limits.AskedTooOften:
            response = _too_often(request, token)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return kind


def _answered(view, request: HttpRequest, token: str) -> HttpResponse:
    try:
        return view(request, token)
    except links.BadLink:
        limits.count_guess(request)
        return _gone(request, status=404)
    except links.ExpiredLink:
        return _gone(request, status=410)


@anonymous_allowed(reason=LINK_IN_MAIL)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def visit(request, token):
    """How things stand; one press confirms, the other answers have a page each."""
    link, now = links.read_visit_token(token), clock.now()
    appointment, situation = link.appointment, situation_of(link)
    if situation == "over":
        return over_page(request, appointment)
    if request.method == "POST":
        if situation == "open" and request.POST.get("answer") == "confirm":
            with suppress(RuleViolation):  # the page then shows how things stand
                attendance.confirm(appointment=appointment, by=None, version=link.version)
        return redirect("reminders:visit", token=token)
    more = {"situation": situation, "done": request.GET.get("done", "")}
    if situation == "open":
        is_asked = not opening_problems(appointment, now)
        more |= {
            "may_change": not answer_problems(appointment, now),
            "move_url": page_url("move-visit", link, links.Purpose.MOVE),
            "cancel_url": page_url("cancel-visit", link, links.Purpose.CANCEL),
            "before_url": page_url("before-visit", link, links.Purpose.BEFORE) if is_asked else "",
        }
    elif situation == "changed":
        more["fresh_url"] = reverse("reminders:visit", args=[links.visit_token(appointment)])
    else:
        more["was_own_wish"] = is_cancelled_by_patient(appointment)
    return page_of(request, "visit", appointment, **more)


@anonymous_allowed(reason=LINK_IN_MAIL)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def stop(request, token):
    about = links.read_stop_token(token)
    patient = about.patient
    wants_mail = may_contact(patient, Channel.EMAIL)
    if request.method == "POST":
        # A mail program that unsubscribes for its user posts no field of ours: only our own button asks for mail again.
        wanted = request.POST.get("mails") == "on"
        if wanted != wants_mail:
            set_contact_consent(patient=patient, channel=Channel.EMAIL, consents=wanted, by=None)
        if "mails" in request.POST:
            return redirect("reminders:stop", token=token)
        wants_mail = wanted  # told at once: to such a program no redirect is allowed (RFC 8058, 3.1)
    return page_of(request, "stop", about, wants_mail=wants_mail, stop_link="")


def situation_of(link: links.VisitLink) -> str:
    """open (can be answered), changed (the link speaks of an earlier time), cancelled or over."""
    appointment = link.appointment
    if appointment.start <= clock.now():
        return "over"
    if appointment.state == State.CANCELLED:
        return "cancelled"
    if appointment.state not in UPCOMING:
        return "over"
    return "open" if link.is_current else "changed"


def page_url(name: str, link: links.VisitLink, purpose: links.Purpose) -> str:
    return reverse(f"reminders:{name}", args=[link.token(purpose)])


def not_open(request: HttpRequest, link: links.VisitLink) -> HttpResponse | None:
    """What to answer with when the visit can no longer be answered for by this link; None if it can."""
    situation = situation_of(link)
    if situation == "over":
        return over_page(request, link.appointment)
    return None if situation == "open" else redirect("reminders:visit", token=link.token(links.Purpose.VISIT))


def page_of(request: HttpRequest, name: str, about: About, *, status: int = 200, **more) -> HttpResponse:
    stop_url = reverse("reminders:stop", args=[links.stop_token(about)])
    context = {**visit_context(about), "appointment": about, "stop_link": stop_url, **more}
    return _rendered(request, name, context, status)


def over_page(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    return _gone(request, status=410, appointment=appointment)


def _gone(request: HttpRequest, *, status: int, appointment: Appointment | None = None) -> HttpResponse:
    """No details of any visit; in the language of the patient if known, else of the browser."""
    return _rendered(request, "gone", {**_whom_to_call(appointment), "over": appointment is not None}, status)


def _too_often(request: HttpRequest, token: str) -> HttpResponse:
    response = _rendered(request, "too_often", _whom_to_call(links.about(token)), 429)
    response.headers["Retry-After"] = str(limits.PAUSE_SECONDS)
    return response


def _whom_to_call(about: About | None) -> dict:
    if about is None:
        return {"language": "es" if (translation.get_language() or "en")[:2] == "es" else "en"}
    return {"language": language_of(about), "place": visit_context(about)["place"]}


def _rendered(request: HttpRequest, name: str, context: dict, status: int) -> HttpResponse:
    language = context["language"]
    with translation.override(language):
        return render(request, f"infusions/reminders/public/{language}/{name}.html", context, status=status)
