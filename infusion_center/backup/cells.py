"""One way to write each kind of value down, whichever database it comes from and goes to.

A cell is what JSON holds: text, a whole number, true, false or null. Values are read as the databases keep them, past
the models: what a model seals stays sealed.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from django.db.models import Field

from infusion_center.backup.errors import BackupError

Convert = Callable[[object], object]

INTERNAL_TYPES = {
    "whole": (
        *("AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField"),
        *("PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField"),
    ),
    "text": ("CharField", "TextField", "SlugField", "GenericIPAddressField", "FileField", "FilePathField"),
    "flag": ("BooleanField",),
    "instant": ("DateTimeField",),
    "day": ("DateField",),
    "hour": ("TimeField",),
    "decimal": ("DecimalField",),
    "float": ("FloatField",),
    "json": ("JSONField",),
    "bytes": ("BinaryField",),
    "uuid": ("UUIDField",),
    "span": ("DurationField",),
}
KINDS = {internal: kind for kind, internals in INTERNAL_TYPES.items() for internal in internals}


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    places: int = 0

    @classmethod
    def of(cls, field: Field) -> Column:
        target = field
        while target.remote_field:
            target = target.target_field
        kind = KINDS.get(target.get_internal_type())
        if kind is None:
            raise BackupError(f"Backups do not know how to keep {field.model._meta.label}.{field.name}.")
        return cls(field.column, kind, getattr(target, "decimal_places", 0) or 0)


def _naive_utc(value: dt.datetime) -> str:
    return str(value.astimezone(dt.UTC).replace(tzinfo=None))


def _tidy_json(value: str) -> str:
    """PostgreSQL orders keys its own way, so their order carries no meaning anywhere."""
    return json.dumps(json.loads(value), sort_keys=True, separators=(",", ":"))


def _from_base64(cell: str) -> bytes:
    return base64.b64decode(cell)


def _to_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _fixed(places: int) -> Convert:
    """SQLite keeps decimals as numbers of its own; the column says how many places they have."""
    step, context = Decimal(1).scaleb(-places), Context(prec=15)

    def convert(value: float | str) -> str:
        exact = context.create_decimal_from_float(value) if isinstance(value, float) else Decimal(value)
        return f"{exact.quantize(step):f}"

    return convert


# kind -> how a value becomes a cell; what is not named is a cell already.
FROM_SQLITE: dict[str, Convert] = {
    "flag": bool,
    "json": _tidy_json,
    "bytes": _to_base64,
    "uuid": lambda value: str(uuid.UUID(value)),
}
FROM_POSTGRESQL: dict[str, Convert] = {
    "instant": _naive_utc,
    "day": str,
    "hour": str,
    "decimal": lambda value: f"{value:f}",
    "json": _tidy_json,
    "bytes": _to_base64,
    "uuid": str,
    "span": lambda value: value // dt.timedelta(microseconds=1),
}
TO_SQLITE: dict[str, Convert] = {"bytes": _from_base64, "uuid": lambda cell: cell.replace("-", "")}
TO_POSTGRESQL: dict[str, Convert] = {
    "instant": lambda cell: f"{cell}+00",
    "bytes": _from_base64,
    "span": lambda cell: f"{cell} microseconds",
}


def reader(columns: Sequence[Column], vendor: str) -> Callable[[Sequence], list]:
    """Turns a row of the database into cells."""
    table = FROM_SQLITE if vendor == "sqlite" else FROM_POSTGRESQL
    converts = {place: table[column.kind] for place, column in enumerate(columns) if column.kind in table}
    if vendor == "sqlite":
        converts |= {place: _fixed(c.places) for place, c in enumerate(columns) if c.kind == "decimal"}
    return _row_converter(converts)


def writer(columns: Sequence[Column], vendor: str) -> Callable[[Sequence], list]:
    """Turns cells into a row as the database takes it."""
    table = TO_SQLITE if vendor == "sqlite" else TO_POSTGRESQL
    return _row_converter({place: table[c.kind] for place, c in enumerate(columns) if c.kind in table})


def _row_converter(converts: dict[int, Convert]) -> Callable[[Sequence], list]:
    steps = tuple(converts.items())

    def convert(row: Sequence) -> list:
        made = list(row)
        for place, step in steps:
            if made[place] is not None:
                made[place] = step(made[place])
        return made

    return convert
