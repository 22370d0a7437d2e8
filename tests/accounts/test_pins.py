"""PINs: which are refused, how they are kept, who sets one."""

import pytest
from django.test import Client

from infusion_center.accounts import pins
from infusion_center.accounts.models import QuickPin
from infusion_center.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, make_staff

pytestmark = pytest.mark.django_db
EASY = ["111111", "123456", "654321", "012345", "987654", "890123", "321098", "121212", "905905"]


@pytest.mark.parametrize("pin", EASY)
def test_an_easy_pin_is_refused(pin):
    assert [problem.code for problem in pins.pin_problems(pin)] == ["pin-easy"]


@pytest.mark.parametrize("pin", ["12345", "1234567", "12a456", "١٢٣٤٥٩", " 24681"])
def test_what_is_not_six_digits_is_no_pin(pin):
    assert [problem.code for problem in pins.pin_problems(pin)] == ["pin-shape"]


@pytest.mark.parametrize("pin", ["246810", "112233", "135791", "123457"])
def test_other_pins_are_taken(pin):
    assert pins.pin_problems(pin) == []


def test_a_kept_pin_fits_its_person_and_the_secret_key_only(settings):
    one, other = make_staff(), make_staff()
    kept = pins.hash_of(one, "246810")
    assert (pins.matches(one, "246810", kept), pins.matches(one, "246811", kept)) == (True, False)
    assert pins.matches(other, "246810", kept) is False
    settings.SECRET_KEY = "another key, as whoever only has the table would need to guess"
    assert pins.matches(one, "246810", kept) is False


def pin_page(client, **typed):
    values = {"password": PASSWORD, "pin": "246810", "again": "246810"} | typed
    return client.post("/accounts/pin/", values)


@pytest.fixture
def signed_in(client_for) -> Client:
    return client_for("scheduler")


def test_everybody_sets_a_pin_with_the_own_password(signed_in, scheduler):
    assert pin_page(signed_in).url == "/"
    assert pins.matches(scheduler, "246810", QuickPin.objects.get(user=scheduler).secret_hash)
    assert list(AuditEvent.objects.values_list("action", "actor_name", "detail")) == [
        ("staff.pin_set", scheduler.full_name, {})
    ]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"password": "wrong password!"}, "password"),
        ({"again": "246811"}, "again"),
        ({"pin": "123456", "again": "123456"}, "pin"),
    ],
)
def test_a_pin_is_refused_and_nothing_kept(signed_in, typed, field):
    page = pin_page(signed_in, **typed)
    assert (list(page.context["form"].errors), QuickPin.objects.count()) == ([field], 0)
