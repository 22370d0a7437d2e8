"""One patient's rows in plain words: names of fields, yes and no, local times, for a page that people read."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Field, ForeignKey, Model
from django.utils.text import capfirst

from infusion_center.core import clock
from infusions.checklists.models import ChecklistAnswer
from infusions.checklists.values import show_value
from infusions.doses.models import DoseRecord
from infusions.orders.models import InfusionOrder
from infusions.reports.patient_tables import GROUPS, Rows
from infusions.scheduling.models import Appointment
from patients.models import Patient

WIDEST_TABLE = 7
UNITS = {
    "_ml_per_h": "mL/h", "_mg_per_kg": "mg/kg", "_ml_per_day": "mL a day", "_kg": "kg", "_g": "g", "_ml": "mL",
    "_cm": "cm", "_c": "°C", "_percent": "%", "_minutes": "minutes", "_days": "days", "_hours": "hours",
}  # fmt: skip
# Serve the program, not the reader; the data files hold them.
TECHNICAL = frozenset(
    {"created_at", "updated_at", "version", "appointment_version", "idempotency_token", "claimed_by", "lease_until",
     "tries", "message_id", "provider_id", "event_key", "hash_version", "content_hash", "plan", "content", "problems",
     "course_start", "start_hands_minutes", "end_hands_minutes", "ratio_place", "local_start", "resend_no"}
)  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """One table as it is read: as a table where it is narrow, else a list of cards, each label beside its value."""

    title: str
    headings: list[str]
    lines: list[list[str]]

    @property
    def is_narrow(self) -> bool:
        return len(self.headings) <= WIDEST_TABLE

    @property
    def cards(self) -> list[list[tuple[str, str]]]:
        return [[pair for pair in zip(self.headings, line, strict=True) if pair[1]] for line in self.lines]


def sheets_by_group(everything: Sequence[Rows], patient: Patient) -> list[tuple[str, list[Sheet]]]:
    of_table = {rows.table: rows for rows in everything}
    groups = [
        (group.title, [sheet_of(of_table[table], patient) for table in group.tables if of_table[table].rows])
        for group in GROUPS
    ]
    return [(title, sheets) for title, sheets in groups if sheets]


def sheet_of(rows: Rows, patient: Patient) -> Sheet:
    """Columns in which some row says something; what names the patient is on top of the page anyway."""
    model = rows.table.model
    fields = [field for field in model._meta.concrete_fields if is_for_readers(field)]
    lines = [[words_for(row, field, patient.time_zone) for field in fields] for row in rows.rows]
    used = [at for at in range(len(fields)) if any(line[at] for line in lines)]
    return Sheet(
        rows.table.title, [heading_of(fields[at]) for at in used], [[line[at] for at in used] for line in lines]
    )


def is_for_readers(field: Field) -> bool:
    if field.primary_key or field.name in TECHNICAL:
        return False
    if field.name == "public_id":
        return field.model in (Appointment, InfusionOrder, DoseRecord)
    return not (isinstance(field, ForeignKey) and field.related_model is Patient)


def heading_of(field: Field) -> str:
    if field.name == "public_id":
        return "Number"
    name = str(field.verbose_name)
    unit = next((unit for ending, unit in UNITS.items() if field.name.endswith(ending)), "")
    ending = next((ending for ending in UNITS if field.name.endswith(ending)), "")
    return capfirst(f"{name.removesuffix(ending.replace('_', ' '))} ({unit})" if unit else name)


def words_for(row: Model, field: Field, zone: str) -> str:
    if isinstance(row, ChecklistAnswer) and field.name == "value":
        return show_value(row.item, row.value)
    if isinstance(field, ForeignKey):
        other = getattr(row, field.name)
        return reference(other, zone) if other is not None else ""
    value = getattr(row, field.attname)
    if field.choices and value not in (None, ""):
        return str(dict(field.flatchoices).get(value, value))
    return plain_words(value, zone)


def reference(row: Model, zone: str) -> str:
    """A visit, order or infusion by its day rather than by its number."""
    if isinstance(row, Appointment):
        return f"visit of {plain_words(row.start, zone)}"
    if isinstance(row, InfusionOrder):
        return f"order {row.public_id}"
    if isinstance(row, DoseRecord):
        return f"infusion of {plain_words(row.started_at or row.created_at, zone)}"
    return str(row)


def plain_words(value, zone: str) -> str:
    match value:
        case None | "" | [] | {}:
            return ""
        case bool():
            return "yes" if value else "no"
        case dt.datetime():
            return f"{clock.to_local(value, zone):%d-%b-%Y %H:%M}"
        case dt.date():
            return f"{value:%d-%b-%Y}"
        case dt.time():
            return f"{value:%H:%M}"
        case Decimal():
            return f"{value.normalize():f}"
        case list():
            return ", ".join(plain_words(one, zone) for one in value)
        case dict():
            return "; ".join(f"{_spaced(key)}: {plain_words(one, zone)}" for key, one in value.items())
    return str(value)


def _spaced(key: object) -> str:
    return str(key).replace("_", " ").replace("-", " ")
