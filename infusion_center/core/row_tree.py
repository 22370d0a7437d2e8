"""All rows that hang on some rows, found by the foreign keys of every model: a new table needs no word here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from django.apps import apps
from django.db import models

from infusion_center.core.batches import in_parts

Rows = dict[type[models.Model], set]
AT_ONCE = 500


def foreign_keys() -> list[models.ForeignKey]:
    """Of every table, those of many-to-many relations among them."""
    tables = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    return [
        field
        for model in tables
        for field in model._meta.concrete_fields
        if field.remote_field and not model._meta.proxy
    ]


def in_batches(keys: Collection) -> Iterator[list]:
    return in_parts(sorted(keys), AT_ONCE)


def rows_below(model: type[models.Model], keys: Collection) -> Rows:
    """These rows of `model` and every row that refers to one of them, or to one that does, and so on."""
    pointing: dict[type, list[models.ForeignKey]] = defaultdict(list)
    for field in foreign_keys():
        pointing[field.related_model].append(field)
    found: Rows = {model: set(keys)}
    waiting = [(model, set(keys))]
    while waiting:
        target, fresh = waiting.pop()
        for field in pointing[target]:
            known = found.setdefault(field.model, set())
            new = _rows_pointing_at(field, fresh) - known
            known |= new
            if new:
                waiting.append((field.model, new))
    return found


def _rows_pointing_at(field: models.ForeignKey, keys: Collection) -> set:
    rows = field.model._base_manager.order_by()
    return {
        key
        for part in in_batches(keys)
        for key in rows.filter(**{f"{field.attname}__in": part}).values_list("pk", flat=True)
    }


def shared_rows(rows: Rows) -> list[tuple[str, object, str]]:
    """(table, key, column) of rows that also refer to a row of the same kinds that is not among them."""
    shared = []
    for field in foreign_keys():
        mine, theirs = rows.get(field.model), rows.get(field.related_model)
        if not mine or theirs is None:
            continue
        table = field.model._base_manager.order_by()
        for part in in_batches(mine):
            pairs = table.filter(pk__in=part).exclude(**{field.attname: None}).values_list("pk", field.attname)
            shared += [(field.model._meta.db_table, key, field.column) for key, other in pairs if other not in theirs]
    return shared


def delete_rows(rows: Rows) -> None:
    """Past managers that refuse. In any order: foreign keys are looked at when the transaction ends."""
    for model, keys in rows.items():
        for part in in_batches(keys):
            everything = models.QuerySet(model).filter(pk__in=part)
            everything._raw_delete(everything.db)
