"""Triggers by which the database refuses to change what must stay, written alike for SQLite and PostgreSQL.

Used by migrations: `migrations.RunPython(refuse("table", "update", "delete"), allow("table", "update", "delete"))`.
"""

from collections.abc import Callable


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
