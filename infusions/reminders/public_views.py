"""Pages behind the signed links of mails: a GET shows, a POST acts. No sign-in, no session, no names in the address.

The token is the only authority here and no cookie is, so a forged request from elsewhere gains nothing: these views
need no CSRF token. That also lets mail programs unsubscribe with one POST (RFC 8058), and lets the pages forbid all
referrers, with which browsers send no origin that a CSRF check could compare.
"""

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
from infusions.reminders import links
from infusions.reminders.forms import MoveRequestForm
from infusions.reminders.wording import visit_context
from infusions.scheduling import attendance
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import UPCOMING, State
from patients.models import Channel
from patients.queries import may_contact
from patients.services import set_contact_consent

LINK_IN_MAIL = "patients have no account: the signed link from their mail is the authority"


def patient_page(view):
    """Nothing of these pages is kept or passed on; a wrong link tells nothing, kindly."""

    @wraps(view)
    def kind(request, token):
        try:
            response = view(request, token)
        except links.BadLink:
            response = _gone(request, status=404)
        except links.ExpiredLink:
            response = _gone(request, status=410)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return kind


@anonymous_allowed(reason=LINK_IN_MAIL)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def visit(request, token):
    link = links.read_visit_token(token)
    appointment = link.appointment
    situation = situation_of(link)
    if situation == "over":
        return over_page(request, appointment)
    form = MoveRequestForm(request.POST or None)
    if request.method == "POST":
        if situation == "open" and form.is_valid():
            _answer(appointment, form.cleaned_data["answer"], form.cleaned_data["message"])
        return redirect("reminders:visit", token=token)
    fresh = reverse("reminders:visit", args=[links.visit_token(appointment)]) if situation == "changed" else ""
    asks = situation == "open" and not opening_problems(appointment, clock.now())
    before_url = reverse("reminders:before-visit", args=[link.token(links.Purpose.BEFORE)]) if asks else ""
    more = {"situation": situation, "fresh_url": fresh, "form": form, "before_url": before_url}
    return page_of(request, "visit", appointment, **more)


@anonymous_allowed(reason=LINK_IN_MAIL)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def stop(request, token):
    appointment = links.read_stop_token(token)
    patient = appointment.patient
    wants_mail = may_contact(patient, Channel.EMAIL)
    if request.method == "POST":
        # A mail program that unsubscribes for its user posts no field of ours: only our own button asks for mail again.
        wanted = request.POST.get("mails") == "on"
        if wanted != wants_mail:
            set_contact_consent(patient=patient, channel=Channel.EMAIL, consents=wanted, by=None)
        return redirect("reminders:stop", token=token)
    return page_of(request, "stop", appointment, wants_mail=wants_mail)


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


def _answer(appointment: Appointment, answer: str, message: str) -> None:
    """What cannot be done any more is not an error of the patient: the page then shows how things stand."""
    try:
        if answer == "confirm":
            attendance.confirm(appointment=appointment, by=None, version=appointment.version)
        else:
            wish = "Cannot come." if answer == "cannot" else "Asks for another time."
            attendance.request_move(appointment=appointment, message=f"{wish} {message}".strip()[:300])
    except RuleViolation:
        return


def page_of(request: HttpRequest, name: str, appointment: Appointment, **more) -> HttpResponse:
    context = {**visit_context(appointment), "appointment": appointment, **more}
    with translation.override(context["language"]):
        return render(request, f"infusions/reminders/public/{context['language']}/{name}.html", context)


def over_page(request: HttpRequest, appointment: Appointment) -> HttpResponse:
    return _gone(request, status=410, appointment=appointment)


def _gone(request: HttpRequest, *, status: int, appointment: Appointment | None = None) -> HttpResponse:
    """No details of any visit; in the language of the patient if known, else of the browser."""
    known = visit_context(appointment) if appointment else {}
    language = known.get("language") or (translation.get_language() or "en")[:2]
    template = f"infusions/reminders/public/{'es' if language == 'es' else 'en'}/gone.html"
    context = {"language": language, "place": known.get("place"), "over": appointment is not None}
    return render(request, template, context, status=status)
