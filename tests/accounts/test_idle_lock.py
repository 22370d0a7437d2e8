"""The lock of a shared tablet: what it refuses, what starts it, what counts as somebody being there."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from infusion_center.audit.models import AuditEvent
from tests.factories.accounts import PIN, client_at_tablet, make_staff, sign_in

pytestmark = pytest.mark.django_db
POLL = {"HX-Request": "true"}
LATE = dt.timedelta(minutes=3, seconds=31)  # the site's minutes, and what the browser may be late to report


def is_locked(at_tablet) -> bool:
    return at_tablet.get("/tablet/", headers=POLL).status_code == 423


def test_a_locked_tablet_answers_nothing_and_does_nothing(at_tablet, site):
    at_tablet.post("/lock/now/")
    before = AuditEvent.objects.count()
    answers = [
        at_tablet.get("/patients/?q=x"),
        at_tablet.get("/tablet/", headers=POLL),
        at_tablet.post("/site/choose/", {"site": site.public_id}, headers=POLL),
        at_tablet.post("/site/choose/", {"site": site.public_id}),
        at_tablet.get("/tablet/", headers={"Sec-Fetch-Mode": "cors"}),
    ]
    assert [answer.status_code for answer in answers] == [302, 423, 423, 423, 423]
    assert answers[0].url == "/lock/?next=%2Fpatients%2F%3Fq%3Dx"
    assert ("site" in at_tablet.session, AuditEvent.objects.count()) == (False, before)


@pytest.mark.parametrize("path", ["/emergency/", "/lock/"])
def test_a_locked_tablet_still_shows_what_to_do_in_an_emergency_and_the_pad(at_tablet, path):
    at_tablet.post("/lock/now/")
    page = at_tablet.get(path)
    assert (page.status_code, "data-lock-seconds" in page.content.decode()) == (200, False)


def test_a_tablet_left_alone_locks_after_the_minutes_of_the_site(at_tablet, morning, site):
    morning.shift(dt.timedelta(minutes=3))
    assert not is_locked(at_tablet)
    morning.shift(dt.timedelta(seconds=31))
    assert is_locked(at_tablet)
    event = AuditEvent.objects.filter(action="tablet.locked").get()
    assert (event.actor_name, event.detail) == ("Ann Able", {"why": "left alone"})


def test_the_site_says_how_long(at_tablet, morning, site):
    site.tablet_lock_minutes = 10
    site.save()
    morning.shift(LATE)
    assert not is_locked(at_tablet)
    morning.shift(dt.timedelta(minutes=7))
    assert is_locked(at_tablet)


def test_polling_does_not_keep_a_tablet_open(at_tablet, morning):
    for _ in range(5):
        morning.shift(LATE / 5)
        last = at_tablet.get("/tablet/", headers=POLL).status_code
    assert last == 423


@pytest.mark.parametrize("act", ["page", "answer", "hands"])
def test_pages_answers_and_hands_keep_it_open(at_tablet, morning, site, act):
    for _ in range(3):
        morning.shift(dt.timedelta(minutes=2))
        if act == "page":
            at_tablet.get("/tablet/")
        elif act == "answer":
            at_tablet.post("/site/choose/", {"site": site.public_id}, headers=POLL)
        else:
            at_tablet.post("/lock/here/")
    assert not is_locked(at_tablet)


def test_hands_come_too_late_for_a_tablet_that_was_left_alone(at_tablet, morning):
    morning.shift(LATE)
    assert at_tablet.post("/lock/here/").status_code == 423
    assert is_locked(at_tablet)


def test_the_session_is_written_every_quarter_of_a_minute_at_most(at_tablet, morning):
    def writes():
        with CaptureQueriesContext(connection) as asked:
            at_tablet.get("/emergency/")
        return [query["sql"] for query in asked if query["sql"].startswith('UPDATE "accounts_opensession"')]

    morning.shift(dt.timedelta(seconds=14))
    assert writes() == []
    morning.shift(dt.timedelta(seconds=1))
    assert len(writes()) == 1


def test_after_twelve_hours_it_locks_under_the_hands(at_tablet, morning, site):
    site.tablet_lock_minutes = 15
    site.save()
    for _ in range(12 * 4):
        morning.shift(dt.timedelta(minutes=15))
        at_tablet.post("/lock/here/")
    assert is_locked(at_tablet)
    assert AuditEvent.objects.filter(action="tablet.locked").get().detail == {"why": "password is old"}


def test_a_device_that_is_no_shared_tablet_never_locks(morning, site):
    at_tablet = client_at_tablet("no such key")
    sign_in(at_tablet, make_staff(site=site))
    morning.shift(dt.timedelta(hours=3))
    assert at_tablet.get("/tablet/").status_code == 200
    assert at_tablet.post("/lock/now/").status_code == 404


def test_a_request_under_way_while_the_tablet_locks_does_not_unlock_it(at_tablet):
    """It read its session before, and writes it back after."""
    slow = at_tablet.session
    slow["site"] = "chosen meanwhile"
    at_tablet.post("/lock/now/")
    slow.save()
    assert (is_locked(at_tablet), at_tablet.session["site"]) == (True, "chosen meanwhile")


def test_a_tablet_can_be_unlocked_again_after_that(at_tablet, ann):
    at_tablet.post("/lock/now/")
    at_tablet.post("/lock/unlock/", {"person": ann.public_id, "pin": PIN})
    assert not is_locked(at_tablet)
