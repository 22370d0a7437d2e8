import shutil
from pathlib import Path

import pytest
from django.db import connection

from infusion_center.backup.files import make_backup
from tests.backup.databases import copy_of, drop, using
from tests.backup.ground import fill

KEY = "a key for tests, forty characters or more of it"


@pytest.fixture(scope="session")
def blank(django_db_setup, django_db_blocker, tmp_path_factory):
    """The name of a database like the test database, which nobody ever connects to."""
    with django_db_blocker.unblock():
        connection.close()
        name = copy_of(connection.settings_dict["NAME"], tmp_path_factory.mktemp("blank"))
        yield name
        drop(name)


@pytest.fixture(scope="session")
def filled(blank, tmp_path_factory):
    """The name of a database with a small center in it. No test changes it for good."""
    name = copy_of(blank, tmp_path_factory.mktemp("filled"))
    with using(name):
        fill()
    yield name
    drop(name)


@pytest.fixture
def empty(db, blank, tmp_path):
    """The name of a migrated database without rows."""
    name = copy_of(blank, tmp_path)
    yield name
    drop(name)


@pytest.fixture(scope="session")
def first_backup(filled, tmp_path_factory):
    with using(filled):
        path, _, _ = make_backup(connection, tmp_path_factory.mktemp("backups"), key=KEY)
    return path


@pytest.fixture
def backup(first_backup, tmp_path):
    """A backup of `filled`, which the test may spoil."""
    return Path(shutil.copy(first_backup, tmp_path))


@pytest.fixture(autouse=True)
def key(settings):
    settings.BACKUP_KEY = KEY


@pytest.fixture
def filled_copy(db, filled, tmp_path):
    """The name of a database like `filled`, to be written to."""
    name = copy_of(filled, tmp_path)
    yield name
    drop(name)
