"""What the patient reports before the visit, by the link from the mail. It informs: nothing counts before a nurse
verified it (see confirming)."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, blocker
from infusions.checklists.clinical import LOW_INTAKE_ML, intake_target_ml, low_intake_ml
from infusions.checklists.models import PatientReport
from infusions.checklists.queries import ADULT_YEARS
from infusions.checklists.values import Value
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import UPCOMING

GLASS_ML = 240  # one US cup
DAYS_BEFORE = 2
MOST_REPORTS = 20
MOST_ML = 8000
INTAKE = ("intake-day-before", "intake-today")
# A yes to new medicines names none: the nurse asks which. Only a no can be an answer of the check.
NEW_DRUGS = "new-drugs"
READ_AS = {
    "urine-normal": ("yes", "no"),
    "infection": ("yes", "no"),
    NEW_DRUGS: ("yes", ["none"]),
    "changes": ("yes", ["none"]),
}
# Item code -> the answer that would hold the infusion, for which the patient is asked to call; and it in words.
GRAVE = {"infection": ("yes", "Signs of infection"), "urine-normal": ("no", "Little urine")}


@dataclass(frozen=True)
class Reported:
    """The latest that the patient said about one question, and in which report."""

    value: Value
    report: PatientReport


@transaction.atomic
def record_patient_report(
    *, appointment: Appointment, values: Mapping[str, Value], comment: str = "", now: dt.datetime | None = None
) -> PatientReport:
    """Keep one more report of an upcoming visit; of each question the latest answer is shown. By the patient alone."""
    now = now or clock.now()
    Appointment.objects.select_for_update().get(pk=appointment.pk)
    appointment = Appointment.objects.with_people().get(pk=appointment.pk)
    comment = " ".join(comment.split())
    problems = opening_problems(appointment, now) + value_problems(values, comment)
    if not problems and appointment.patient_reports.count() >= MOST_REPORTS:
        problems = [blocker("report-too-many", "This was sent too often.", remedy="Please call the center.")]
    if problems:
        raise RuleViolation(problems)
    report = PatientReport.objects.create(
        appointment=appointment, values=dict(values), comment=comment, reported_at=now
    )
    audit.record(
        "checklist.reported_by_patient",
        appointment,
        by=None,
        actor="Patient",
        patient=appointment.patient,
        site=appointment.site,
        items=sorted(values),
    )
    return report


def opening_problems(appointment: Appointment, now: dt.datetime) -> list[Problem]:
    """Only an upcoming visit, from two days before: earlier it says nothing of the day."""
    if appointment.state not in UPCOMING or appointment.start <= now:
        return [blocker("report-over", "This visit can no longer be reported on.")]
    if now < opens_at(appointment):
        return [blocker("report-early", "It is too early to say how this visit will find you.")]
    return []


def value_problems(values: Mapping[str, Value], comment: str) -> list[Problem]:
    if not values and not comment:
        return [blocker("report-empty", "Nothing was reported.")]
    if len(comment) > 300:
        return [blocker("report-comment-long", "Use at most 300 characters.", field="comment")]
    wrong = [code for code, value in values.items() if not is_readable(code, value)]
    return [blocker("report-unreadable", "This is no answer to the question.", field=code) for code in wrong]


def is_readable(code: str, value: Value) -> bool:
    if code in INTAKE:
        return isinstance(value, str) and value.isascii() and value.isdigit() and int(value) <= MOST_ML
    return value in READ_AS.get(code, ())


def codes_asked(appointment: Appointment, now: dt.datetime) -> dict[str, str]:
    """Item code -> what the patient is asked for it today: the day before the visit is today, or yesterday.

    Two days before nothing that the patient drinks says whether he is hydrated at the visit.
    """
    always = {"infection": "infection", NEW_DRUGS: "new_drugs"}
    match days_left(appointment, now):
        case 0:
            return {"intake-day-before": "yesterday", "intake-today": "today", "urine-normal": "urine", **always}
        case 1:
            return {"intake-day-before": "today", "urine-normal": "urine", **always}
        case _:
            return always


def days_left(appointment: Appointment, now: dt.datetime) -> int:
    zone = visit_zone(appointment)
    return (clock.local_date(appointment.start, zone) - clock.local_date(now, zone)).days


def opens_at(appointment: Appointment) -> dt.datetime:
    zone = visit_zone(appointment)
    day = clock.local_date(appointment.start, zone) - dt.timedelta(days=DAYS_BEFORE)
    return clock.day_bounds(day, zone)[0]


def visit_zone(appointment: Appointment) -> str:
    """Where the visit is: at the site, or where the patient lives."""
    return appointment.patient.time_zone if appointment.is_home else appointment.site.time_zone


def glasses_ml(glasses: int) -> str:
    """As an answer in mL holds it."""
    return str(glasses * GLASS_ML)


def reports_of(appointment: Appointment) -> list[PatientReport]:
    """Those that speak of the visit as it now is, oldest first: a moved visit leaves earlier ones behind."""
    return list(appointment.patient_reports.filter(reported_at__gte=opens_at(appointment)).order_by("id"))


def newest_reports(appointment: Appointment) -> list[PatientReport]:
    return list(reversed(reports_of(appointment)))


def latest_report(appointment: Appointment) -> PatientReport | None:
    return next(iter(newest_reports(appointment)), None)


def reported_values(reports: list[PatientReport]) -> dict[str, Reported]:
    return {code: Reported(value, report) for report in reports for code, value in report.values.items()}


def advice_for(values: Mapping[str, Value], *, may_drink: bool, low_ml: int = LOW_INTAKE_ML) -> str:
    """What the thank-you page says: "call" the center, "drink" some more, or "fine".

    `may_drink`: no fluid restriction. Source: the checklist holds the infusion for infection and for little urine.
    """
    if any(values.get(code) == grave for code, (grave, _) in GRAVE.items()):
        return "call"
    drunk = values.get("intake-day-before")
    if may_drink and drunk is not None and Decimal(str(drunk)) < low_ml:
        return "drink"
    return "fine"


def wanted_ml(appointment: Appointment) -> int:
    """The least to drink the day before, by the rule of the check; of whoever may drink as she likes."""
    patient, site = appointment.patient, appointment.site
    is_adult = patient.age_on(clock.local_date(appointment.start, site.time_zone)) >= ADULT_YEARS
    kg = appointment.order.actual_weight_kg
    target = intake_target_ml(site_ml=site.hydration_target_ml, restriction_ml=None, is_adult=is_adult, kg=kg)
    return low_intake_ml(target, is_adult=is_adult, restricted=False)
