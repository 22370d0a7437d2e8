"""The patient's page "Before your visit": a GET shows, a POST sends. See public_views for why it needs no session."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from infusion_center.accounts.access import anonymous_allowed
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.checklists.models import PatientReport
from infusions.checklists.patient_reports import (
    NEW_DRUGS,
    advice_for,
    codes_asked,
    days_left,
    latest_report,
    opens_at,
    record_patient_report,
    wanted_ml,
)
from infusions.reminders import links
from infusions.reminders.emergency_numbers import emergency_number
from infusions.reminders.forms import MOST_GLASSES, BeforeVisitForm
from infusions.reminders.public_views import LINK_IN_MAIL, not_open, page_of, patient_page
from infusions.reminders.wording import day_of
from infusions.scheduling.models import Appointment


@anonymous_allowed(reason=LINK_IN_MAIL)
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def before_visit(request, token):
    """Thanks for what was sent today; else, and on demand, the questions of the day."""
    link, now = links.read_visit_token(token, links.Purpose.BEFORE), clock.now()
    if elsewhere := not_open(request, link):
        return elsewhere
    appointment = link.appointment
    opens = opens_at(appointment)
    if now < opens:
        back = link.token(links.Purpose.VISIT)
        return page_of(request, "before_early", appointment, back=back, opens_on=day_of(opens, appointment))
    asked = codes_asked(appointment, now)
    form = BeforeVisitForm(request.POST or None, codes=asked)
    if request.method == "POST":
        if form.is_valid() and sent(appointment, form):
            return redirect("reminders:before-visit", token=token)
        return ask(request, appointment, asked, form)
    report = latest_report(appointment)
    is_of_today = report is not None and days_left(appointment, report.reported_at) == days_left(appointment, now)
    if is_of_today and "again" not in request.GET:
        return thank(request, appointment, report)
    return ask(request, appointment, asked, form)


def ask(request: HttpRequest, appointment: Appointment, asked: dict[str, str], form: BeforeVisitForm) -> HttpResponse:
    questions = [{"code": code, "what": what, "chosen": form[code].value() or ""} for code, what in asked.items()]
    return page_of(
        request,
        "before",
        appointment,
        questions=questions,
        glasses=[str(number) for number in range(MOST_GLASSES + 1)],
        form=form,
        is_refused=request.method == "POST",
        is_early="intake-day-before" not in asked,
    )


def thank(request: HttpRequest, appointment: Appointment, report: PatientReport) -> HttpResponse:
    """When to call, and when not: kindly."""
    may_drink = appointment.patient.fluid_restriction_ml_per_day is None
    return page_of(
        request,
        "before_thanks",
        appointment,
        advice=advice_for(report.values, may_drink=may_drink, low_ml=wanted_ml(appointment)),
        emergency=emergency_number(appointment.site.country),
        brings_drugs=report.values.get(NEW_DRUGS) == "yes",
        is_early="intake-day-before" not in codes_asked(appointment, clock.now()),
    )


def sent(appointment: Appointment, form: BeforeVisitForm) -> bool:
    """Whether it was kept. What cannot be sent any more is no error of the patient's."""
    try:
        record_patient_report(
            appointment=appointment, values=form.values(), comment=form.cleaned_data["comment"], now=clock.now()
        )
    except RuleViolation:
        return False
    return True
