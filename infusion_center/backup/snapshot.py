"""A database as it is at one moment, row by row, while others go on writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import transaction

from infusion_center.backup.cells import reader
from infusion_center.backup.errors import BackupError
from infusion_center.backup.tables import LEFT_OUT, NOT_OURS, SIGNS_OF_LIFE, Migrations, Table

AT_A_TIME = 2000


class Snapshot:
    """Reads by a driver's own connection, inside whatever transaction is open on it."""

    def __init__(self, raw, vendor: str):
        self._raw, self.vendor = raw, vendor

    def rows(self, table: Table) -> Iterator[list]:
        """All rows as cells, in the order of their keys."""
        convert = reader(table.columns, self.vendor)
        with closing(self._cursor()) as cursor:
            cursor.execute(self._select(table))
            while some := cursor.fetchmany(AT_A_TIME):
                yield from map(convert, some)

    def last(self, table: Table) -> list | None:
        """The row with the highest key."""
        found = self.all(f"{self._select(table)} DESC LIMIT 1")
        return reader(table.columns, self.vendor)(found[0]) if found else None

    def highest_key(self, table: Table) -> int:
        """Up to which number keys were given out; those of deleted rows are not given out again."""
        if not table.counts_up:
            return 0
        if self.vendor == "sqlite":
            found = self.all("SELECT seq FROM sqlite_sequence WHERE name = ?", table.name)
            return found[0][0] if found else 0
        sequence = self.sequence(table)
        if sequence is None:
            return 0
        return self.all(f"SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {sequence}")[0][0]  # nosec B608: the database's own name of it

    def sequence(self, table: Table) -> str | None:
        """PostgreSQL: the name of what gives out the keys, quoted where it must be."""
        return self.all("SELECT pg_get_serial_sequence(%s, %s)", quoted(table.name), table.key.name)[0][0]

    def migrations(self) -> Migrations:
        if "django_migrations" not in self.table_names():
            return frozenset()
        return frozenset(tuple(row) for row in self.all("SELECT app, name FROM django_migrations"))

    def is_empty(self) -> bool:
        """Nobody has ever used it, whether its tables are there or not."""
        signs = self.table_names().intersection(SIGNS_OF_LIFE)
        return not any(self.all(f"SELECT 1 FROM {quoted(name)} LIMIT 1") for name in signs)  # nosec B608: a table of our models, quoted; no request names it

    def table_names(self) -> set[str]:
        if self.vendor == "sqlite":
            found = self.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
        else:
            found = self.all("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return {name for (name,) in found}

    def unknown_tables(self, tables: list[Table]) -> list[str]:
        """Tables that no model explains: they are not kept, and whoever runs the backup is told."""
        return sorted(self.table_names() - {table.name for table in tables} - {*LEFT_OUT, *NOT_OURS})

    def all(self, statement: str, *values) -> list[tuple]:
        with closing(self._raw.cursor()) as cursor:
            return cursor.execute(statement, values).fetchall()

    def _cursor(self):
        """PostgreSQL hands all rows over at once unless the cursor is its own."""
        return self._raw.cursor() if self.vendor == "sqlite" else self._raw.cursor(name="backup_rows")

    def _select(self, table: Table) -> str:
        # In SQLite the sign keeps the driver from making values of its own out of what is stored.
        sign = "+" if self.vendor == "sqlite" else ""
        columns = ", ".join(f"{sign}{quoted(column.name)}" for column in table.columns)
        order = quoted(table.key.name)
        if self.vendor == "postgresql" and table.key.kind == "text":
            order += ' COLLATE "C"'
        return f"SELECT {columns} FROM {quoted(table.name)} ORDER BY {order}"  # nosec B608: a table of our models, quoted; no request names it


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def snapshot_of(connection) -> Iterator[Snapshot]:
    if connection.vendor == "sqlite":
        with sqlite_snapshot(str(connection.settings_dict["NAME"])) as snapshot:
            yield snapshot
        return
    with transaction.atomic(using=connection.alias, durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield Snapshot(connection.connection, "postgresql")


@contextmanager
def sqlite_snapshot(path: str) -> Iterator[Snapshot]:
    """A connection of its own: the application's take the only writer's place whenever they begin."""
    if is_in_memory(path):
        raise BackupError("A database in memory cannot be backed up.")
    with closing(open_existing(path)) as raw:
        raw.execute("PRAGMA query_only = ON")
        raw.execute("BEGIN DEFERRED")
        raw.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first read fixes the moment
        yield Snapshot(raw, "sqlite")
        raw.execute("ROLLBACK")


def is_in_memory(name: str) -> bool:
    """As Django names them: :memory:, or a URI that says so."""
    return name == ":memory:" or (name.startswith("file:") and "mode=memory" in name.partition("?")[2].split("&"))


def open_existing(path: str) -> sqlite3.Connection:
    """SQLite makes a file that is not there; a backup of nothing would look like one."""
    uri = path if path.startswith("file:") else f"{Path(path).absolute().as_uri()}?mode=rw"
    try:
        return sqlite3.connect(uri, timeout=20, isolation_level=None, uri=True)
    except sqlite3.OperationalError as problem:
        raise BackupError(f"The database {path} cannot be opened: {problem}.") from None
