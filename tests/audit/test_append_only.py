import pytest
from django.db import DatabaseError, connection, transaction

from infusion_center.audit.models import AuditEvent
from infusion_center.audit.services import record


@pytest.fixture
def event(scheduler):
    return record("staff.created", scheduler, by=scheduler)


@pytest.mark.parametrize("sql", ["UPDATE audit_auditevent SET action = 'x'", "DELETE FROM audit_auditevent"])
def test_audit_event_resists_raw_sql(event, sql):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(AuditEvent.objects.values_list("pk", "action")) == [(event.pk, "staff.created")]


def test_audit_event_resists_save_update_and_delete(event):
    event.action = "x"
    for attempt in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(action="x"),
    ):
        with pytest.raises(TypeError):
            attempt()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite replaces a row by inserting another")
def test_audit_event_resists_being_replaced(event):
    columns = ", ".join(f'"{field.column}"' for field in AuditEvent._meta.concrete_fields if field.name != "action")
    replace = f"INSERT OR REPLACE INTO audit_auditevent (action, {columns}) SELECT 'x', {columns} FROM audit_auditevent"
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(replace)
    assert list(AuditEvent.objects.values_list("pk", "action")) == [(event.pk, "staff.created")]
