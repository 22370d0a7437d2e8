"""A nurse's own calendar reads her visits by a secret address: without names, while she works here, and no longer."""

import datetime as dt
import logging

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from ical.calendar_stream import IcsCalendarStream

from infusion_center.accounts.models import RoleGrant
from infusion_center.audit.models import AuditEvent
from infusion_center.core.log_lines import line_of
from infusions.facility.models import Setting
from infusions.reminders.feed_services import make_feed
from infusions.reminders.wording_models import CalendarFeed
from infusions.reminders.words import clinical_words
from infusions.scheduling.states import State
from tests.factories.facility import make_chair, make_nurse, make_site
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, VISIT_DAY, cancelled, moved

pytestmark = pytest.mark.django_db
PAGE, MAKE, REVOKE = (reverse(f"reminders:calendar{name}") for name in ("", "-make", "-revoke"))
GONE = (404, b"No such calendar.", "text/plain; charset=utf-8", "private, no-cache")


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)
    cache.clear()


@pytest.fixture
def nurse(site, nurse_user):
    site.mail_name = "Riverside"
    site.save()
    return make_nurse(user=nurse_user, site=site)


@pytest.fixture
def address(nurse):
    return feed_url(make_feed(nurse=nurse, by=nurse.user))


def feed_url(secret: str) -> str:
    return reverse("reminders:calendar-feed", args=[secret])


def visit(nurse, site, **fields):
    patient = make_patient(given_name="Maria", family_name="Sample")
    return make_appointment(**{"site": site, "nurse": nurse, "patient": patient, "day": VISIT_DAY, **fields})


def events_at(address: str) -> list:
    answer = Client().get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    (calendar,) = IcsCalendarStream.from_ics(answer.content.decode()).calendars
    return sorted(calendar.events, key=lambda event: event.dtstart)


def told(events) -> list[tuple]:
    return [(event.summary, event.location, event.status.value, event.dtstart.isoformat()) for event in events]


def gone(address: str) -> bool:
    answer = Client().get(address)
    facts = answer.status_code, answer.content, answer.headers["Content-Type"], answer.headers["Cache-Control"]
    return facts == GONE


def test_the_feed_shows_when_and_where_and_no_more(nurse, site, address):
    booked = visit(nurse, site, chair=make_chair(site=site, name="Chair 3"))
    visit(nurse, site, day=VISIT_DAY + dt.timedelta(days=1), setting=Setting.HOME, state=State.CONFIRMED)
    for days, name in ((4, "IVIG 4"), (5, "5")):
        visit(nurse, site, day=VISIT_DAY + dt.timedelta(days=days), chair=make_chair(site=site, name=name))
    events = events_at(address)
    assert told(events) == [
        ("Visit, chair 3", "Riverside", "TENTATIVE", "2026-06-18T13:00:00+00:00"),
        ("Home visit", "Riverside", "CONFIRMED", "2026-06-19T13:00:00+00:00"),
        ("Visit", "Riverside", "TENTATIVE", "2026-06-22T13:00:00+00:00"),
        ("Visit, chair 5", "Riverside", "TENTATIVE", "2026-06-23T13:00:00+00:00"),
    ]
    text = Client().get(address).content.decode()
    secrets = ("Maria", "Sample", booked.public_id, booked.patient.mrn, booked.patient.public_id)
    assert ([word for word in secrets if word in text], clinical_words(text)) == ([], [])
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\nX-PUBLISHED-TTL:PT1H\r\n" in text


def test_a_visit_keeps_its_place_in_the_calendar_when_it_moves_and_leaves_it_when_cancelled(nurse, site, address):
    appointment = visit(nurse, site)
    (before,) = events_at(address)
    moved(appointment, 7)
    (after,) = events_at(address)
    assert (after.uid, before.sequence, after.sequence) == (before.uid, 0, 1)
    cancelled(appointment)
    assert events_at(address) == []


def test_only_her_own_visits_of_half_a_year_at_sites_of_hers_are_shown(nurse, site, address):
    other, strange = make_nurse(site=site), make_site()
    visit(other, site)
    visit(nurse, strange)
    for days in (-40, -20, 170, 190):
        visit(nurse, site, start=NOON + dt.timedelta(days=days))
    assert [(event.dtstart - NOON).days for event in events_at(address)] == [-20, 170]


def test_unchanged_visits_are_not_sent_twice_and_nobody_else_may_keep_them(nurse, site, address, time_machine):
    appointment = visit(nurse, site)
    first = Client().get(address)
    time_machine.move_to(NOON + dt.timedelta(minutes=10), tick=False)
    again = Client().get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, first.headers["Cache-Control"]) == (304, b"", "private, no-cache")
    moved(appointment, 1)
    assert Client().get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_nothing_is_told_to_whoever_has_no_or_an_old_address(client_for, nurse, address):
    assert events_at(address) == []
    client = client_for("nurse")
    renewed = client.post(MAKE).context["address"].removeprefix("http://127.0.0.1:8000")
    assert (gone(address), gone(feed_url("x" * 43)), events_at(renewed)) == (True, True, [])
    client.post(REVOKE)
    assert gone(renewed)


@pytest.mark.parametrize("left", ["user", "nurse", "role"])
def test_the_feed_of_whoever_left_is_gone(nurse, address, left):
    if left == "user":
        type(nurse.user).objects.filter(pk=nurse.user.pk).update(is_active=False)
    elif left == "nurse":
        type(nurse).objects.filter(pk=nurse.pk).update(is_active=False)
    else:
        RoleGrant.objects.filter(user=nurse.user).delete()
    assert gone(address)


def test_the_address_is_shown_once_and_kept_only_as_a_hash(client_for, nurse):
    client = client_for("nurse")
    assert "Make an address" in client.get(PAGE).content.decode()
    made = client.post(MAKE)
    secret = made.context["address"].rpartition("/")[2].removesuffix(".ics")
    feed = CalendarFeed.objects.get()
    later = client.get(PAGE).content.decode()
    assert (len(secret), secret in made.content.decode(), secret in later) == (43, True, False)
    assert secret not in f"{feed.secret_hash} {list(AuditEvent.objects.values())}"
    assert ("never yet" in later, made.headers["Cache-Control"]) == (True, "no-store")


def test_making_revoking_and_now_and_then_reading_are_recorded(client_for, nurse, time_machine):
    client = client_for("nurse")
    address = client.post(MAKE).context["address"].removeprefix("http://127.0.0.1:8000")
    for minutes in (0, 30, 59, 61, 90):
        time_machine.move_to(NOON + dt.timedelta(minutes=minutes), tick=False)
        Client().get(address)
    assert CalendarFeed.objects.get().last_read_at == NOON + dt.timedelta(minutes=61)
    client.post(REVOKE)
    actions = AuditEvent.objects.filter(action__startswith="calendar_feed").order_by("pk")
    assert [(event.action.partition(".")[2], event.actor_name) for event in actions] == [
        ("made", nurse.user.full_name),
        ("read", "Whoever has the address"),
        ("read", "Whoever has the address"),
        ("revoked", nurse.user.full_name),
    ]


def test_a_manager_and_a_nurse_without_visits_have_no_feed(client_for):
    assert client_for("manager").get(PAGE).status_code == 403
    client = client_for("nurse")
    assert "No visits are booked with you" in client.get(PAGE).content.decode()
    assert (client.post(MAKE).status_code, CalendarFeed.objects.count()) == (302, 0)


def test_a_feed_is_only_read(nurse, address):
    assert [getattr(Client(), method)(address).status_code for method in ("post", "put", "delete")] == [405] * 3


def test_who_asks_too_often_is_asked_to_wait(nurse, address):
    guesses = [Client().get(feed_url(f"guess-{n}")).status_code for n in range(31)]
    reads = [Client().get(address, REMOTE_ADDR="192.0.2.7").status_code for _ in range(31)]
    assert (guesses, reads) == ([404] * 30 + [429], [200] * 30 + [429])


def test_a_feed_costs_the_same_queries_however_many_visits(nurse, site, address, django_assert_num_queries):
    visit(nurse, site, day=VISIT_DAY)
    Client().get(address)  # asks for the names of the formulary
    for day in range(1, 3):
        visit(nurse, site, day=VISIT_DAY + dt.timedelta(days=day))
        with django_assert_num_queries(6):
            Client().get(address)


def test_logs_hold_no_address():
    ours = {"name": "infusions.reminders", "levelname": "INFO", "msg": "not found: %s"}
    secret = logging.makeLogRecord({**ours, "args": (feed_url("aB3-_" * 8),)})
    plain = logging.makeLogRecord({**ours, "args": ("/orders/abcdefgh12345678/",)})
    assert [line_of(record)["message"] for record in (secret, plain)] == [
        "not found: /calendar/…",
        "not found: /orders/abcdefgh12345678/",
    ]
