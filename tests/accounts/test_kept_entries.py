"""What was typed and not sent when the tablet locked: kept for that person, given to nobody else, gone after a day."""

import datetime as dt
import json
import re

import pytest

from infusion_center.accounts.kept_fields import entry_in
from infusion_center.accounts.models import KeptEntry
from tests.factories.accounts import PIN, client_at_tablet, sign_in

pytestmark = pytest.mark.django_db
FIELD = {"form": "/appointments/x/infusion/reactions/", "name": "notes", "was": [""], "values": ["Red cheeks"]}
PATH = "/tablet/"
ADDRESS = "/tablet/?all=1"
OVERLAY = {"X-Overlay": "1"}


def lock(client, typed=(FIELD,), address=ADDRESS):
    return client.post("/lock/now/", {"address": address, "typed": json.dumps(list(typed))}, headers=OVERLAY)


def unlock(client, user, **more):
    values = {"person": user.public_id, "pin": PIN} | more
    return client.post("/lock/unlock/", values, headers=OVERLAY)


def given_back(client) -> tuple:
    """Whether the page says that something waits, and what it then gets."""
    marked = re.search(r"data-kept\s*>", client.get(ADDRESS).content.decode()) is not None
    answer = client.get("/lock/kept/", {"path": PATH}, headers=OVERLAY)
    return marked, answer.json() if answer.status_code == 200 else answer.status_code


KEPT = {"address": ADDRESS, "fields": [FIELD]}


def test_the_person_gets_it_back_after_somebody_else_used_the_tablet(at_tablet, ann, bea):
    lock(at_tablet)
    assert unlock(at_tablet, bea).json() == {"same": False, "next": "/tablet/"}
    assert given_back(at_tablet) == (False, 404)
    at_tablet.post("/lock/now/")
    unlock(at_tablet, ann)
    assert given_back(at_tablet) == (True, KEPT)
    at_tablet.post("/lock/kept/drop/", {"path": PATH})
    assert given_back(at_tablet) == (False, 404)


def test_the_person_gets_it_back_at_any_device(at_tablet, ann):
    lock(at_tablet)
    elsewhere = client_at_tablet()
    sign_in(elsewhere, ann)
    assert given_back(elsewhere) == (True, KEPT)


def test_what_still_stands_on_the_unlocked_page_is_let_go(at_tablet, ann):
    lock(at_tablet)
    assert unlock(at_tablet, ann, address=ADDRESS).json() == {"same": True}
    assert KeptEntry.objects.count() == 0


def test_what_a_tablet_sends_that_has_just_locked_by_itself_is_kept_too(at_tablet, ann, morning):
    morning.shift(dt.timedelta(minutes=5))
    lock(at_tablet)
    assert KeptEntry.objects.get().user == ann


def test_it_is_dropped_after_a_day(at_tablet, ann, bea, morning):
    lock(at_tablet)
    morning.shift(dt.timedelta(hours=24))
    sign_in(at_tablet_again := client_at_tablet(), ann)
    assert given_back(at_tablet_again) == (False, 404)
    lock(at_tablet_again, address="/patients/")
    assert list(KeptEntry.objects.values_list("path", flat=True)) == ["/patients/"]


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "no json",
        "{}",
        "[1]",
        '[{"name": "notes"}]',
        '[{"form": "/", "name": "n", "was": [], "values": ["\\u0000"]}]',
        '[{"form": "/", "name": "n", "was": [], "values": ["\\ud800"]}]',
        "[" * 100_000,
        json.dumps([FIELD | {"values": ["x" * 2_000] * 60}] * 2),
        *(json.dumps([FIELD | {"name": name}]) for name in ("password", "oldpassword", "pin", "csrfmiddlewaretoken")),
    ],
    ids=lambda typed: typed[:40],
)
def test_what_no_page_of_ours_sends_is_not_kept(typed):
    assert entry_in({"address": "/tablet/", "typed": typed}) == ("/tablet/", {})


@pytest.mark.parametrize("address", ["", "https://elsewhere.example/", "/" + "x" * 300])
def test_nothing_is_kept_for_an_address_that_is_none_of_ours(address):
    assert entry_in({"address": address, "typed": json.dumps([FIELD])})[1] == {}
