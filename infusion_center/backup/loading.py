"""Fills a database from a backup, in one transaction, and proves that what is there is what was backed up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from django.core.management import call_command
from django.db import IntegrityError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from infusion_center.backup.cells import writer
from infusion_center.backup.contents import Manifest, tally_of
from infusion_center.backup.errors import BackupError
from infusion_center.backup.files import opened
from infusion_center.backup.snapshot import Snapshot, quoted
from infusion_center.backup.stepping_aside import guards_aside
from infusion_center.backup.tables import Migrations, Table, leaves, refuse_unknown, tables_at
from infusion_center.core.triggers import TriggersDiffer

AT_A_TIME = 1000


def migrations_of(connection) -> Migrations:
    return frozenset(MigrationRecorder(connection).applied_migrations())


def is_empty(connection) -> bool:
    connection.ensure_connection()
    return Snapshot(connection.connection, connection.vendor).is_empty()


def prepare(connection, manifest: Manifest, *, replace: bool) -> None:
    """Bring an empty database to the tables that the backup was made of."""
    wanted, present = manifest.migrations, migrations_of(connection)
    loader = MigrationLoader(None)
    refuse_unknown(wanted, loader)
    if not is_empty(connection) and not replace:
        raise BackupError(
            "The database is not empty. Restore into an empty one, or say --replace to lose what it holds."
        )
    if present == wanted:
        return
    if not is_empty(connection) or present - wanted:
        raise BackupError(
            "The database's tables are of another release than the backup. Restore into a new, empty one."
        )
    MigrationExecutor(connection).migrate(leaves(wanted, loader))


def load(connection, path: Path, *, key: str, before_commit: Callable[[], None] = lambda: None) -> Manifest:
    """`before_commit` may raise BackupError for what must not stay."""
    tables = {table.name: table for table in tables_at(migrations_of(connection))}
    try:
        with guards_aside(connection):
            empty(connection, tables)
            with opened(path, key=key) as reading:
                for name, columns, rows in reading.tables():
                    fill(connection, matching(tables, name, columns), rows)
            set_highest_keys(connection, tables, reading.manifest)
            compare(connection, tables, reading.manifest)
            before_commit()
    except IntegrityError as problem:
        raise BackupError(f"The database refuses the rows: {problem}") from problem
    except TriggersDiffer as problem:
        raise BackupError(str(problem)) from problem
    return reading.manifest


def matching(tables: dict[str, Table], name: str, columns: list[str]) -> Table:
    table = tables.get(name)
    if table is None or [column.name for column in table.columns] != columns:
        raise BackupError(f"The table {name} has other columns than in the backup.")
    return table


def empty(connection, tables: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(map(quoted, tables))}")
            return
        for name in tables:
            cursor.execute(f"DELETE FROM {quoted(name)}")  # nosec B608: a table of our models, quoted; no request names it


def fill(connection, table: Table, rows: Iterator[list]) -> None:
    columns = ", ".join(quoted(column.name) for column in table.columns)
    ready = map(writer(table.columns, connection.vendor), rows)
    raw = connection.connection
    if connection.vendor == "postgresql":
        with raw.cursor() as cursor, cursor.copy(f"COPY {quoted(table.name)} ({columns}) FROM STDIN") as copy:
            for row in ready:
                copy.write_row(row)
        return
    insert = f"INSERT INTO {quoted(table.name)} ({columns}) VALUES ({', '.join('?' * len(table.columns))})"  # nosec B608: a table of our models, quoted; no request names it
    while some := list(islice(ready, AT_A_TIME)):
        raw.executemany(insert, some)


def set_highest_keys(connection, tables: dict[str, Table], manifest: Manifest) -> None:
    snapshot = Snapshot(connection.connection, connection.vendor)
    with connection.cursor() as cursor:
        for name, table in tables.items():
            tally = manifest.tables.get(name)
            highest = tally.highest_key if tally else 0
            if not table.counts_up:
                continue
            if connection.vendor == "postgresql":
                # Not setval(): that stays although the load is rolled back, and live keys would be given out again.
                if (sequence := snapshot.sequence(table)) is not None:
                    cursor.execute(f"ALTER SEQUENCE {sequence} RESTART WITH {highest + 1:d}")
                continue
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [name])
            if highest:
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [name, highest])


def compare(connection, tables: dict[str, Table], manifest: Manifest) -> None:
    """Read every table back and count again."""
    snapshot = Snapshot(connection.connection, connection.vendor)
    if set(manifest.tables) != set(tables):
        raise BackupError(f"Tables differ: {', '.join(sorted(set(manifest.tables) ^ set(tables)))}")
    different = [name for name, table in tables.items() if tally_of(snapshot, table) != manifest.tables[name]]
    if different:
        raise BackupError(f"These tables are not as they were backed up: {', '.join(different)}")


def migrations_to_come(connection) -> Migrations:
    return frozenset(MigrationLoader(None).disk_migrations) - migrations_of(connection)


def migrate_forwards(connection) -> list[str]:
    """From the backup's release to this one; the names of what was applied."""
    before = migrations_of(connection)
    call_command("migrate", database=connection.alias, verbosity=0)
    return [f"{app}.{name}" for app, name in sorted(migrations_of(connection) - before)]
