"""A sweep: batches that two senders share, what was read is read again, a task whose time is over, the wake-ups."""

import datetime as dt
import smtplib

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from kombu.exceptions import OperationalError as BrokerError

from infusion_center.audit.models import AuditEvent
from infusions.reminders import claims, sending, tasks
from infusions.reminders.claims import claim_batch
from infusions.reminders.delivery import Sent, message_id_of
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import claim, plan_reminders, send_due
from patients.models import Channel
from patients.services import set_contact_consent
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import MINUTE, NOON, VISIT_DAY, cancelled, moved

pytestmark = pytest.mark.django_db
SEND = "django.core.mail.backends.locmem.EmailBackend.send_messages"


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def owed():
    """Five messages, the oldest first."""
    rows = [make_reminder(appointment=make_appointment(day=VISIT_DAY)) for _ in range(5)]
    for number, row in enumerate(rows):
        Reminder.objects.filter(pk=row.pk).update(due_at=NOON - (5 - number) * MINUTE)
    return rows


def states() -> list[tuple]:
    return list(Reminder.objects.order_by("due_at", "pk").values_list("state", "tries"))


def each_takes(monkeypatch, *, seconds):
    monkeypatch.setattr(sending.time, "monotonic", lambda: seconds * len(mail.outbox))


def while_sending(monkeypatch, happens, at=1):
    """`happens` while the message of this number is being taken."""
    take, count = mail.backends.locmem.EmailBackend.send_messages, []

    def send(self, messages):
        count.append(1)
        taken = take(self, messages) if len(count) != at or not isinstance(happens, Exception) else None
        if len(count) == at:
            if isinstance(happens, Exception):
                raise happens
            happens()
        return taken

    monkeypatch.setattr(SEND, send)


def test_two_senders_take_different_rows_the_oldest_first(owed):
    first, second, third = (claim_batch(worker=name, now=NOON, size=2) for name in "abc")
    assert [[row.pk for row in batch] for batch in (first, second, third)] == [
        [owed[0].pk, owed[1].pk],
        [owed[2].pk, owed[3].pk],
        [owed[4].pk],
    ]
    assert claim_batch(worker="d", now=NOON, size=2) == []


def test_what_a_dead_sender_left_comes_before_what_is_newer(owed, settings):
    lost = claim(owed[3].pk, worker="dead", now=NOON)
    [again] = claim_batch(worker="a", now=lost.lease_until, size=1)
    assert (again.pk, again.tries, again.claimed_by) == (owed[3].pk, 2, "a")


def test_what_kills_its_sender_takes_no_other_with_it_for_long_and_is_given_up_in_the_end(owed, time_machine):
    batch = claim_batch(worker="dead", now=NOON, size=3)
    time_machine.move_to(batch[0].lease_until, tick=False)
    [killer] = claim_batch(worker="dead too", now=batch[0].lease_until, size=3)
    assert killer.pk == owed[0].pk
    assert dict(send_due()) == {"sent": 4}
    assert states() == [(ReminderState.CLAIMED, 2), *[(ReminderState.SENT, 2)] * 2, *[(ReminderState.SENT, 1)] * 2]
    Reminder.objects.filter(pk=killer.pk).update(tries=claims.MAX_TRIES)
    time_machine.move_to(killer.lease_until, tick=False)
    assert dict(send_due()) == {"failed": 1}
    assert Reminder.objects.get(pk=killer.pk).reason == Reason.GAVE_UP


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.OFFER])
def test_a_sender_that_slept_through_its_lease_sends_nothing_that_another_has_taken(monkeypatch, kind):
    """The clock that sweeps are measured by stands still while a machine sleeps."""
    first = make_reminder(appointment=make_appointment(day=VISIT_DAY), due_at=NOON - MINUTE)
    second = make_reminder(appointment=make_appointment(day=VISIT_DAY), kind=kind)
    monkeypatch.setattr(sending.time, "monotonic", lambda: 0)
    while_sending(monkeypatch, lambda: claim(second.pk, worker="other", now=NOON + 60 * MINUTE))
    assert dict(send_due()) == {"sent": 1, "lost": 1}
    assert [sent.to for sent in mail.outbox] == [[first.patient.email]]


def test_a_batch_that_runs_out_of_time_gives_back_what_it_did_not_send(owed, monkeypatch):
    each_takes(monkeypatch, seconds=11)
    assert dict(send_due(seconds=20)) == {"sent": 2}
    assert states() == [(ReminderState.SENT, 1)] * 2 + [(ReminderState.OWED, 0)] * 3


def test_a_batch_is_not_worked_on_beyond_half_of_its_lease(owed, monkeypatch, settings):
    settings.REMINDER_LEASE_SECONDS = 20
    each_takes(monkeypatch, seconds=8)
    take, sizes = sending.claim_batch, []

    def counted(**given):
        rows = take(**given)
        sizes.append(len(rows))
        return rows

    monkeypatch.setattr(sending, "claim_batch", counted)
    assert dict(send_due(seconds=1000)) == {"sent": 5}
    assert sizes == [5, 3, 1, 0]


def test_what_was_read_is_read_again_after_a_second(owed, monkeypatch):
    each_takes(monkeypatch, seconds=2)
    patient = owed[1].patient
    while_sending(
        monkeypatch, lambda: set_contact_consent(patient=patient, channel=Channel.EMAIL, consents=False, by=None)
    )
    assert dict(send_due()) == {"sent": 4, "skipped": 1}
    owed[1].refresh_from_db()
    assert owed[1].reason == Reason.NO_CONSENT


@pytest.mark.parametrize(("happens", "reason"), [(cancelled, Reason.CANCELLED), (moved, Reason.MOVED)])
def test_a_visit_that_changes_while_the_mail_before_it_is_sent_is_seen(owed, monkeypatch, happens, reason):
    while_sending(monkeypatch, lambda: happens(owed[1].appointment))
    assert dict(send_due()) == {"sent": 4, "skipped": 1}
    owed[1].refresh_from_db()
    assert (owed[1].state, owed[1].reason) == (ReminderState.SKIPPED, reason)


def test_a_cancellation_waits_for_the_message_that_is_on_its_way(owed, time_machine):
    visit = owed[0].appointment
    on_its_way = claim(owed[0].pk, worker="other", now=NOON)
    cancelled(visit)
    plan_reminders()
    told = Reminder.objects.get(kind=Kind.CANCELLED)
    send_due()
    told.refresh_from_db()
    assert (told.state, told.tries, told.due_at) == (ReminderState.OWED, 0, NOON + MINUTE)
    claims.settle_sent(on_its_way, Sent(message_id_of(on_its_way)), NOON)
    time_machine.move_to(NOON + MINUTE)
    assert dict(send_due()) == {"sent": 1}


def test_a_task_out_of_time_before_the_server_took_the_mail_tries_it_again(owed, monkeypatch):
    while_sending(monkeypatch, SoftTimeLimitExceeded(), at=2)
    assert dict(send_due()) == {"sent": 1, "retried": 1, "stopped": 1}
    owed_again = [(ReminderState.OWED, 0)] * 3 + [(ReminderState.OWED, 1)]
    assert (states(), len(mail.outbox)) == ([(ReminderState.SENT, 1), *owed_again], 1)


def test_a_task_out_of_time_after_the_server_took_the_mail_records_it(owed, monkeypatch):
    record, calls = claims.audit_row, []

    def out_of_time(*args, **kwargs):
        calls.append(1)
        if len(calls) == 1:
            raise SoftTimeLimitExceeded
        return record(*args, **kwargs)

    monkeypatch.setattr(claims, "audit_row", out_of_time)
    assert dict(send_due()) == {"sent": 1, "stopped": 1}
    assert states() == [(ReminderState.SENT, 1)] + [(ReminderState.OWED, 0)] * 4
    assert AuditEvent.objects.filter(action="reminder.sent").count() == len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_what_the_server_took_is_recorded_through_a_moment_without_database(owed, monkeypatch):
    record, calls = claims.audit_row, []

    def locked(*args, **kwargs):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("database is locked")
        return record(*args, **kwargs)

    monkeypatch.setattr(claims, "audit_row", locked)
    monkeypatch.setattr(claims.time, "sleep", lambda seconds: None)
    assert dict(send_due()) == {"sent": 5}
    assert (set(states()), len(mail.outbox)) == ({(ReminderState.SENT, 1)}, 5)


def test_each_further_mail_costs_six_statements(monkeypatch):
    """Is the visit unchanged, the site's own words, savepoint, settled, audit row, savepoint released."""
    each_takes(monkeypatch, seconds=0)
    counts = []
    for number in (1, 2, 12):  # the first also finds no beat and no count of its domain yet
        for _ in range(number):
            make_reminder(appointment=make_appointment(day=VISIT_DAY))
        with CaptureQueriesContext(connection) as asked:
            assert send_due() == {"sent": number}
        counts.append(len(asked))
    assert counts[2] - counts[1] == 10 * 6


@pytest.fixture
def woken(monkeypatch):
    """Tasks that were woken, by name."""
    names = []
    for task in (tasks.plan_reminders, tasks.send_due_reminders):
        monkeypatch.setattr(task, "apply_async", lambda task=task, **options: names.append((task.name, options)))
    return names


def short(woken) -> list[str]:
    return [name.rpartition(".")[2] for name, _ in woken]


def test_a_sweep_with_a_full_batch_calls_for_help_once_and_for_more_when_work_is_left(owed, woken, monkeypatch):
    monkeypatch.setattr(sending, "BATCH", 2)
    tasks.send_due_reminders()
    assert short(woken) == ["send_due_reminders"]
    assert [options for _, options in woken] == [{"expires": tasks.HELPER_SECONDS, "retry": False}]
    make_reminder(appointment=make_appointment(day=VISIT_DAY))
    monkeypatch.setattr(tasks.services, "send_due", lambda **options: sending.send_due(seconds=-1))
    tasks.send_due_reminders()
    assert short(woken) == ["send_due_reminders"] * 2


def test_a_mail_server_that_is_away_is_not_asked_again_at_once(owed, woken, monkeypatch):
    def refuse(self):
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.open", refuse)
    tasks.send_due_reminders()
    assert (woken, set(states())) == ([], {(ReminderState.OWED, 0)})


def test_a_broker_that_is_away_does_not_matter_to_a_sweep(owed, monkeypatch):
    def away(**options):
        raise BrokerError("nobody there")

    monkeypatch.setattr(sending, "BATCH", 2)
    monkeypatch.setattr(tasks.send_due_reminders, "apply_async", away)
    tasks.send_due_reminders()
    assert set(states()) == {(ReminderState.SENT, 1)}


def test_the_command_plans_and_sends_all_that_is_due(capsys):
    make_appointment(day=VISIT_DAY)
    call_command("send_reminders")
    assert (capsys.readouterr().out, len(mail.outbox)) == ("4 planned, 1 sent\n", 1)
    call_command("send_reminders", seconds=5)
    assert capsys.readouterr().out == "nothing to do\n"


@pytest.mark.parametrize(
    ("patched", "error", "words"),
    [
        (SEND, smtplib.SMTPDataError(554, b"no"), "could not be handed over"),
        ("django.core.mail.backends.locmem.EmailBackend.open", ConnectionRefusedError("x"), "cannot be reached"),
    ],
)
def test_the_command_ends_with_an_error_when_mail_is_in_trouble(owed, monkeypatch, patched, error, words):
    def fail(self, *args):
        raise error

    monkeypatch.setattr(patched, fail)
    with pytest.raises(CommandError, match=words):
        call_command("send_reminders")


def test_a_lease_outlives_every_task(settings):
    assert dt.timedelta(seconds=settings.REMINDER_LEASE_SECONDS) > dt.timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
    assert settings.CELERY_TASK_SOFT_TIME_LIMIT > 2 * sending.SWEEP_SECONDS
