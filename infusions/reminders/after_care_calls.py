"""Whom a nurse still has to call about what was reported after a visit, the most urgent first.

A call that reached the patient, or was passed on, settles what she had reported until then. What came later, or was
not seen by whoever called, stays; and a newer report never hides an older one that is more urgent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from infusion_center.core import clock
from infusion_center.core.rules import Problem
from infusions.facility.models import Site
from infusions.facility.queries import Span, open_spans
from infusions.reminders.after_care import GRAVITY, assess
from infusions.reminders.after_care_models import AfterCareCall, AfterCareReport, CallOutcome, Urgency
from infusions.scheduling.models import Appointment

SETTLING = (CallOutcome.REACHED, CallOutcome.PASSED_ON)
# The list looks back so far; what nobody did until then stays on the page of the visit and in the chart.
LOOKS_BACK = dt.timedelta(days=60)
# Ours: from when on a call is late. What may wait until the end of the day is late when the site closes.
CALL_WITHIN = {Urgency.EMERGENCY: dt.timedelta(minutes=15), Urgency.URGENT: dt.timedelta(hours=1)}


CALLED_ABOUT = (Urgency.EMERGENCY, Urgency.URGENT, Urgency.TODAY)
REMEMBERED_SECONDS = 15


@dataclass(frozen=True)
class OwedCall:
    visit: Appointment
    reports: Sequence[AfterCareReport]  # not settled yet, newest first
    due_at: dt.datetime
    is_overdue: bool

    @property
    def newest(self) -> AfterCareReport:
        return self.reports[0]

    @property
    def gravest(self) -> AfterCareReport:
        """Of the most urgent ones the newest."""
        return gravest_of(self.reports)

    @property
    def urgency(self) -> Urgency:
        return Urgency(self.gravest.urgency)

    @property
    def tries(self) -> list[AfterCareCall]:
        """Calls in vain since then, oldest first."""
        found = [call for report in self.reports for call in report.calls.all()]
        return sorted(found, key=lambda call: call.called_at)


def unsettled_reports() -> QuerySet[AfterCareReport]:
    """Those after which, or after a later one of the same visit, no call settled the matter; newest first."""
    settled = AfterCareCall.objects.filter(
        outcome__in=SETTLING, report__appointment=OuterRef("appointment"), report__pk__gte=OuterRef("pk")
    )
    return AfterCareReport.objects.filter(~Exists(settled.order_by())).order_by("-pk")


def visits_to_call(site: Site, now: dt.datetime) -> QuerySet[AfterCareReport]:
    """Reports that ask for a call."""
    recent = unsettled_reports().filter(appointment__site=site, reported_at__gte=now - LOOKS_BACK)
    return recent.exclude(urgency=Urgency.NONE)


def call_counts(site: Site, now: dt.datetime) -> dict[str, int]:
    """Urgency -> how many visits wait for a call, each counted as its most urgent; none are left out. One statement."""
    found: dict[int, str] = {}
    for visit_id, urgency in visits_to_call(site, now).order_by().values_list("appointment_id", "urgency"):
        found[visit_id] = min(found.get(visit_id, urgency), urgency, key=gravity)
    return {urgency.value: sum(one == urgency for one in found.values()) for urgency in CALLED_ABOUT}


def remembered_call_counts(site: Site, now: dt.datetime, *, fresh: bool = False) -> dict[str, int]:
    """For a menu on every page, for all nurses of a site at once."""
    key = f"after-care-counts-{site.pk}"
    counts = None if fresh else cache.get(key)
    if counts is None:
        counts = call_counts(site, now)
        cache.set(key, counts, REMEMBERED_SECONDS)
    return counts


def calls_owed(site: Site, now: dt.datetime) -> list[OwedCall]:
    """The most urgent first, of those the one that is late the longest."""
    visits = visits_to_call(site, now).order_by().values("appointment")
    reports = (
        unsettled_reports()
        .filter(appointment__in=visits)
        .select_related(
            *("appointment__patient", "appointment__site", "appointment__chair", "appointment__order__product")
        )
        .prefetch_related(Prefetch("calls", AfterCareCall.objects.select_related("called_by")))
        .order_by("appointment_id", "-pk")
    )
    grouped = [list(of_visit) for _, of_visit in groupby(reports, key=lambda report: report.appointment_id)]
    spans = spans_since([report for of_visit in grouped for report in of_visit], site, now)
    owed = [owed_call(of_visit[0].appointment, of_visit, spans, now) for of_visit in grouped]
    return sorted(owed, key=lambda one: (gravity(one.urgency), one.due_at, one.newest.pk))


def owed_about(visit: Appointment, now: dt.datetime) -> OwedCall | None:
    """The same for one visit, however long ago."""
    reports = list(unsettled_reports().filter(appointment=visit).prefetch_related("calls__called_by"))
    if all(report.urgency == Urgency.NONE for report in reports):
        return None
    return owed_call(visit, reports, spans_since(reports, visit.site, now), now)


def spans_since(reports: Sequence[AfterCareReport], site: Site, now: dt.datetime) -> list[Span]:
    if not reports:
        return []
    first, today = (clock.local_date(at, site.time_zone) for at in (min(report.reported_at for report in reports), now))
    return open_spans(site, first, today + dt.timedelta(days=14))


def owed_call(
    visit: Appointment, reports: Sequence[AfterCareReport], spans: Iterable[Span], now: dt.datetime
) -> OwedCall:
    """Due from the first time that she reported so grave a thing, however often since."""
    gravest = gravest_of(reports)
    since = min(report.reported_at for report in reports if report.urgency == gravest.urgency)
    due_at = due_of(Urgency(gravest.urgency), since, spans, visit.site.time_zone)
    return OwedCall(visit, reports, due_at, is_overdue=now > due_at)


def due_of(urgency: Urgency, since: dt.datetime, spans: Iterable[Span], zone: str) -> dt.datetime:
    """`spans`: when the site is open. Where it does not open for long, the end of the day."""
    if urgency in CALL_WITHIN:
        return since + CALL_WITHIN[urgency]
    closes = next((end for _, end in spans if since < end), None)
    return closes or clock.day_bounds(clock.local_date(since, zone), zone)[1]


def gravest_of(reports: Iterable[AfterCareReport]) -> AfterCareReport:
    return min(reports, key=lambda report: (gravity(report.urgency), -report.pk))


def gravity(urgency: str) -> int:
    return GRAVITY[Urgency(urgency)]


def reasons_of(report: AfterCareReport) -> tuple[Problem, ...]:
    return assess(report.values, comment=report.comment, wants_call=report.wants_call).reasons


def graver_before(report: AfterCareReport) -> bool:
    """Whether she reported something more urgent before, about which nobody has called yet."""
    earlier = unsettled_reports().filter(appointment=report.appointment_id, pk__lt=report.pk)
    return any(gravity(one.urgency) < gravity(report.urgency) for one in earlier)
