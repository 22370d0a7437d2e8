"""A shared tablet at which two nurses, Ann and Bea, gave their password this morning."""

import datetime as dt

import pytest
import time_machine

from tests.factories.accounts import client_at_tablet, make_pin, make_staff, make_tablet, sign_in

MORNING = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def morning():
    """The clock stands at 7 in the morning at the site until the test moves it."""
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ann(site):
    return make_staff(site=site, full_name="Ann Able")


@pytest.fixture
def bea(site):
    return make_staff(site=site, full_name="Bea Baker")


@pytest.fixture
def tablet(morning, ann, bea):
    tablet = make_tablet(by=ann)
    for person in (ann, bea):
        make_pin(person)
    return tablet


@pytest.fixture
def at_tablet(tablet, ann, bea):
    """The tablet's browser: Bea signed in and handed over, Ann is at it now."""
    client = client_at_tablet()
    sign_in(client, bea)
    client.post("/lock/other/")
    sign_in(client, ann)
    return client
