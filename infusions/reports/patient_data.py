"""One patient's rows as JSON: documented names, numbers as they were entered, times in UTC."""

import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Field, ForeignKey, Model

from infusion_center.audit.models import AuditEvent
from infusion_center.audit.presenters import present
from infusions.reports.patient_tables import TABLES, Rows

ABOUT_NAMES = {
    "id": "Names the row within this export.",
    "reference": "Points to a row: its id here, and what it is in words.",
    "time": "Times end in Z: they are UTC.",
}
DISCLOSURE_FIELDS = {
    "at": "when, UTC",
    "by": "who: member of staff, the patient by a link, or the system",
    "what": "what was done, in words",
    "action": "the same as a code",
    "emergency": "the emergency access under which it was done, if any",
}


def table_json(rows: Rows) -> str:
    return as_json([row_values(row) for row in rows.rows])


def disclosures_json(events: Sequence[AuditEvent]) -> str:
    return as_json([disclosure_values(event) for event in events])


def disclosure_values(event: AuditEvent) -> dict:
    return {
        "at": _plain(event.at),
        "by": event.actor_name,
        "what": present(event).text,
        "action": event.action,
        "emergency": event.detail.get("emergency", ""),
    }


def fields_json() -> str:
    """What each name in each file means."""
    tables = {
        f"{table.name}.json": {
            "holds": table.title,
            "fields": {"id": ABOUT_NAMES["id"]}
            | {field.name: field_meaning(field) for field in shown_fields(table.model)},
        }
        for table in TABLES
    }
    tables["disclosures.json"] = {"holds": "Who opened, changed or handed out what", "fields": DISCLOSURE_FIELDS}
    return as_json({"about": ABOUT_NAMES, "files": tables})


def as_json(value) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=False)


def shown_fields(model: type[Model]) -> list[Field]:
    """All but the row number and its public id, which stand in front as `id`."""
    return [field for field in model._meta.concrete_fields if field.name not in ("id", "public_id")]


def field_meaning(field: Field) -> dict:
    meaning = {"means": str(field.verbose_name), "type": _type_of(field)}
    if field.help_text:
        meaning["note"] = str(field.help_text)
    if field.choices:
        meaning["values"] = {str(value): str(label) for value, label in field.flatchoices}
    return meaning


def row_values(row: Model) -> dict:
    return {"id": id_of(row)} | {field.name: field_value(row, field) for field in shown_fields(type(row))}


def field_value(row: Model, field: Field):
    if isinstance(field, ForeignKey):
        other = getattr(row, field.name)
        return None if other is None else {"id": id_of(other), "is": str(other)}
    return _plain(getattr(row, field.attname))


def id_of(row: Model) -> str:
    return str(getattr(row, "public_id", row.pk))


def _plain(value):
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value if isinstance(value, bool | int | str | list | dict | None) else str(value)


def _type_of(field: Field) -> str:
    if isinstance(field, ForeignKey):
        return f"reference to {field.related_model._meta.verbose_name}"
    kind = field.get_internal_type().removesuffix("Field")
    return {"DateTime": "time, UTC", "Char": "text", "Text": "text", "Decimal": "decimal number as text"}.get(
        kind, kind
    )
