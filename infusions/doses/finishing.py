"""What the patient takes home: advice for the hours and days after the dose, on paper or by mail."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import refuse_if_blocking
from infusions.doses import finish_rules
from infusions.doses.models import DoseRecord
from infusions.doses.writing import keep, lock


@transaction.atomic
def record_advice(*, record: DoseRecord, mailed: bool = False, by, now: dt.datetime | None = None) -> DoseRecord:
    """The advice was handed over, or its mail is owed. Both are possible; the first moment stands."""
    lock(record)
    refuse_if_blocking(finish_rules.advice_problems(record))
    if record.advice_at is None:
        record.advice_at, record.advice_by = now or clock.now(), by
    record.advice_mailed = bool(record.advice_mailed) or mailed
    record.save()
    keep("advice_given", record, by=by, mailed=mailed)
    return record
