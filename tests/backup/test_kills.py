"""kill -9 in the middle: of a backup, which leaves the older ones, of a restore, which leaves the empty database."""

import os
import signal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from infusion_center.backup import contents, loading
from infusion_center.backup.files import make_backup
from infusion_center.backup.loading import is_empty
from infusion_center.core.triggers import triggers_on
from tests.backup.conftest import KEY
from tests.backup.databases import everything, using

pytestmark = pytest.mark.django_db


def die(*args, **kwargs) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(work, database: str) -> None:
    """Do the work in a process of its own, which must die by a signal on the way."""
    child = os.fork()
    if child == 0:
        try:
            with using(database):
                work()
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def restore(path) -> None:
    call_command("restore", path, yes=True, stdout=StringIO(), stderr=StringIO())


def test_a_killed_backup_leaves_the_older_ones_and_the_next_one_tidies_up(filled, tmp_path, monkeypatch):
    with using(filled):
        first, _, _ = make_backup(connection, tmp_path, key=KEY)
    with monkeypatch.context() as patch:
        patch.setattr(contents, "audit_head", die)
        killed(lambda: make_backup(connection, tmp_path, key=KEY, keep=1), filled)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".backup", ".partial"]
    with using(filled):
        second, _, gone = make_backup(connection, tmp_path, key=KEY, keep=1)
    assert (list(tmp_path.iterdir()), gone) == ([second], [first])


@pytest.mark.parametrize("moment", ["set_highest_keys", "compare"])
def test_a_killed_restore_leaves_the_empty_database(moment, backup, filled, empty, monkeypatch):
    with using(empty):
        before = everything(), triggers_on(connection)
    with monkeypatch.context() as patch:
        patch.setattr(loading, moment, die)
        killed(lambda: restore(backup), empty)
    with using(empty):
        assert is_empty(connection)
        assert (everything(), triggers_on(connection)) == before
        restore(backup)
        restored = everything()
    with using(filled):
        assert {**restored, "audit_auditevent": restored["audit_auditevent"][:-1]} == everything()
