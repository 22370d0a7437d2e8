"""What the nurses' pages show of after-care: in words, with what was given at the visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from infusion_center.core.rules import Problem
from infusions.doses.models import DoseRecord, DoseState
from infusions.pieces import Face
from infusions.reminders.after_care import NO, QUESTIONS, WITH_HEADACHE, YES
from infusions.reminders.after_care_calls import OwedCall, owed_about, reasons_of
from infusions.reminders.after_care_models import AfterCareCall, AfterCareReport, Urgency
from infusions.scheduling.models import Appointment

FACES = {
    Urgency.EMERGENCY: Face("emergency", "Emergency: call now", "siren"),
    Urgency.URGENT: Face("urgent", "Within the hour", "phone-call"),
    Urgency.TODAY: Face("today", "Today", "clock"),
    Urgency.NONE: Face("none", "Nothing reported", "check"),
}
# The questions in the nurse's words.
ASKED = {
    "chest-pain": "Chest pain or pressure",
    "breathing": "Trouble breathing",
    "one-side": "Weak on one side, trouble speaking or seeing, confused",
    "face-swelling": "Swollen face, lips, tongue or throat",
    "fainted": "Fainted or passed out",
    "limb": "One arm or leg swollen, painful or red",
    "dark-urine": "Dark urine",
    "little-urine": "Much less urine, or none",
    "yellow-or-pale": "Yellow, or much paler",
    "headache": "Headache",
    "stiff-neck": "Stiff neck",
    "light-hurts": "Light hurts the eyes",
    "vomiting": "Vomiting",
    "fever": "Fever or chills",
    "rash": "Rash, itching or hives",
    "both-legs": "Both legs swollen, or weight up",
    "tired": "Very tired",
}


@dataclass(frozen=True)
class Told:
    """One report in words."""

    report: AfterCareReport
    face: Face
    reasons: tuple[Problem, ...]
    yes: list[str]
    no: list[str]
    left_open: list[str]

    @property
    def calls(self) -> list[AfterCareCall]:
        return list(self.report.calls.all())


@dataclass(frozen=True)
class CallRow:
    owed: OwedCall
    told: Told  # the gravest
    newest: Told | None  # where it is another
    given: str
    record: DoseRecord | None

    @property
    def visit(self) -> Appointment:
        return self.owed.visit

    @property
    def face(self) -> Face:
        return self.told.face


@dataclass(frozen=True)
class Sheet:
    """All about one visit."""

    told: Sequence[Told]  # newest first
    owed: OwedCall | None  # None: no call is owed any more
    given: str
    record: DoseRecord | None

    @property
    def newest(self) -> AfterCareReport:
        return self.told[0].report

    @property
    def face(self) -> Face:
        return FACES[self.owed.urgency] if self.owed else FACES[Urgency.NONE]

    @property
    def is_signed(self) -> bool:
        """Whether what came of it stands beside the record as a late reaction, or still goes into it."""
        return self.record is not None and self.record.state == DoseState.SIGNED


def call_rows(owed: Sequence[OwedCall]) -> list[CallRow]:
    records = records_of([one.visit for one in owed])
    return [call_row(one, records.get(one.visit.pk)) for one in owed]


def call_row(owed: OwedCall, record: DoseRecord | None) -> CallRow:
    newest = told_of(owed.newest) if owed.newest != owed.gravest else None
    return CallRow(owed, told_of(owed.gravest), newest, given_at(owed.visit, record), record)


def sheet_of(visit: Appointment, now: dt.datetime) -> Sheet:
    record = records_of([visit]).get(visit.pk)
    return Sheet(told_after(visit.after_care_reports.all()), owed_about(visit, now), given_at(visit, record), record)


def told_after(reports: QuerySet[AfterCareReport], most: int | None = None) -> list[Told]:
    """Newest first, with the calls."""
    found = reports.select_related("appointment__site").prefetch_related("calls__called_by").order_by("-pk")
    return [told_of(report) for report in found[:most]]


def told_by(visits: QuerySet[Appointment], *, most: int) -> list[Told]:
    """The latest about any of these visits."""
    reports = AfterCareReport.objects.filter(appointment__in=visits.order_by().values("pk"))
    return told_after(reports, most)


def told_of(report: AfterCareReport) -> Told:
    def words(answer: str) -> list[str]:
        return [ASKED[code] for code in QUESTIONS if report.values.get(code) == answer]

    left_open = [ASKED[code] for code in asked_of(report) if code not in report.values]
    return Told(report, FACES[Urgency(report.urgency)], reasons_of(report), words(YES), words(NO), left_open)


def asked_of(report: AfterCareReport) -> list[str]:
    """More is asked only of who has a headache."""
    has_headache = report.values.get("headache") == YES
    return [code for code in QUESTIONS if has_headache or code not in WITH_HEADACHE]


def records_of(visits: Iterable[Appointment]) -> dict[int, DoseRecord]:
    records = DoseRecord.objects.filter(appointment__in=[visit.pk for visit in visits])
    return {record.appointment_id: record for record in records.select_related("product").prefetch_related("vials")}


def given_at(visit: Appointment, record: DoseRecord | None) -> str:
    """Product and lots of that dose; as ordered where no record was made."""
    if record is None:
        return f"{visit.order.product} (as ordered)"
    lots = ", ".join(sorted({vial.lot for vial in record.vials.all()}))
    return f"{record.product}, lot {lots}" if lots else str(record.product)
