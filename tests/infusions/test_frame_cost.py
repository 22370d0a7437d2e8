"""What the frame of every page asks of the database: session, person, roles, sites; nothing for menu and icons."""

import re
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories.facility import make_site

pytestmark = pytest.mark.django_db


FRAME = Counter(["accounts_opensession", "accounts_user", "accounts_rolegrant", "infusions_site"])


def frame_of(statements: list[str]) -> Counter:
    tables = (re.search(r'FROM "(\w+)"', sql) for sql in statements)
    return Counter(table.group(1) for table in tables if table and table.group(1) in FRAME)


def statements_of(client, url) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in asked]


@pytest.mark.parametrize("role", ["scheduler", "nurse", "manager"])
def test_a_page_asks_four_statements_for_its_frame(client_for, role):
    assert frame_of(statements_of(client_for(role), reverse("patients:patient-list"))) == FRAME


def test_a_page_that_shows_no_site_asks_for_none(client_for):
    assert frame_of(statements_of(client_for("nurse"), reverse("emergency"))) == FRAME - Counter(["infusions_site"])


def test_the_frame_costs_the_same_with_many_sites(client_for, manager):
    client = client_for("manager")
    before = len(statements_of(client, reverse("patients:patient-list")))
    for _ in range(5):
        manager.site_memberships.create(site=make_site())
    assert len(statements_of(client, reverse("patients:patient-list"))) == before


def test_a_fragment_that_shows_no_site_does_not_ask_for_them(client_for):
    client = client_for("scheduler")
    with CaptureQueriesContext(connection) as asked:
        assert client.get(reverse("patients:patient-list"), headers={"HX-Request": "true"}).status_code == 200
    assert [query["sql"] for query in asked if 'FROM "infusions_site"' in query["sql"]] == []
