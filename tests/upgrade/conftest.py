import gzip
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from django.test import override_settings

from infusion_center.backup.contents import Reading
from infusion_center.backup.sealing import SealedWriter
from infusion_center.backup.tables import leaves
from tests.backup.conftest import KEY, blank  # noqa: F401  a fixture
from tests.backup.databases import copy_of, drop, using
from tests.upgrade.make_dump import DUMP


@pytest.fixture(scope="session")
def upgraded(blank, tmp_path_factory):  # noqa: F811
    """The name of a database that held the last release's rows and was brought to the present, by `restore`.

    On the way the new migrations are also taken back: from the present's tables to those of the last release.
    """
    folder = tmp_path_factory.mktemp("upgraded")
    name = copy_of(blank, folder)
    with using(name):
        try:
            go_back()
        except IrreversibleError as one_way:
            pytest.fail(f"{one_way}: make it reversible, or start from an empty database here")
        with override_settings(BACKUP_KEY=KEY):
            call_command("restore", sealed_dump(folder), yes=True, stdout=StringIO(), stderr=StringIO())
    yield name
    drop(name)


def go_back() -> None:
    """To exactly the migrations of the dump: apps that came since have none."""
    with DUMP.open("rb") as lines:
        then = Reading(lines).manifest.migrations
    executor = MigrationExecutor(connection)
    new_apps = executor.loader.migrated_apps - {app for app, _ in then}
    executor.migrate([*leaves(then, executor.loader), *((app, None) for app in sorted(new_apps))])


def sealed_dump(folder):
    path = folder / "release.backup"
    with path.open("wb") as file:
        sealed = SealedWriter(file, KEY)
        sealed.write(gzip.compress(DUMP.read_bytes()))
        sealed.close()
    return path


@pytest.fixture
def blank_copy(db, blank, tmp_path):  # noqa: F811
    """The name of a new database of this release."""
    name = copy_of(blank, tmp_path)
    yield name
    drop(name)
