"""The demo's manager and pharmacist sign in with a code that the command prints; beside real people it prints none."""

from io import StringIO

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import CommandError, call_command

from infusions.demo_factors import give_demo_factors
from tests.accounts.conftest import MORNING
from tests.factories.accounts import PASSWORD, make_staff

pytestmark = pytest.mark.django_db


def test_the_printed_code_signs_the_demo_manager_in_and_nobody_else_gets_one(client, settings):
    settings.MFA_REQUIRED_ROLES = ["manager", "pharmacist"]
    cache.clear()
    demo = make_staff(role="manager", email="manager@demo.example.org")
    people = [make_staff(role="manager"), make_staff(role="nurse", email="nurse@demo.example.org")]
    give_demo_factors()
    assert [person.authenticator_set.count() for person in (demo, *people)] == [1, 0, 0]
    said = StringIO()
    with time_machine.travel(MORNING, tick=False):
        call_command("demo_code", stdout=said)
        client.post("/accounts/login/", {"login": demo.email, "password": PASSWORD})
        client.post("/accounts/second-factor/code/", {"code": said.getvalue().split()[0]})
        assert client.session["_auth_user_id"] == str(demo.pk)


def test_without_demo_people_no_code_is_printed():
    make_staff(role="manager")
    with pytest.raises(CommandError, match="no demo people"):
        call_command("demo_code")
