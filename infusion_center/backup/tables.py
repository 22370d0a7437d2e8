"""Which tables a backup holds, and with which columns: those of the models at a given set of migrations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps as present
from django.db.migrations.loader import MigrationLoader

from infusion_center.backup.cells import Column
from infusion_center.backup.errors import BackupError

# What signs somebody in, and counts of the last minutes: a restored database signs nobody in.
LEFT_OUT = ("django_session", "accounts_opensession", "cache_entries")
# Kept by other means: a restore migrates to the same migrations.
NOT_OURS = ("django_migrations",)
# Nothing is ever done without a person and a line in the audit trail.
SIGNS_OF_LIFE = ("accounts_user", "audit_auditevent", "patients_patient")

Migrations = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    name: str
    key: Column
    columns: tuple[Column, ...]

    @classmethod
    def of(cls, model) -> Table:
        columns = tuple(Column.of(field) for field in model._meta.local_concrete_fields)
        return cls(model._meta.db_table, Column.of(model._meta.pk), columns)

    @property
    def counts_up(self) -> bool:
        return self.key.kind == "whole"


def tables_at(migrations: Migrations) -> list[Table]:
    """Every table that the models had after these migrations, in the order of their names."""
    loader = MigrationLoader(None)
    refuse_unknown(migrations, loader)
    if migrations >= set(loader.disk_migrations):
        apps = present
    else:
        apps = loader.project_state(leaves(migrations, loader)).apps
    models = [model for model in apps.get_models(include_auto_created=True) if is_stored(model)]
    return sorted({Table.of(model) for model in models}, key=lambda table: table.name)


def is_stored(model) -> bool:
    return model._meta.managed and not model._meta.proxy and not model._meta.swapped


def refuse_unknown(migrations: Migrations, loader: MigrationLoader) -> None:
    unknown = sorted(migrations - set(loader.disk_migrations))
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in unknown[:3])
        raise BackupError(f"A newer release made this: it knows {names}, this one does not. Use that release.")


def leaves(migrations: Iterable[tuple[str, str]], loader: MigrationLoader) -> list[tuple[str, str]]:
    """The last ones of each app: migrating to them applies all."""
    known = set(migrations)
    parents = {parent.key for key in known for parent in loader.graph.node_map[key].parents if parent.key[0] == key[0]}
    return sorted(known - parents)
