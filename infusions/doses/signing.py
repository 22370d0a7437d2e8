"""Signing and what comes after: the content that is signed, its hash, and amendments as new rows."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from decimal import Decimal

from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import refuse_if_blocking
from infusions.doses import finish_rules as rules
from infusions.doses.course import Course, course_of
from infusions.doses.models import DoseAmendment, DoseRecord, DoseState, VialUsed
from infusions.doses.writing import keep, lock
from infusions.orders.services import note_dose_given

RECORD_FIELDS = (
    "planned_g",
    "planned_volume_ml",
    "weight_kg",
    "max_rate_ml_per_h",
    "plan",
    "second_check_at",
    "started_at",
    "ended_at",
    "observation_ended_at",
    "outcome",
    "stop_reason",
    "volume_given_ml",
    "waste_ml",
    "notes",
)
PEOPLE = ("second_check_by", "started_by", "ended_by")
VIAL_FIELDS = ("grams", "lot", "expires_on", "serial")
RATE_FIELDS = ("kind", "at", "rate_ml_per_h", "step", "reason")
SIGNS_FIELDS = ("at", "phase", "temperature_c", "systolic", "diastolic", "pulse", "respiration", "spo2_percent")
REACTION_FIELDS = ("kind", "grade", "onset_at", "rate_ml_per_h", "action", "notes")
PART_FIELDS = ("public_id", "recorded_at")
# What a second version of the hash covers besides; records signed before have none, and the first one verifies them.
HASH_VERSION = 2
MORE_RECORD_FIELDS = ("hash_version", "second_checked", "advice_at", "advice_mailed")
MORE_VIAL_FIELDS = ("out_of_fridge_on",)
MORE_REACTION_FIELDS = ("volume_ml", "lots")
MEDICATION_FIELDS = ("purpose", "name", "dose", "unit", "route", "at", "note")
REACTION_STEP_FIELDS = ("kind", "at", "note")


@transaction.atomic
def sign_dose(*, record: DoseRecord, by, notes: str = "", now: dt.datetime | None = None) -> DoseRecord:
    """Sign the whole record; from then on the database refuses every change of it. The order counts the dose."""
    now = now or clock.now()
    lock(record)
    if notes.strip():
        record.notes = f"{record.notes}\n{notes.strip()}".strip()
    record.hash_version = HASH_VERSION
    course = course_of(record)
    refuse_if_blocking(rules.sign_problems(course))
    record.content_hash = content_hash(course)
    record.state, record.signed_at, record.signed_by, record.signed_name = DoseState.SIGNED, now, by, by.full_name
    record.save()
    given_on = clock.local_date(record.started_at, record.appointment.site.time_zone)
    note_dose_given(order=record.order, given_on=given_on, by=by)
    keep("signed", record, by=by, hash=record.content_hash)
    return record


@transaction.atomic
def amend_dose(
    *, record: DoseRecord, concerns: str, text: str, reason: str, by, now: dt.datetime | None = None
) -> DoseAmendment:
    """Add to a signed record or put it right: a new row that names what it concerns and why."""
    lock(record)
    refuse_if_blocking(rules.amend_problems(record, text=text, reason=reason))
    amendment = DoseAmendment.objects.create(
        record=record,
        concerns=concerns.strip()[:80],
        text=text.strip(),
        reason=reason.strip()[:200],
        amended_at=now or clock.now(),
        amended_by=by,
    )
    keep("amended", record, by=by, amendment=amendment.public_id)
    return amendment


def is_intact(record: DoseRecord) -> bool:
    """Whether what is on the record is still what was signed."""
    return record.content_hash == content_hash(course_of(record))


def content_hash(course: Course) -> str:
    """SHA-256 over the content of the record's version, with sorted keys and no spaces."""
    canonical = json.dumps(signed_content(course), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def signed_content(course: Course) -> dict:
    """Text only: a database may write numbers anew, and the hash must still be right."""
    content = _first_version(course)
    if course.record.hash_version is None:
        return content
    return _second_version(course, content)


def _second_version(course: Course, content: dict) -> dict:
    """Besides: what else was given, what was done about reactions, what the second person checked, the advice."""
    record = course.record
    steps = record.reaction_steps.select_related("reaction", "recorded_by").order_by("at", "pk")
    return content | {
        "fields": content["fields"] | _fields(record, MORE_RECORD_FIELDS),
        "people": content["people"] | {"advice_by": _person(record.advice_by)},
        "vials": [_vial(vial, VIAL_FIELDS + MORE_VIAL_FIELDS) for vial in course.vials],
        "reactions": [_part(one, REACTION_FIELDS + MORE_REACTION_FIELDS) for one in course.reactions],
        "reaction_steps": [_about_reaction(step, REACTION_STEP_FIELDS) for step in steps],
        "medications": [_about_reaction(one, MEDICATION_FIELDS) for one in course.medications],
    }


def _about_reaction(row, names: tuple[str, ...]) -> dict:
    return _part(row, names) | {"reaction": row.reaction.public_id if row.reaction else ""}


def _first_version(course: Course) -> dict:
    record = course.record
    return {
        "record": record.public_id,
        "visit": record.appointment.public_id,
        "order": record.order.public_id,
        "patient": {"id": record.patient.public_id, "mrn": record.patient.mrn},
        "product": record.product.key,
        "fields": _fields(record, RECORD_FIELDS),
        "people": {name: _person(getattr(record, name)) for name in PEOPLE},
        "vials": [_vial(vial, VIAL_FIELDS) for vial in course.vials],
        "rates": [_part(rate, RATE_FIELDS) for rate in course.rates],
        "vital_signs": [_part(signs, SIGNS_FIELDS) for signs in course.vital_signs],
        "reactions": [_part(reaction, REACTION_FIELDS) for reaction in course.reactions],
    }


def _vial(vial: VialUsed, names: tuple[str, ...]) -> dict:
    return _part(vial, names) | {"product": vial.product.key}


def _part(row, names: tuple[str, ...]) -> dict:
    return _fields(row, PART_FIELDS + names) | {"recorded_by": _person(row.recorded_by)}


def _fields(row, names: tuple[str, ...]) -> dict:
    return {name: _text(getattr(row, name)) for name in names}


def _person(user) -> str:
    return user.public_id if user else ""


def _text(value) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return "" if value is None else str(value)
