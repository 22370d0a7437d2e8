"""The patient's page of the days after a visit: a GET shows, a POST sends. See public_views for why it needs no
session."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from infusion_center.accounts.access import anonymous_allowed
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, codes
from infusions.facility.queries import next_opening
from infusions.reminders import links
from infusions.reminders.after_care import QUESTIONS, RED, WITH_HEADACHE, YES
from infusions.reminders.after_care_calls import graver_before
from infusions.reminders.after_care_forms import AfterVisitForm
from infusions.reminders.after_care_models import AfterCareReport, Urgency
from infusions.reminders.after_care_services import closes_at, opening_problems, record_after_care_report
from infusions.reminders.emergency_numbers import emergency_number
from infusions.reminders.public_views import LINK_IN_MAIL, page_of, patient_page
from infusions.reminders.wording import day_of, moment_of
from infusions.scheduling.models import Appointment

# Whoever comes back later is asked anew: advice of another day must not stand for today's.
ADVICE_STANDS = dt.timedelta(hours=12)


@anonymous_allowed(reason=LINK_IN_MAIL)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def after_visit(request, token):
    """What to do after what was just sent; else, and on demand, the questions."""
    appointment = links.read_visit_token(token, links.Purpose.AFTER).appointment
    if closed := codes(opening_problems(appointment, clock.now())):
        return page(request, "after_closed", appointment, is_early="after-care-early" in closed)
    form = AfterVisitForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if form.is_valid() and sent(appointment, form):
            return redirect("reminders:after-visit", token=token)
        # Too long, too often: whoever is in danger is told so all the same.
        in_danger = any(request.POST.get(code) == YES for code in RED)
        return advise(request, appointment, None) if in_danger else ask(request, appointment, form)
    report = appointment.after_care_reports.first()
    if report is not None and clock.now() - report.reported_at < ADVICE_STANDS and "again" not in request.GET:
        return advise(request, appointment, report)
    return ask(request, appointment, form)


def ask(request: HttpRequest, appointment: Appointment, form: AfterVisitForm) -> HttpResponse:
    questions = [
        {"code": code, "chosen": form[code].value() or "", "is_open": code in form.left_open}
        for code in QUESTIONS
        if code not in WITH_HEADACHE
    ]
    follow = [{"code": code, "chosen": form[code].value() or ""} for code in WITH_HEADACHE]
    return page(
        request,
        "after",
        appointment,
        questions=questions,
        follow=follow,
        form=form,
        is_refused=request.method == "POST",
    )


def advise(request: HttpRequest, appointment: Appointment, report: AfterCareReport | None) -> HttpResponse:
    """At once what to do; without a report, of an emergency that could not be kept. Nobody is promised a call at an
    hour at which nobody is there to call."""
    now = clock.now()
    opens = next_opening(appointment.site, now)
    return page(
        request,
        "after_sent",
        appointment,
        urgency=report.urgency if report else Urgency.EMERGENCY,
        is_kept=report is not None,
        earlier=report is not None and graver_before(report),
        is_open=opens is not None and opens <= now,
        opens_on=day_of(opens, appointment) if opens else "",
        opens_at=moment_of(opens, appointment) if opens else "",
        closes_on=day_of(closes_at(appointment), appointment),
        has_phone=bool(appointment.patient.phone),
    )


def sent(appointment: Appointment, form: AfterVisitForm) -> bool:
    """Whether it was kept; what was left open is said at the questions."""
    try:
        record_after_care_report(appointment=appointment, now=clock.now(), **form.report())
    except RuleViolation as refused:
        form.left_open = {problem.field for problem in refused.problems if problem.field}
        return False
    return True


def page(request: HttpRequest, name: str, appointment: Appointment, **more) -> HttpResponse:
    return page_of(request, name, appointment, emergency=emergency_number(appointment.site.country), **more)
