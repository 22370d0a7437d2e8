"""Visits at which the last weight or creatinine will be out of date, by the rules of signing and of the check."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Max

from infusion_center.core import clock
from infusions.checklists.clinical import CREATININE_DAYS, creatinine_max_age_days
from infusions.checklists.models import ChecklistAnswer
from infusions.facility.models import Site
from infusions.orders.rules import ADULT_AGE, WEIGHT_KEEPS_ADULT, WEIGHT_KEEPS_CHILD
from infusions.scheduling.models import Appointment
from patients.models import Weight

WITHIN = dt.timedelta(days=14)
LOOK_BACK = dt.timedelta(days=CREATININE_DAYS + 34)  # older values are out of date for everybody


@dataclass(frozen=True)
class StaleReading:
    """`weight` and `creatinine`: what is wrong with each in words, empty where it is in date."""

    appointment: Appointment
    weight: str
    creatinine: str


def stale_readings(site: Site, now: dt.datetime) -> list[StaleReading]:
    """Visits of the next two weeks, by time. Four queries, as long as the list of these visits."""
    visits = list(
        Appointment.objects.upcoming(now)
        .filter(site=site, start__lt=now + WITHIN)
        .select_related("patient", "order", "chair")
        .order_by("start", "pk")
    )
    if not visits:
        return []
    patients = {visit.patient_id for visit in visits}
    weighed, measured = _last_weights(patients), _last_creatinines(patients, now)
    found = (
        StaleReading(
            visit,
            _weight_words(visit, site, weighed.get(visit.patient_id)),
            _creatinine_words(visit, site, measured.get(visit.patient_id)),
        )
        for visit in visits
    )
    return [one for one in found if one.weight or one.creatinine]


def _last_weights(patients: set[int]) -> dict[int, dt.date]:
    rows = Weight.objects.current().filter(patient__in=patients).order_by().values_list("patient_id")
    return dict(rows.annotate(last=Max("measured_on")))


def _last_creatinines(patients: set[int], now: dt.datetime) -> dict[int, dt.date]:
    """Patient -> the day of the last creatinine; where none was noted, that of the check it was entered in."""
    answers = ChecklistAnswer.objects.filter(
        run__appointment__patient__in=patients, run__appointment__start__gte=now - LOOK_BACK
    ).order_by()
    newest = answers.filter(item__code="creatinine").values("run__appointment__patient_id").annotate(last=Max("pk"))
    rows = ChecklistAnswer.objects.filter(pk__in=[row["last"] for row in newest])
    runs = {
        run_id: (patient_id, started_at.date())
        for run_id, patient_id, started_at in rows.values_list(
            "run_id", "run__appointment__patient_id", "run__started_at"
        )
    }
    found = dict(runs.values())
    dates = ChecklistAnswer.objects.filter(run__in=runs, item__code="creatinine-on").order_by("pk")
    for run_id, value in dates.values_list("run_id", "value"):
        if value:
            found[runs[run_id][0]] = dt.date.fromisoformat(str(value))
    return found


def _weight_words(visit: Appointment, site: Site, measured_on: dt.date | None) -> str:
    """Source: fact sheet 2, weight: six months; children at each visit, here a month."""
    day = clock.local_date(visit.start, site.time_zone)
    if measured_on is None:
        return "No weight on record"
    is_child = visit.patient.age_on(day) < ADULT_AGE
    if day - measured_on <= (WEIGHT_KEEPS_CHILD if is_child else WEIGHT_KEEPS_ADULT):
        return ""
    return f"Weight of {measured_on:%d-%b-%Y}: {_days(day - measured_on)} old at the visit"


def _creatinine_words(visit: Appointment, site: Site, measured_on: dt.date | None) -> str:
    """The check then warns; before a first dose it asks for a decision. Source: clinical.creatinine_max_age_days."""
    order, day = visit.order, clock.local_date(visit.start, site.time_zone)
    is_first = order.is_first_dose and order.doses_given == 0
    if measured_on is None:
        return "No creatinine before the first dose" if is_first else "No creatinine in the last year"
    allowed = creatinine_max_age_days(is_first_dose=is_first, at_risk=order.at_risk, interval_days=order.interval_days)
    if (day - measured_on).days <= allowed:
        return ""
    return f"Creatinine of {measured_on:%d-%b-%Y}: {_days(day - measured_on)} old at the visit, {allowed} allowed"


def _days(span: dt.timedelta) -> str:
    return f"{span.days} days"
