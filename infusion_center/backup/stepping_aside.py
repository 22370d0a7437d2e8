"""Triggers and foreign keys step aside while a backup is loaded, and stand afterwards exactly as before.

All of it inside the transaction of the load: who dies in between leaves the database as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from infusion_center.backup.errors import BackupError
from infusion_center.backup.snapshot import quoted

# pg_trigger.tgenabled -> how it is switched on again
SWITCHES = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


def triggers_of(connection) -> list[tuple]:
    """Our triggers with all that makes them what they are, in order."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
        else:
            cursor.execute(
                "SELECT t.tgname, c.relname, t.tgenabled::text, pg_get_triggerdef(t.oid), pg_get_functiondef(t.tgfoid) "
                "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace ORDER BY 1, 2"
            )
        return cursor.fetchall()


@contextmanager
def guards_aside(connection) -> Iterator[None]:
    """One transaction without triggers. At its end every foreign key holds again, or nothing was written."""
    sqlite = connection.vendor == "sqlite"
    connection.ensure_connection()
    if sqlite:  # it takes this outside of transactions only
        connection.disable_constraint_checking()
    try:
        with transaction.atomic(using=connection.alias, durable=True):
            before = triggers_of(connection)
            yield from _sqlite(connection, before) if sqlite else _postgresql(connection, before)
            if triggers_of(connection) != before:
                raise BackupError("The triggers are not as they were before.")
    finally:
        if sqlite:
            connection.enable_constraint_checking()


def _sqlite(connection, triggers: list[tuple]) -> Iterator[None]:
    with connection.cursor() as cursor:
        for name, _, _ in triggers:
            cursor.execute(f"DROP TRIGGER {quoted(name)}")
        yield
        for _, _, sql in triggers:
            cursor.execute(sql)
        broken = cursor.execute("PRAGMA foreign_key_check").fetchmany(3)
    if broken:
        raise BackupError(f"Rows point to rows that are not there: {broken}")


def _postgresql(connection, triggers: list[tuple]) -> Iterator[None]:
    switched_on = [(name, table, SWITCHES[state]) for name, table, state, *_ in triggers if state in SWITCHES]
    with connection.cursor() as cursor:
        for name, table, _ in switched_on:
            cursor.execute(f"ALTER TABLE {quoted(table)} DISABLE TRIGGER {quoted(name)}")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name, table, switch in switched_on:
            cursor.execute(f"ALTER TABLE {quoted(table)} {switch} TRIGGER {quoted(name)}")
