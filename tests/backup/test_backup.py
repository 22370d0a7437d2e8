"""A backup is of one moment, readable by its owner only, and older ones go only once it is proven."""

import stat
from io import BytesIO, StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from infusion_center.backup import contents, files
from infusion_center.backup.errors import BackupError
from infusion_center.backup.files import alone_in, make_backup, verify_file
from infusion_center.backup.snapshot import is_in_memory, snapshot_of, sqlite_snapshot
from infusion_center.backup.tables import tables_at
from infusion_center.core import clock
from infusions.reminders import heartbeat
from infusions.stock.models import StockItem
from infusions.stock.queries import stock_violations
from infusions.stock.services import receive_vials
from tests.backup.conftest import KEY
from tests.backup.databases import using, writing

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path_factory):
    """Where nothing but backups lie."""
    return tmp_path_factory.mktemp("backups")


def back_up(folder, **options) -> str:
    said = StringIO()
    call_command("backup", to=folder, stdout=said, stderr=said, **options)
    return said.getvalue()


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_table_is_known_to_backups(filled):
    """One that no model explains would be left out."""
    with using(filled), snapshot_of(connection) as snapshot:
        assert snapshot.unknown_tables(tables_at(snapshot.migrations())) == []


def receive_one() -> None:
    item = StockItem.objects.select_related("site", "product").get()
    receive_vials(
        site=item.site,
        product=item.product,
        grams=item.grams,
        lot=item.lot,
        expires_on=item.expires_on,
        count=1,
        by=item.movements.first().by,
    )


def test_a_backup_is_of_one_moment_however_much_is_written_meanwhile(filled_copy, empty, tmp_path, monkeypatch):
    write_table = contents._write_table
    before = {}

    with writing(receive_one, database=filled_copy) as wait_for_the_next:

        def write_slowly(snapshot, table, out):
            wait_for_the_next()
            return write_table(snapshot, table, out)

        monkeypatch.setattr(contents, "_write_table", write_slowly)
        with using(filled_copy):
            before["on_hand"] = StockItem.objects.get().on_hand
            path, _, _ = make_backup(connection, tmp_path, key=KEY)
            after = StockItem.objects.get().on_hand
    with using(empty):
        call_command("restore", path, yes=True, stdout=StringIO())
        item = StockItem.objects.get()
        assert stock_violations() == []
        assert before["on_hand"] <= item.on_hand < after - 40


def test_nobody_else_may_read_the_file(filled_copy, tmp_path):
    with using(filled_copy):
        back_up(tmp_path / "made")
    (path,) = (tmp_path / "made").iterdir()
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert b"Maple" not in path.read_bytes()


def test_a_backup_is_noted_once_it_is_proven(filled_copy, folder, monkeypatch):
    with using(filled_copy):
        began = clock.now()
        with monkeypatch.context() as patch, pytest.raises(CommandError):
            patch.setattr(files, "verify_file", damaged)
            back_up(folder)
        before = heartbeat.beats().get(heartbeat.BACKUP)
        back_up(folder)
        assert (before, heartbeat.beats()[heartbeat.BACKUP] >= began) == (None, True)


def damaged(path, *, key):
    raise BackupError("damaged")


def test_older_backups_go_only_when_the_new_one_is_proven(filled_copy, folder, monkeypatch):
    (folder / "notes.txt").write_text("none of ours")
    with using(filled_copy):
        for _ in range(3):
            back_up(folder, keep=2)
        kept = names(folder)
        assert len(kept) == 3 and "notes.txt" in kept

        monkeypatch.setattr(files, "verify_file", damaged)
        with pytest.raises(CommandError, match="damaged"):
            back_up(folder, keep=1)
    assert names(folder) == kept


def test_two_backups_at_once_do_not_meet(filled, tmp_path):
    with using(filled), alone_in(tmp_path), pytest.raises(CommandError, match="Another backup"):
        back_up(tmp_path)


def test_a_backup_is_verified_without_a_database(backup):
    said = StringIO()
    call_command("backup", verify=backup, stdout=said)
    assert f"{verify_file(backup, key=KEY).rows:,} rows" in said.getvalue()
    assert "read back and whole" in said.getvalue()


def test_nothing_is_written_without_a_key(filled, tmp_path, settings):
    settings.BACKUP_KEY = ""
    with using(filled), pytest.raises(CommandError, match="Set BACKUP_KEY"):
        back_up(tmp_path)
    assert names(tmp_path) == []


def test_a_sum_that_does_not_fit_is_told_by_table(filled, tmp_path, monkeypatch):
    """As if memory had lost a bit between the database and the seal."""
    with using(filled), snapshot_of(connection) as snapshot, (tmp_path / "file").open("wb") as file:
        monkeypatch.setattr(contents.Counting, "tally", lambda self, highest: contents.Tally(self.rows, "0", highest))
        files.write_sealed(snapshot, file, key=KEY)
    monkeypatch.undo()
    with pytest.raises(BackupError, match="The rows of account_emailaddress are not those"):
        verify_file(tmp_path / "file", key=KEY)


def test_nothing_is_not_backed_up_and_lets_no_backup_go(filled_copy, empty, folder):
    with using(filled_copy):
        back_up(folder)
    kept = names(folder)
    with using(empty), pytest.raises(CommandError, match="holds nothing of this application"):
        back_up(folder, keep=1)
    assert names(folder) == kept


def test_a_database_that_is_not_there_is_neither_made_nor_backed_up(tmp_path):
    missing = str(tmp_path / "missing.sqlite3")
    with pytest.raises(BackupError, match="cannot be opened"), sqlite_snapshot(missing):
        pass
    assert names(tmp_path) == []


def test_a_database_without_tables_is_not_backed_up(tmp_path):
    path = tmp_path / "blank.sqlite3"
    path.touch()
    with sqlite_snapshot(str(path)) as snapshot, pytest.raises(BackupError, match="holds nothing"):
        contents.write_contents(snapshot, BytesIO())


@pytest.mark.parametrize(
    ("name", "in_memory"),
    [(":memory:", True), ("file:db?mode=memory&cache=shared", True), ("/srv/memory clinic/db.sqlite3", False)],
)
def test_only_a_database_in_memory_is_taken_for_one(name, in_memory):
    assert is_in_memory(name) == in_memory
