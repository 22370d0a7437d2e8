"""Every URL names who may use it, and keeps to it: each URL, asked by each role and by nobody."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.urls.resolvers import RegexPattern

from infusion_center.accounts.roles import ROLE_PERMISSIONS, Role
from infusion_center.core.checks import access_rule, all_patterns, every_url_has_an_access_rule
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = [pytest.mark.django_db, pytest.mark.once]
NOBODY = "zzzzzzzzzzzzzz"
# Not ours: the admin site has one rule for all its pages, tested with the sign-in pages.
PATTERNS = {name: pattern for _, name, pattern in all_patterns() if not name.startswith("admin:")}
# Views that also look at the row, and so may refuse a role that their URL lets in; each with the reason.
NARROWER = {"orders:order-stop": "who drafts may stop a draft; stopping a signed order takes who signs"}
VALUES = {"kind": "weights", "code": "weight", "key": "none", "uidb36": "1", "day": "2026-11-23", "token": "none"}


def arguments(pattern, known=None) -> dict:
    """A value for each part of the address: an object's id where one is known, else one that nothing has."""
    if isinstance(pattern.pattern, RegexPattern):
        names = re.compile(pattern.pattern._regex).groupindex
        converters = dict.fromkeys(names)
    else:
        converters = pattern.pattern.converters
    values = {}
    for name, converter in converters.items():
        number = getattr(converter, "regex", "") == "[0-9]+"
        values[name] = (known or {}).get(name) or (1 if number else VALUES.get(name, NOBODY))
    return values


def answers(client, address) -> dict[str, int]:
    return {method: getattr(client, method)(address).status_code for method in ("get", "post")}


@pytest.fixture
def known(site):
    """An order and a visit of today's kind, so that pages find something behind their ids."""
    order = make_order(patient=make_patient())
    appointment = make_appointment(order=order, site=site)
    return {
        "patient_id": order.patient.public_id,
        "order_id": order.public_id,
        "appointment_id": appointment.public_id,
        "key": order.product.key if order.product else "none",
    }


def test_every_url_has_a_rule():
    assert every_url_has_an_access_rule(None) == []


def test_rules_without_a_permission_say_why():
    unreasoned = [
        name
        for name, pattern in PATTERNS.items()
        if not (access_rule(pattern).permissions or access_rule(pattern).reason)
    ]
    assert unreasoned == []


def test_strangers_are_sent_to_sign_in():
    client, wrong = Client(), {}
    for name, pattern in PATTERNS.items():
        if access_rule(pattern).signed_in:
            response = client.get(reverse(name, kwargs=arguments(pattern)))
            if response.status_code != 302 or not response.url.startswith("/accounts/login/"):
                wrong[name] = response.status_code
    assert wrong == {}


@pytest.mark.parametrize("role", list(Role))
def test_roles_without_the_permission_are_refused(client_for, known, role):
    client, wrong = client_for(role.value), {}
    for name, pattern in PATTERNS.items():
        rule = access_rule(pattern)
        if rule.permissions and not rule.permissions & ROLE_PERMISSIONS[role]:
            found = answers(client, reverse(name, kwargs=arguments(pattern, known)))
            # A page that only takes POST may say so before it looks at the role.
            if found["post"] != 403 or found["get"] not in (403, 405):
                wrong[name] = found
    assert wrong == {}


@pytest.mark.parametrize("role", list(Role))
def test_roles_with_the_permission_are_let_in(client_for, known, role):
    client, wrong = client_for(role.value), {}
    for name, pattern in PATTERNS.items():
        if access_rule(pattern).permissions & ROLE_PERMISSIONS[role]:
            for values in (arguments(pattern), arguments(pattern, known)):
                status = client.get(reverse(name, kwargs=values)).status_code
                if (status == 403 and name not in NARROWER) or status >= 500:
                    wrong[name] = status
    assert wrong == {}
