"""Every URL that needs no sign-in comes to an end for whoever asks on and on, or costs next to nothing."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infusion_center.accounts.models import OpenSession
from infusion_center.core.checks import access_rule
from infusions.reminders import feed_views, limits
from tests.guards.test_access_rules import PATTERNS, arguments

pytestmark = [pytest.mark.django_db, pytest.mark.once]
FEW = {"login": "2/m/ip", "reset_password": "2/m/ip", "reset_password_from_key": "2/m/ip"}
TYPED = {"login": "x@example.org", "password": "x", "email": "x@example.org"}
# Asked without end they cost one statement at most; the reason is where their answer comes from.
CHEAP = {
    "health": "one statement over indexes",
    "health-live": "asks nobody",
    "health-ready": "kept for some seconds, one asking at a time",
    "metrics": "no statement before the token is right",
    "emergency-card": "a page without data",
    "emergency-worker": "a script",
    "account_inactive": "a page without data",
    "mfa_authenticate": "leads to the first step without it; after it codes are counted (allauth)",
    "account_reset_password_done": "a page without data",
    "account_reset_password_from_key_done": "a page without data",
    "tablet-lock": "no such page but at a shared tablet",
    "tablet-other": "no such page but at a shared tablet",
    "tablet-unlock": "no such page but at a shared tablet; there PINs are counted (tests/accounts/test_pins.py)",
}
OPEN = {name: pattern for name, pattern in PATTERNS.items() if not access_rule(pattern).signed_in}


@pytest.fixture(autouse=True)
def few(settings, monkeypatch):
    settings.ACCOUNT_RATE_LIMITS, settings.LIMITS_PATIENT_LINKS = FEW, True
    keys = {"MAILGUN_WEBHOOK_SIGNING_KEY": "a", "MANDRILL_WEBHOOK_KEY": "a", "WEBHOOK_SECRET": "reports:" + "a" * 24}
    settings.ANYMAIL = settings.ANYMAIL | keys
    for rates in (limits.RATES, feed_views.RATES):
        for action in rates:
            monkeypatch.setitem(rates, action, "2/m/ip")
    cache.clear()
    yield
    cache.clear()


def address(name) -> str:
    return reverse(name, kwargs=arguments(OPEN[name]))


@pytest.mark.parametrize("name", sorted(set(OPEN) - set(CHEAP)))
def test_who_asks_on_and_on_is_told_to_wait(name):
    client = Client()
    found = [{client.get(address(name)).status_code, client.post(address(name), TYPED).status_code} for _ in range(3)]
    assert 429 not in found[0]
    assert 429 in found[2]


@pytest.mark.parametrize("name", sorted(set(OPEN) - set(CHEAP)))
def test_who_only_looks_on_and_on_is_told_to_wait_or_leaves_nothing_behind(name):
    """As a page, and as scripts ask: a challenge for a passkey is given to these only."""
    by_script = {"Accept": "application/json"}
    found = [Client().get(address(name), headers=headers).status_code for headers in [{}, by_script] * 3]
    assert found[-1] == 429 or OpenSession.objects.count() == 0


def test_what_has_no_limit_costs_next_to_nothing():
    costs = {}
    for name in CHEAP:
        with CaptureQueriesContext(connection) as asked:
            Client().get(address(name))
            Client().post(address(name), TYPED)
        costs[name] = len(asked)
    assert {name: cost for name, cost in costs.items() if cost > 1} == {}
