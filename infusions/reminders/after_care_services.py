"""What patients report after a visit, and the calls that follow. Both are only ever added to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, blocker
from infusions.reminders.after_care import answer_problems, assess, call_problems
from infusions.reminders.after_care_models import AfterCareCall, AfterCareReport
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State

# Fact sheet 5: thrombosis comes up to 14 days after, hemolysis up to 10.
OPEN_FOR = dt.timedelta(days=14)
MOST_REPORTS = 20
ONE_PRESS = dt.timedelta(minutes=1)
DID_NOT_HAPPEN = (State.CANCELLED, State.NO_SHOW)


@transaction.atomic
def record_after_care_report(
    *,
    appointment: Appointment,
    values: Mapping[str, str],
    comment: str = "",
    wants_call: bool = False,
    now: dt.datetime | None = None,
) -> AfterCareReport:
    """Keep one more report of a visit that is over. By the patient alone."""
    now = now or clock.now()
    Appointment.objects.select_for_update().get(pk=appointment.pk)
    appointment = Appointment.objects.with_people().get(pk=appointment.pk)
    comment = " ".join(comment.split())
    problems = opening_problems(appointment, now) + answer_problems(values, comment=comment, wants_call=wants_call)
    if not problems and appointment.after_care_reports.count() >= MOST_REPORTS:
        problems = [blocker("after-care-too-many", "This was sent too often.", remedy="Please call the center.")]
    if problems:
        raise RuleViolation(problems)
    found = assess(values, comment=comment, wants_call=wants_call)
    report = AfterCareReport.objects.create(
        appointment=appointment,
        values=dict(values),
        comment=comment,
        wants_call=wants_call,
        urgency=found.urgency,
        reported_at=now,
    )
    audit.record(
        "after_care.reported_by_patient",
        appointment,
        by=None,
        actor="Patient",
        patient=appointment.patient,
        site=appointment.site,
        urgency=found.urgency.value,
        reasons=[reason.code for reason in found.reasons],
    )
    return report


@transaction.atomic
def record_after_care_call(
    *, report: AfterCareReport, outcome: str, note: str = "", by, now: dt.datetime | None = None
) -> AfterCareCall:
    """Keep a try to call about this report and the earlier ones of its visit. The same again within a minute is one
    press."""
    now = now or clock.now()
    Appointment.objects.select_for_update().get(pk=report.appointment_id)
    note = " ".join(note.split())
    if problems := call_problems(outcome, note):
        raise RuleViolation(problems)
    same = AfterCareCall.objects.filter(report=report, outcome=outcome, note=note, called_by=by)
    if again := same.filter(called_at__gt=now - ONE_PRESS).first():
        return again
    call = AfterCareCall.objects.create(report=report, outcome=outcome, note=note, called_at=now, called_by=by)
    appointment = report.appointment
    audit.record(
        "after_care.called",
        appointment,
        by=by,
        patient=appointment.patient,
        site=appointment.site,
        outcome=outcome,
        report=report.public_id,
    )
    return call


def opening_problems(appointment: Appointment, now: dt.datetime) -> list[Problem]:
    """From the end of the visit, and as long as late reactions come."""
    if appointment.state in DID_NOT_HAPPEN or now >= closes_at(appointment):
        return [blocker("after-care-over", "These questions are closed.")]
    if now < ended_at(appointment):
        return [blocker("after-care-early", "The visit is not over yet.")]
    return []


def ended_at(appointment: Appointment) -> dt.datetime:
    """As it really ended; as planned where no end is on record, as of a tablet that was not in touch yet."""
    return appointment.finished_at or appointment.end


def closes_at(appointment: Appointment) -> dt.datetime:
    return ended_at(appointment) + OPEN_FOR
