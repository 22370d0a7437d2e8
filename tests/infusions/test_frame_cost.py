"""What the frame of every page asks of the database: session, person, roles, sites; nothing for menu and icons."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories.facility import make_site

pytestmark = pytest.mark.django_db


def statements_of(client, url) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in asked]


@pytest.mark.parametrize("role", ["scheduler", "nurse", "manager"])
def test_a_page_asks_four_statements_for_its_frame(client_for, role):
    asked = statements_of(client_for(role), reverse("emergency"))
    tables = sorted(re.search(r'FROM "(\w+)"', sql).group(1) for sql in asked)
    assert tables == ["accounts_rolegrant", "accounts_user", "django_session", "infusions_site"]


def test_the_frame_costs_the_same_with_many_sites(client_for, manager):
    client = client_for("manager")
    before = len(statements_of(client, reverse("emergency")))
    for _ in range(5):
        manager.site_memberships.create(site=make_site())
    assert len(statements_of(client, reverse("emergency"))) == before
