"""Real processes: two senders at once, and a Celery worker killed between claim and send."""

import threading

import pytest
from django.db import connections

from infusions.reminders.models import Reminder, ReminderState
from infusions.reminders.services import plan_reminders, send_due
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.conftest import wait_for


@pytest.fixture
def real_mail(settings, inbox):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = inbox.url.removeprefix("smtp://").split(":")
    return inbox


def at_once(*jobs) -> None:
    """Run the jobs in threads that start together; an error in one is an error of the test."""
    start, errors = threading.Barrier(len(jobs)), []

    def run(job):
        try:
            start.wait(10)
            job()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def message_ids(**conditions) -> list[str]:
    return sorted(
        f"<{public_id}@127.0.0.1>"
        for public_id in Reminder.objects.filter(**conditions).values_list("public_id", flat=True)
    )


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_several_senders_at_once_send_each_message_once(real_mail):
    for _ in range(12):
        make_reminder(appointment=make_appointment())
    at_once(*[lambda name=name: send_due(worker=name) for name in "abcd"])
    assert set(Reminder.objects.values_list("state", "tries")) == {(ReminderState.SENT, 1)}
    assert real_mail.ids == message_ids()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_several_planners_at_once_owe_each_message_once():
    appointments = [make_appointment() for _ in range(6)]
    at_once(*[plan_reminders] * 4)
    rows = list(Reminder.objects.values_list("appointment_id", "kind"))
    assert len(rows) == len(set(rows)) == 4 * len(appointments)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_claim_and_send_loses_nothing_and_repeats_nothing(start_worker, inbox):
    """The planning, too, is the worker's: the test only books visits, as the application does."""
    for _ in range(3):
        make_appointment()
    inbox.gate.clear()
    worker = start_worker(lease=3)
    wait_for(inbox.holding.is_set, what="the first message on its way")
    # She took the three as one batch, and hands them over one by one.
    assert Reminder.objects.filter(state=ReminderState.CLAIMED).count() == 3
    worker.kill()
    wait_for(inbox.lost.is_set, what="the mail server to see that the sender is gone")
    assert inbox.messages == []

    inbox.gate.set()
    start_worker(lease=3)
    wait_for(lambda: Reminder.objects.filter(state=ReminderState.SENT).count() == 3, what="all to be sent")
    assert inbox.ids == message_ids(state=ReminderState.SENT)
    taken_over = Reminder.objects.filter(state=ReminderState.SENT, tries=2)
    assert taken_over.count() == 3
