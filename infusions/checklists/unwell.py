"""Upcoming visits whose patient reported what the page answers with "call us": she may not call, then a nurse does.

Nothing is settled here. What is true of the visit decides: she arrives, it is moved away or cancelled, or she reports
otherwise.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby

from infusions.checklists.models import PatientReport
from infusions.checklists.patient_reports import DAYS_BEFORE, GRAVE, days_left, opens_at, reported_values
from infusions.facility.models import Site
from infusions.scheduling.models import Appointment

# Whatever may be reported on by now, with the hour more of a night in which the clocks go back.
WITHIN = dt.timedelta(days=DAYS_BEFORE + 1, hours=1)


@dataclass(frozen=True)
class UnwellVisit:
    """`signs`: what she reported in words, and when she last said so. `comments`: hers since then, oldest first."""

    visit: Appointment
    signs: tuple[tuple[str, dt.datetime], ...]
    comments: tuple[str, ...]
    is_soon: bool  # today or tomorrow


def unwell_visits(site: Site, now: dt.datetime) -> list[UnwellVisit]:
    """By time. One statement, as long as the reports on the visits of the next three days."""
    visits = Appointment.objects.upcoming(now).filter(site=site, start__lt=now + WITHIN)
    reports = (
        PatientReport.objects.filter(appointment__in=visits)
        .select_related("appointment__patient", "appointment__site", "appointment__chair")
        .order_by("appointment__start", "appointment_id", "pk")
    )
    grouped = groupby(reports, key=lambda report: report.appointment_id)
    found = (unwell_visit(list(of_visit), now) for _, of_visit in grouped)
    return [one for one in found if one is not None]


def unwell_visit(reports: list[PatientReport], now: dt.datetime) -> UnwellVisit | None:
    """`reports`: all of one visit, oldest first; those of before it was moved away count no longer (see reports_of)."""
    visit = reports[0].appointment
    present = [report for report in reports if report.reported_at >= opens_at(visit)]
    said = reported_values(present)
    signs = ((words, said.get(code), value) for code, (value, words) in GRAVE.items())
    grave = [(words, one.report) for words, one, value in signs if one is not None and one.value == value]
    if not grave:
        return None
    first = min(report.pk for _, report in grave)
    comments = [report.comment for report in present if report.comment and report.pk >= first]
    return UnwellVisit(
        visit,
        tuple((words, report.reported_at) for words, report in grave),
        tuple(dict.fromkeys(comments)),
        is_soon=days_left(visit, now) <= 1,
    )
