"""Changes the trail as somebody would who owns the database: past the triggers, and puts these back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from django.core.management import CommandError, call_command
from django.db import connection

from infusion_center.audit.models import AuditEvent
from infusion_center.core.triggers import create_trigger, drop_trigger

EVENTS, LINKS = "audit_auditevent", "audit_auditlink"


@contextmanager
def without_triggers(*tables: str) -> Iterator[None]:
    for table in tables:
        for event in ("update", "delete"):
            drop_trigger(connection, table, event)
    yield
    for table in tables:
        for event in ("update", "delete"):
            create_trigger(connection, table, event)


def tamper(*statements: str) -> None:
    with without_triggers(EVENTS, LINKS), connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


def verified(**options) -> tuple[bool, str]:
    """(whether whole, all that the command says)."""
    said = StringIO()
    try:
        call_command("verify_audit", stdout=said, stderr=said, **options)
    except CommandError as error:
        return False, f"{said.getvalue()}{error}"
    return True, said.getvalue()


def columns() -> list[str]:
    return [field.column for field in AuditEvent._meta.concrete_fields]
