"""Fixtures for every test: signed-in clients by role, a site in a fixed zone, a broker, the triggers kept in order."""

import gc
import os

import pytest
from django.db import connections, transaction
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck, settings

from infusion_center.accounts.roles import Role
from infusions.formulary.clinical_words import forget_names
from tests.browser import axe, chromium  # noqa: F401  fixtures for every folder
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_site

# A busy machine is no defect: what takes how long is for the bench.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop beside the test's database calls


# What a fresh database holds already; everything else goes after a test that committed.
KEPT_ROWS = {"django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(scope="session", autouse=True)
def _flush_past_the_triggers():
    """Tests that commit are cleaned up after by deleting rows, past the triggers that refuse it.

    Django's own flush is refused by them on SQLite, and on both it makes all permissions anew: half a second each time.
    """
    original = TransactionTestCase._fixture_teardown

    def teardown(self):
        if type(self).fixtures or type(self).serialized_rollback:
            raise AssertionError("the quick flush knows neither fixtures nor serialized rollback")
        delete_all_rows(connections["default"])

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = original


def delete_all_rows(connection) -> None:
    tables = [name for name in connection.introspection.table_names() if name not in KEPT_ROWS]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            full = [name for name in tables if holds_rows(cursor, name)]
            if full:
                cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, full))} CASCADE")
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        full = [name for name in tables if holds_rows(cursor, name)]
        with transaction.atomic():
            for name, _ in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            for name in full:
                cursor.execute(f'DELETE FROM "{name}"')
            for _, sql in triggers:
                cursor.execute(sql)
        cursor.execute("PRAGMA foreign_keys = ON")


def holds_rows(cursor, table: str) -> bool:
    cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")')
    return bool(cursor.fetchone()[0])


SLOW_FIRST = ("races", "test_demo", "test_workers", "test_access_rules", "test_machine", "test_zones")


def pytest_addoption(parser):
    parser.addoption(
        "--share",
        choices=["sqlite", "postgresql"],
        help="run what both databases share, and of the rest the part that this one shows for both",
    )


def pytest_ignore_collect(collection_path, config):
    """Files of which this share runs nothing need not be loaded: a second of processor time for every thirty."""
    if collection_path.suffix == ".py" and not may_hold(config.getoption("--share"), collection_path):
        return True
    return None


def may_hold(share: str | None, path) -> bool:
    """Whether this share may show something of a file, by its name and words; of each test, shown_by decides."""
    if share == "postgresql":
        return any(word in path.name for word in ("page", "machines", *DIFFERS)) or "race" in path.read_text()
    if share == "sqlite" and "page" in path.name:
        text = path.read_text()
        return "browser" in text or "once" in text or "pytestmark = pytest.mark.django_db" not in text
    return True


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """What is loaded stays for the whole run: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_collection_modifyitems(config, items):
    """The slowest files begin, so that at the end no worker waits for the other."""
    items.sort(key=lambda item: not is_slow(item))
    if share := config.getoption("--share"):
        left_out = [item for item in items if shown_by(item) not in (share, "both")]
        items[:] = [item for item in items if shown_by(item) in (share, "both")]
        config.hook.pytest_deselected(items=left_out)


def is_slow(item) -> bool:
    return item.get_closest_marker("browser") is not None or any(name in item.path.name for name in SLOW_FIRST)


# Where rows are written, claimed, locked, searched for or kept from change: what the two databases do differently.
DIFFERS = (
    *("services", "races", "append_only", "migrations", "machine", "claims", "queries", "invariants", "signing"),
    *("sweeps", "send_", "plan_", "workers", "offers", "webhooks", "pacing", "recalls", "stock", "scanning", "search"),
    *("booking", "moves", "series_p", "courses", "waitlist_", "reseat", "cover_s", "hold_", "kept_", "tablet", "trail"),
    *("journey", "facility_visit", "home_visit", "foreign_site", "audit_coverage", "clumsy"),
    *("backup", "restore", "kills", "upgrade"),
)


def shown_by(item) -> str:
    """On which database a test runs: both, where they differ in what it shows; else on SQLite, the faster one.

    Pages are asked on PostgreSQL, the stricter one; in a browser on SQLite, where polls and saves wait for each other.
    """
    has_database = item.get_closest_marker("django_db") or "db" in item.fixturenames
    if not has_database or item.get_closest_marker("browser") or item.get_closest_marker("once"):
        return "sqlite"
    if "page" in item.path.name:
        return "postgresql"
    if "machines" in item.path.name:  # several at one database: SQLite is for one
        return "postgresql"
    is_on_both = item.get_closest_marker("race") or any(word in item.path.name for word in DIFFERS)
    return "both" if is_on_both else "sqlite"


@pytest.fixture(autouse=True)
def _words_of_this_test():
    """Names of the formulary are remembered for a minute: not from one test into the next."""
    forget_names()


@pytest.fixture
def site(db):
    return make_site()


@pytest.fixture
def staff(site):
    """One member of staff per role, all working at `site`: staff["nurse"]."""
    return {role.value: make_staff(role=role, site=site) for role in Role}


@pytest.fixture
def client_for(staff):
    """client_for("nurse") is signed in as the nurse of `staff`, and has just given the password, whatever the clock."""

    def signed_in(role: str) -> Client:
        client = Client()
        force_login(client, staff[role])
        return client

    return signed_in


@pytest.fixture
def scheduler(staff):
    return staff["scheduler"]


@pytest.fixture
def nurse_user(staff):
    return staff["nurse"]


@pytest.fixture
def pharmacist(staff):
    return staff["pharmacist"]


@pytest.fixture
def manager(staff):
    return staff["manager"]
