"""From the last release to this one: its rows are there, unchanged, guarded as in a new database, and of use."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from infusion_center.accounts.models import User
from infusion_center.backup.contents import Reading
from infusion_center.backup.snapshot import snapshot_of
from infusion_center.backup.tables import tables_at
from infusion_center.core.triggers import triggers_on
from infusions.reminders.models import Reminder
from patients.models import Patient
from tests.backup.databases import using
from tests.factories.accounts import force_login
from tests.upgrade.make_dump import DUMP

pytestmark = pytest.mark.django_db
# What a migration since the last release changes on purpose: (table, column), with the migration's name.
CHANGED: dict[tuple[str, str], str] = {}
# Tables that this release no longer has, with the migration that dropped them.
DROPPED: dict[str, str] = {}


@pytest.fixture(scope="module")
def before() -> dict[str, list[dict]]:
    """The rows of the last release, by table."""
    with DUMP.open("rb") as lines:
        return {
            name: [dict(zip(columns, row, strict=True)) for row in rows]
            for name, columns, rows in Reading(lines).tables()
        }


def rows_now(names) -> dict[str, list[dict]]:
    with snapshot_of(connection) as snapshot:
        tables = {table.name: table for table in tables_at(snapshot.migrations())}
        return {
            name: [
                dict(zip((column.name for column in tables[name].columns), row, strict=True))
                for row in snapshot.rows(tables[name])
            ]
            for name in names
        }


def test_no_row_is_lost_or_changed(upgraded, before):
    kept = {name: rows for name, rows in before.items() if rows and name not in DROPPED}
    assert len(kept) > 40
    with using(upgraded):
        now = rows_now(kept)
    assert {name: differences(name, rows, now[name]) for name, rows in kept.items()} == {name: [] for name in kept}


def differences(table: str, old: list[dict], new: list[dict]) -> list[dict]:
    """Old rows that are not there any more as they were; columns that came since are none of theirs."""
    columns = [column for column in old[0] if (table, column) not in CHANGED]
    there = {tuple(map(repr, (row.get(column, "gone") for column in columns))) for row in new}
    return [row for row in old if tuple(repr(row[column]) for column in columns) not in there]


def test_the_triggers_are_those_of_a_new_database(upgraded, blank_copy):
    with using(upgraded):
        after = triggers_on(connection)
    with using(blank_copy):
        assert (after, len(after) > 60) == (triggers_on(connection), True)


def test_what_was_guarded_is_guarded(upgraded):
    with using(upgraded), pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM infusions_signature")


def test_the_application_works_on_the_old_rows(upgraded):
    with using(upgraded):
        client = Client()
        force_login(client, User.objects.get(role_grants__role="scheduler"))
        patient = Patient.objects.get(given_name="Zoë")
        pages = ["/", patient.get_absolute_url(), "/reminders/"]
        assert [client.get(page, follow=True).status_code for page in pages] == [200, 200, 200]
        assert patient.family_name in client.get(patient.get_absolute_url()).content.decode()
        assert Reminder.objects.filter(state="sent").count() == 1


OTHERWISE = {  # what must differ from the row that is copied
    "infusions_site": {"public_id": "'another-one'", "name": "'Second Center'"},
    "infusions_reminder": {"public_id": "'another-one'", "kind": "'cancelled'"},
    "patients_patient": {"public_id": "'another-one'", "mrn": "'ANOTHER1'"},
}


@pytest.mark.parametrize("table", OTHERWISE)
def test_the_release_before_can_still_write_until_it_is_stopped(upgraded, before, table):
    """It names the columns that it knows; those that came since are null or have a default of the database's own."""
    known = [column for column in before[table][0] if column != "id"]
    values = [OTHERWISE[table].get(column, column) for column in known]
    with using(upgraded), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(known)}) "
            f"SELECT {', '.join(values)} FROM {table} WHERE id = (SELECT min(id) FROM {table})"
        )
        written = cursor.rowcount
        transaction.set_rollback(True)
    assert written == 1
