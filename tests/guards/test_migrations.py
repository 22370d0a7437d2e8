"""Migrations: none missing, all named, one leaf for each app."""

import re

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.guards.source import PACKAGES

OURS = sorted(config.label for config in apps.get_app_configs() if config.name.split(".")[0] in PACKAGES)


@pytest.fixture
def loader(db):
    return MigrationLoader(connection)


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_each_app_has_one_leaf(loader):
    leaves = {label: [name for app, name in loader.graph.leaf_nodes(label)] for label in OURS}
    assert {label: found for label, found in leaves.items() if len(found) > 1} == {}


def test_migrations_say_what_they_do(loader):
    names = [(app, name) for app, name in loader.disk_migrations if app in OURS]
    unnamed = [
        (app, name) for app, name in names if not re.fullmatch(r"\d{4}_[a-z][a-z0-9_]*", name) or "_auto_" in name
    ]
    assert (unnamed, [name for name in names if name[1].startswith("0001") and name[1] != "0001_initial"]) == ([], [])
