"""What every write of a dose record begins and ends with: the row locked and read anew, the event kept."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from infusion_center.audit import services as audit
from infusion_center.core.rules import RuleViolation, blocker
from infusions.doses import titration
from infusions.doses.course import Course, course_of
from infusions.doses.models import DoseRecord, RateChange, RateKind


def lock(record: DoseRecord) -> Course:
    """Take the row until the transaction ends and see it, and its parts, as they are now."""
    record.refresh_from_db(from_queryset=DoseRecord.objects.select_for_update())
    return course_of(record)


def keep(action: str, record: DoseRecord, *, by, **detail) -> None:
    audit.record(f"dose.{action}", record, by=by, patient=record.patient, site=record.appointment.site, **detail)


def add_rate(
    course: Course, kind: RateKind, rate_ml_per_h: Decimal, *, by, now: dt.datetime, reason: str = ""
) -> RateChange:
    """Rates follow each other in time, else the volume given could not be told."""
    if course.rates and now < course.rates[-1].at:
        raise RuleViolation([blocker("clock-behind", "A later rate is on the record already.", remedy="Try again.")])
    step = titration.step_running(course.steps, rate_ml_per_h).number if rate_ml_per_h else None
    return RateChange.objects.create(
        record=course.record,
        kind=kind,
        at=now,
        rate_ml_per_h=rate_ml_per_h,
        step=step,
        reason=reason.strip()[:200],
        recorded_at=now,
        recorded_by=by,
    )
