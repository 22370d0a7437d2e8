"""Silence is told on pages and to monitors: planner or sender stand still, or a message waits too long."""

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.urls import reverse

from infusions.reminders.delivery_models import Heartbeat
from infusions.reminders.heartbeat import PLANNER, SENDER, health, last_beat, note_beat
from infusions.reminders.models import Kind, ReminderState
from infusions.reminders.services import plan_reminders, send_due
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import MINUTE, NOON, VISIT_DAY

pytestmark = pytest.mark.django_db
EARLIER = NOON - 11 * MINUTE


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


def beats(planner=NOON, sender=NOON):
    note_beat(PLANNER, now=planner)
    note_beat(SENDER, now=sender)


def test_planner_and_sender_beat_also_when_there_was_nothing_to_do():
    plan_reminders()
    send_due()
    assert (last_beat(PLANNER).beat_at, last_beat(SENDER).beat_at) == (NOON, NOON)


def test_a_later_beat_replaces_the_earlier_one():
    beats(EARLIER, EARLIER)
    beats()
    assert list(Heartbeat.objects.values_list("beat_at", flat=True)) == [NOON, NOON]


def waits(state, since, **fields):
    return lambda: make_reminder(appointment=make_appointment(day=VISIT_DAY), state=state, due_at=since, **fields)


put_off = waits(ReminderState.OWED, NOON + 20 * MINUTE, tries=5)


@pytest.mark.parametrize(
    ("happened", "reasons"),
    [
        ([], ("never-started",)),
        ([beats], ()),
        ([lambda: beats(planner=EARLIER)], ("planner-silent",)),
        ([lambda: beats(sender=EARLIER)], ("sender-silent",)),
        ([lambda: note_beat(PLANNER, now=NOON)], ("sender-silent",)),
        ([beats, waits(ReminderState.OWED, EARLIER)], ("nothing-sent",)),
        ([beats, waits(ReminderState.CLAIMED, EARLIER)], ("nothing-sent",)),
        ([beats, waits(ReminderState.OWED, NOON - 9 * MINUTE)], ()),
        ([beats, waits(ReminderState.OWED, NOON + MINUTE)], ()),
        ([beats, waits(ReminderState.FAILED, EARLIER)], ()),
        ([waits(ReminderState.OWED, EARLIER)], ("never-started",)),
        ([beats, *[put_off] * 3], ("only-retries",)),
        ([beats, *[put_off] * 2], ()),
        ([beats, *[waits(ReminderState.OWED, NOON + 20 * MINUTE, tries=3)] * 3], ()),
        ([beats, *[put_off] * 3, waits(ReminderState.SENT, EARLIER, settled_at=NOON - 29 * MINUTE)], ()),
        ([beats, *[put_off] * 3, waits(ReminderState.SENT, EARLIER, settled_at=NOON - 31 * MINUTE)], ("only-retries",)),
    ],
)
def test_what_counts_as_silence(happened, reasons):
    for happens in happened:
        happens()
    assert health(NOON).reasons == reasons


def test_a_monitor_learns_moments_and_codes_without_signing_in(django_assert_num_queries):
    beats()
    make_reminder(appointment=make_appointment(day=VISIT_DAY), due_at=NOON - 2 * MINUTE)
    with django_assert_num_queries(1):
        response = Client().get("/health/")
    assert (response.status_code, response.json()) == (
        200,
        {
            "status": "ok",
            "reasons": [],
            "planner_beat_at": "2026-06-01T16:00:00Z",
            "sender_beat_at": "2026-06-01T16:00:00Z",
            "oldest_due_unsent_seconds": 120,
        },
    )
    assert "no-store" in response["Cache-Control"]


def test_a_monitor_is_told_of_silence_by_status_503():
    beats(planner=EARLIER)
    response = Client().get("/health/")
    assert (response.status_code, response.json()["status"], response.json()["reasons"]) == (
        503,
        "unwell",
        ["planner-silent"],
    )


@pytest.mark.parametrize("trouble", [OperationalError, InterfaceError])
def test_a_database_that_does_not_answer_is_unwell_and_no_error(trouble, monkeypatch):
    def broken(*args, **kwargs):
        raise trouble("gone")

    monkeypatch.setattr("django.db.models.query.QuerySet._fetch_all", broken)
    response = Client().get("/health/")
    assert (response.status_code, response.json()["reasons"]) == (503, ["database"])


@pytest.mark.parametrize("page", ["reminders:reminder-list", "scheduling:board", "scheduling:work-overview"])
def test_pages_about_visits_say_when_reminders_stand_still(client_for, site, page):
    client, words = client_for("manager"), "Nobody has looked for messages to send"
    beats()
    assert words not in client.get(reverse(page)).content.decode()
    beats(sender=EARLIER)
    assert words in client.get(reverse(page)).content.decode()


def test_the_page_of_a_message_says_so_too(client_for, site):
    reminder = make_reminder(appointment=make_appointment(site=site, day=VISIT_DAY), kind=Kind.DAYS_3)
    page = client_for("manager").get(reverse("reminders:reminder-detail", args=[reminder.public_id]))
    assert "the reminder worker has not run since this was set up" in page.content.decode()
