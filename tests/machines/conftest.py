import pytest

from tests.infusions.reminders.conftest import broker_url, database_url, inbox  # noqa: F401  fixtures
from tests.machines.fleet import Fleet


@pytest.fixture
def fleet(transactional_db, broker_url, inbox, tmp_path):  # noqa: F811
    """Every process of several machines, on the test database; all are gone at the end."""
    fleet = Fleet(tmp_path, DATABASE_URL=database_url(), REDIS_URL=broker_url, EMAIL_URL=inbox.url)
    yield fleet
    fleet.stop()
