"""A backup restored into an empty database is what was backed up, row by row, and guarded as before."""

from io import StringIO

import pytest
from django.apps import apps
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import Client

from infusion_center.accounts.lock_session import SessionStore
from infusion_center.accounts.models import QuickPin, User
from infusion_center.audit.models import AuditEvent
from infusion_center.backup import loading
from infusion_center.backup.errors import BackupError
from infusion_center.backup.files import make_backup
from infusion_center.backup.loading import is_empty
from infusion_center.backup.tables import LEFT_OUT
from infusion_center.core.triggers import triggers_on
from infusions.management.commands import restore as restore_command
from infusions.stock.models import StockItem
from patients.models import Patient
from tests.backup.conftest import KEY
from tests.backup.databases import everything, using
from tests.factories.accounts import force_login, make_staff

pytestmark = pytest.mark.django_db


def restore(path, **options) -> str:
    said = StringIO()
    call_command("restore", path, yes=True, stdout=said, stderr=said, **options)
    return said.getvalue()


def refused(path, **options) -> str:
    with pytest.raises(CommandError) as problem:
        restore(path, **options)
    return str(problem.value)


def contents(name: str) -> tuple[dict, dict]:
    with using(name):
        return everything(), triggers_on(connection)


@pytest.fixture(scope="module")
def original(filled):
    return contents(filled)


def test_every_table_comes_back_row_by_row(original, backup, empty):
    with using(empty):
        said = restore(backup)
    rows, triggers = contents(empty)
    noted = rows["audit_auditevent"].pop()
    assert "database.restored" in noted
    assert (rows, triggers) == original
    assert len([name for name, found in rows.items() if found]) > 45
    assert "0 findings" in said


def test_the_restored_database_still_refuses_what_it_refused(backup, empty):
    with using(empty):
        restore(backup)
        with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
            cursor.execute("DELETE FROM audit_auditevent")


def test_the_application_answers_on_the_restored_data(backup, empty):
    with using(empty):
        restore(backup)
        client = Client()
        force_login(client, QuickPin.objects.get().user)
        patient = Patient.objects.exclude(given_name="Test").get()
        page = client.get(f"/patients/{patient.public_id}/")
        assert (page.status_code, patient.family_name in page.content.decode()) == (200, True)


def test_keys_of_deleted_rows_are_not_given_out_again(filled, backup, empty):
    with using(filled):
        highest = AuditEvent.objects.order_by("pk").last().pk
    with using(empty):
        restore(backup)
        assert AuditEvent.objects.order_by("pk").last().pk == highest + 1


def test_nobody_is_signed_in_after_a_restore(filled, backup, empty):
    sessions = SessionStore.get_model_class().objects
    with using(filled):
        assert sessions.count() == 1
    with using(empty):
        restore(backup)
        assert sessions.count() == 0


def test_no_table_of_sessions_is_ever_backed_up():
    kept = [model._meta.db_table for model in apps.get_models() if issubclass(model, AbstractBaseSession)]
    assert kept and set(kept) <= set(LEFT_OUT)


def test_a_database_with_data_is_not_overwritten_unless_told(original, backup, empty):
    with using(empty):
        restore(backup)
        Patient.objects.update(family_name="Newer")
        assert "not empty" in refused(backup)
        assert set(Patient.objects.values_list("family_name", flat=True)) == {"Newer"}
        restore(backup, replace=True)
    rows, _ = contents(empty)
    rows["audit_auditevent"].pop()
    assert rows == original[0]


def spoiled(path, change) -> None:
    data = bytearray(path.read_bytes())
    path.write_bytes(change(data))


def flip(place: float):
    def change(data: bytearray) -> bytearray:
        data[int(place * (len(data) - 1))] ^= 1
        return data

    return change


DAMAGES = [*(flip(place) for place in (0, 0.0003, 0.1, 0.5, 0.9, 1)), lambda data: data[:-1], lambda data: data[:9000]]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_changes_nothing(damage, backup, empty):
    spoiled(backup, damage)
    before = contents(empty)
    with using(empty):
        assert refused(backup).endswith("Nothing was restored.")
    assert contents(empty) == before


def test_a_wrong_or_missing_key_changes_nothing(backup, empty, settings):
    with using(empty):
        settings.BACKUP_KEY = "another key of forty characters or even more"
        assert "BACKUP_KEY is not the key of this file" in refused(backup)
        settings.BACKUP_KEY = ""
        assert "Set BACKUP_KEY" in refused(backup)
        assert is_empty(connection)


def test_data_that_make_no_sense_are_not_restored_unless_accepted(filled, empty, tmp_path):
    with using(filled):
        item = StockItem.objects.get()
        StockItem.objects.filter(pk=item.pk).update(on_hand=item.on_hand + 1)
        path, _, _ = make_backup(connection, tmp_path, key=KEY)
        StockItem.objects.filter(pk=item.pk).update(on_hand=item.on_hand)
    with using(empty):
        before = triggers_on(connection)
        assert "1 things wrong" in refused(path)
        assert (is_empty(connection), triggers_on(connection)) == (True, before)
        restore(path, accept_findings=True)
        assert StockItem.objects.get().on_hand == item.on_hand + 1


def test_a_refused_replacement_leaves_the_next_keys_as_they_were(filled_copy, backup, monkeypatch):
    """What holds more than the backup goes on as if nothing had been: its next rows collide with none."""
    with using(filled_copy):
        for name in ("One", "Two"):
            make_staff(full_name=name)
        before = contents(filled_copy)

        def too_late(*args):
            raise BackupError("It differs.")

        monkeypatch.setattr(loading, "compare", too_late)
        assert "It differs." in refused(backup, replace=True)
        assert contents(filled_copy) == before
        newest = make_staff(full_name="Three")
        assert newest.pk == User.objects.order_by("pk").last().pk


def test_a_migration_that_fails_after_the_load_is_told_as_that(backup, empty, monkeypatch):
    def fail(connection):
        raise DatabaseError("no lock within five seconds.")

    monkeypatch.setattr(restore_command, "migrations_to_come", lambda connection: frozenset({("patients", "0099")}))
    monkeypatch.setattr(restore_command, "migrate_forwards", fail)
    with using(empty):
        said = refused(backup)
        assert (is_empty(connection), "Nothing was restored" in said) == (False, False)
    assert said.startswith("no lock within five seconds. The data are there as they were backed up, but not migrated")
