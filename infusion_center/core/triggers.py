"""Triggers by which the database refuses to change what must stay, written alike for SQLite and PostgreSQL.

Used by migrations: `RunTriggers(refuse("table", "update", "delete"), allow("table", "update", "delete"))`.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from django.db.migrations import RunPython

# pg_trigger.tgenabled -> how it is switched on again
SWITCHES = {"O": "ENABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


class RunTriggers(RunPython):
    """A step that asks no models. RunPython builds all of them anew before each step: half a migration's time."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        self.code(None, schema_editor)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        self.reverse_code(None, schema_editor)


def trigger_name(table: str, event: str) -> str:
    return f"{table}_no_{event}"


def create_trigger(connection, table: str, event: str, *, when: str = "", message: str = "") -> None:
    """Refuse `event` (insert, update, delete) on `table` while the SQL condition `when` over OLD and NEW is true."""
    name = trigger_name(table, event)
    message = message or f"{table} is append-only"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            condition = f"WHEN {when}" if when else ""
            cursor.execute(
                f'CREATE TRIGGER "{name}" BEFORE {event.upper()} ON "{table}" {condition} '
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
            return
        # A PostgreSQL WHEN clause holds no subquery, so the condition is tested inside the function.
        test = f"IF {when} THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"
        refuse_all = f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';"
        cursor.execute(
            f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN '
            f"{test if when else refuse_all} "
            f"IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
        )
        cursor.execute(
            f'CREATE TRIGGER "{name}" BEFORE {event.upper()} ON "{table}" FOR EACH ROW EXECUTE FUNCTION "{name}"()'
        )


def drop_trigger(connection, table: str, event: str) -> None:
    name = trigger_name(table, event)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
        else:
            cursor.execute(f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"')
            cursor.execute(f'DROP FUNCTION IF EXISTS "{name}"()')


def refuse(table: str, *events: str, when: str = "", message: str = "") -> Callable:
    def forwards(apps, schema_editor):
        for event in events:
            create_trigger(schema_editor.connection, table, event, when=when, message=message)

    return forwards


def allow(table: str, *events: str) -> Callable:
    def backwards(apps, schema_editor):
        for event in events:
            drop_trigger(schema_editor.connection, table, event)

    return backwards


class TriggersDiffer(RuntimeError):
    """Nothing may be kept of what was done."""


def triggers_on(connection, tables: Collection[str] | None = None) -> dict[str, tuple[str, str, str]]:
    """Name -> table, definition, and whether it is in force, of each trigger of ours; on these tables, or on all."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name, sql, 'O' FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
        else:
            cursor.execute(
                "SELECT tgname, relname, pg_get_triggerdef(pg_trigger.oid) || pg_get_functiondef(tgfoid), "
                "tgenabled::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
                "WHERE NOT tgisinternal AND pg_table_is_visible(tgrelid) ORDER BY tgname"
            )
        return {name: (table, *rest) for name, table, *rest in cursor.fetchall() if tables is None or table in tables}


@contextmanager
def lifted(connection, tables: Collection[str] | None = None) -> Iterator[None]:
    """Step past the triggers on these tables, or on all, inside a transaction, and put them back exactly as they were.

    For the few acts that remove rows by law or because they were made up, and for the load of a backup. On PostgreSQL
    others who write to such a table wait until the transaction ends; on SQLite they wait anyway.
    """
    before = triggers_on(connection, tables)
    _settle_foreign_keys(connection)
    _switch(connection, before, off=True)
    yield
    connection.check_constraints(table_names=None if tables is None else sorted(tables))
    _settle_foreign_keys(connection)
    _switch(connection, before, off=False)
    if triggers_on(connection, tables) != before:
        raise TriggersDiffer("The triggers are not as they were: nothing is kept of what was done.")


def _settle_foreign_keys(connection) -> None:
    """PostgreSQL alters no table of which foreign keys are still to be checked."""
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def _switch(connection, triggers: dict[str, tuple[str, str, str]], *, off: bool) -> None:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for name, (table, definition, state) in triggers.items():
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER {quote(name)}" if off else definition)
            elif state in SWITCHES:  # else it was off before
                word = "DISABLE" if off else SWITCHES[state]
                cursor.execute(f"ALTER TABLE {quote(table)} {word} TRIGGER {quote(name)}")
