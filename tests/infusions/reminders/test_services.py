"""Planning into the ledger, sending from it, and what becomes of a message when the world moved on meanwhile."""

import datetime as dt
import smtplib

import pytest
from django.core import mail
from django.db import DatabaseError, transaction

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.reminders import delivery, queries
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import claim, plan_reminders, resend_reminder, send_due
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.models import Channel, Patient
from patients.services import set_contact_consent
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
NOON = dt.datetime(2026, 6, 1, 16, tzinfo=dt.UTC)  # in New York


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)
    return NOON


@pytest.fixture
def appointment():
    """In seventeen days, at nine."""
    return make_appointment(day=dt.date(2026, 6, 18))


def ledger(appointment) -> set[tuple]:
    rows = Reminder.objects.filter(appointment=appointment)
    return set(rows.values_list("appointment_version", "kind", "state", "reason"))


def changed(appointment, **fields) -> Appointment:
    """As if moved or cancelled: the fields, and a raised version."""
    for name, value in {"version": appointment.version + 1, **fields}.items():
        setattr(appointment, name, value)
    appointment.save()
    return appointment


def moved(appointment, days=7) -> Appointment:
    shift = dt.timedelta(days=days)
    return changed(appointment, start=appointment.start + shift, end=appointment.end + shift)


def cancelled(appointment) -> Appointment:
    return changed(appointment, state=State.CANCELLED, cancelled_at=clock.now())


# Planning


def test_planning_a_booking_owes_confirmation_and_day_reminders(appointment):
    assert dict(plan_reminders()) == {"skipped": 0, "planned": 3}
    assert set(Reminder.objects.values_list("kind", "due_at", "state")) == {
        (Kind.CONFIRMATION, NOON, "owed"),
        (Kind.DAYS_3, dt.datetime(2026, 6, 15, 13, tzinfo=dt.UTC), "owed"),
        (Kind.DAYS_1, dt.datetime(2026, 6, 17, 13, tzinfo=dt.UTC), "owed"),
    }


def test_planning_again_owes_nothing_more(appointment):
    plan_reminders()
    before = list(Reminder.objects.order_by("pk").values())
    assert dict(plan_reminders()) == {"skipped": 0}
    assert list(Reminder.objects.order_by("pk").values()) == before


def test_planning_a_move_after_the_confirmation_tells_of_the_move_and_skips_the_old_reminders(appointment):
    plan_reminders()
    send_due()
    moved(appointment)
    plan_reminders()
    assert ledger(appointment) == {
        (1, "confirmation", "sent", ""),
        (1, "days_3", "skipped", "moved"),
        (1, "days_1", "skipped", "moved"),
        (2, "moved", "owed", ""),
        (2, "days_3", "owed", ""),
        (2, "days_1", "owed", ""),
    }


def test_planning_a_move_that_the_patient_never_heard_of_confirms_the_new_time(appointment):
    moved(appointment)
    plan_reminders()
    assert ledger(appointment) == {
        (2, "confirmation", "owed", ""),
        (2, "days_3", "owed", ""),
        (2, "days_1", "owed", ""),
    }


def test_planning_a_cancellation_tells_the_patient_and_skips_the_reminders(appointment):
    plan_reminders()
    send_due()
    cancelled(appointment)
    plan_reminders()
    assert ledger(appointment) == {
        (1, "confirmation", "sent", ""),
        (1, "days_3", "skipped", "cancelled"),
        (1, "days_1", "skipped", "cancelled"),
        (2, "cancelled", "owed", ""),
    }


def test_planning_a_cancellation_that_nobody_was_told_of_owes_nothing(appointment):
    cancelled(appointment)
    plan_reminders()
    assert ledger(appointment) == set()


def test_planning_after_a_long_outage_finds_near_visits(appointment, time_machine):
    time_machine.move_to(dt.datetime(2026, 6, 16, 14, tzinfo=dt.UTC))
    Appointment.objects.update(created_at=NOON, updated_at=NOON)
    plan_reminders()
    assert ledger(appointment) == {
        (1, "confirmation", "owed", ""),
        (1, "days_3", "skipped", "too_late"),
        (1, "days_1", "owed", ""),
    }


def test_planning_leaves_far_and_unchanged_visits_alone(appointment, time_machine):
    time_machine.move_to(NOON + dt.timedelta(days=5))
    plan_reminders()
    assert ledger(appointment) == set()


def test_planning_ignores_what_has_begun(appointment, time_machine):
    time_machine.move_to(appointment.start)
    plan_reminders()
    assert ledger(appointment) == set()


def test_planning_costs_the_same_number_of_queries_for_many_visits(appointment, django_assert_num_queries):
    for _ in range(3):
        make_appointment(day=dt.date(2026, 6, 18))
    with django_assert_num_queries(7):
        plan_reminders()
    assert Reminder.objects.count() == 12


# Sending


def test_sending_mails_what_is_due_and_records_it(appointment):
    plan_reminders()
    assert dict(send_due(worker="w1")) == {"sent": 1}
    sent = Reminder.objects.get(state=ReminderState.SENT)
    assert (sent.kind, sent.settled_at, sent.tries, sent.claimed_by) == (Kind.CONFIRMATION, NOON, 1, "w1")
    assert [(m.to, m.extra_headers["Message-ID"]) for m in mail.outbox] == [
        ([appointment.patient.email], sent.message_id)
    ]
    event = AuditEvent.objects.get(action="reminder.sent")
    assert (event.actor_name, event.patient_id, event.target_id) == (
        "System",
        appointment.patient.public_id,
        sent.public_id,
    )


def test_sending_again_sends_nothing_more(appointment):
    plan_reminders()
    send_due()
    assert dict(send_due()) == {}
    assert len(mail.outbox) == 1


def test_a_sent_reminder_resists_change(appointment):
    sent = make_reminder(appointment=appointment, state=ReminderState.SENT)
    for attempt in (Reminder.objects.filter(pk=sent.pk).delete, lambda: Reminder.objects.update(tries=9)):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    assert list(Reminder.objects.values_list("pk", "tries")) == [(sent.pk, 0)]


def skip_cases():
    def close(a):
        Patient.objects.filter(pk=a.patient_id).update(is_active=False)

    def forget(a):
        Patient.objects.filter(pk=a.patient_id).update(email="")

    def refuse(a):
        set_contact_consent(patient=a.patient, channel=Channel.EMAIL, consents=False, by=None)

    def stop_order(a):
        InfusionOrder.objects.filter(pk=a.order_id).update(status=OrderStatus.STOPPED)

    def arrive(a):
        Appointment.objects.filter(pk=a.pk).update(state=State.ARRIVED)

    def miss(a):
        Appointment.objects.filter(pk=a.pk).update(state=State.NO_SHOW)

    return [
        (moved, Kind.CONFIRMATION, Reason.MOVED),
        (moved, Kind.DAYS_3, Reason.MOVED),
        (cancelled, Kind.DAYS_3, Reason.CANCELLED),
        (arrive, Kind.DAYS_1, Reason.BEGUN),
        (miss, Kind.DAYS_1, Reason.BEGUN),
        (close, Kind.DAYS_3, Reason.INACTIVE),
        (refuse, Kind.CONFIRMATION, Reason.NO_CONSENT),
        (forget, Kind.CONFIRMATION, Reason.NO_ADDRESS),
        (stop_order, Kind.DAYS_3, Reason.ORDER_STOPPED),
    ]


@pytest.mark.parametrize(("happens", "kind", "reason"), skip_cases())
def test_what_happened_since_planning_decides_at_sending(appointment, happens, kind, reason):
    reminder = make_reminder(appointment=appointment, kind=kind)
    happens(appointment)
    assert dict(send_due()) == {"skipped": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.reason, mail.outbox) == (ReminderState.SKIPPED, reason, [])
    assert AuditEvent.objects.get(action="reminder.skipped").detail["reason"] == reason


def test_a_reminder_of_a_visit_that_has_begun_is_skipped(appointment, time_machine):
    reminder = make_reminder(appointment=appointment)
    time_machine.move_to(appointment.start)
    send_due()
    reminder.refresh_from_db()
    assert (reminder.reason, mail.outbox) == (Reason.BEGUN, [])


def test_a_reminder_that_waited_through_an_outage_is_not_sent_absurdly_late(appointment, time_machine):
    reminder = make_reminder(appointment=appointment, kind=Kind.DAYS_3)
    time_machine.move_to(appointment.start - dt.timedelta(days=2))
    send_due()
    reminder.refresh_from_db()
    assert (reminder.reason, mail.outbox) == (Reason.TOO_LATE, [])


def test_a_day_reminder_that_the_site_switched_off_is_skipped(appointment):
    reminder = make_reminder(appointment=appointment, kind=Kind.DAYS_7)
    send_due()
    reminder.refresh_from_db()
    assert (reminder.reason, mail.outbox) == (Reason.SWITCHED_OFF, [])


def test_a_cancellation_goes_only_to_a_patient_who_knew_of_the_visit(appointment):
    cancelled(appointment)
    untold = make_reminder(appointment=appointment, kind=Kind.CANCELLED)
    send_due()
    untold.refresh_from_db()
    assert (untold.reason, mail.outbox) == (Reason.NEVER_TOLD, [])


def test_reminders_wait_for_the_morning_where_the_patient_lives(time_machine):
    patient = make_patient(time_zone="America/Los_Angeles")
    appointment = make_appointment(patient=patient, day=dt.date(2026, 6, 18))
    reminder = make_reminder(appointment=appointment, kind=Kind.MOVED, appointment_version=1)
    time_machine.move_to(dt.datetime(2026, 6, 2, 13, tzinfo=dt.UTC))  # nine in New York, six in Los Angeles
    assert dict(send_due()) == {"postponed": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.due_at, reminder.tries) == (
        ReminderState.OWED,
        dt.datetime(2026, 6, 2, 15, tzinfo=dt.UTC),
        0,
    )
    assert mail.outbox == []


def test_a_confirmation_goes_at_once_even_at_night(appointment, time_machine):
    make_reminder(appointment=appointment)
    time_machine.move_to(dt.datetime(2026, 6, 2, 6, tzinfo=dt.UTC))
    assert dict(send_due()) == {"sent": 1}


def test_messages_wait_while_the_order_is_on_hold(appointment):
    InfusionOrder.objects.update(status=OrderStatus.HELD)
    reminder = make_reminder(appointment=appointment)
    assert dict(send_due()) == {"postponed": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.due_at, mail.outbox) == (ReminderState.OWED, NOON + 60 * MINUTE, [])


# When the mail server does not want


def server_says(monkeypatch, error):
    def send(self, *args, **kwargs):
        raise error

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", send)


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({"x@example.org": (450, b"greylisted")}),
        smtplib.SMTPDataError(451, b"try later"),
        smtplib.SMTPServerDisconnected("gone"),
        TimeoutError("slow"),
    ],
)
def test_a_temporary_refusal_is_tried_again_after_a_pause(appointment, monkeypatch, error, time_machine):
    reminder = make_reminder(appointment=appointment)
    server_says(monkeypatch, error)
    assert dict(send_due()) == {"retried": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.tries, reminder.due_at) == (ReminderState.OWED, 1, NOON + 2 * MINUTE)
    assert reminder.detail != ""
    assert dict(send_due()) == {}
    monkeypatch.undo()
    time_machine.move_to(NOON + 2 * MINUTE)
    assert dict(send_due()) == {"sent": 1}


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({"x@example.org": (550, b"no such user")}),
        smtplib.SMTPDataError(554, b"rejected"),
    ],
)
def test_a_permanent_refusal_is_recorded_and_not_tried_again(appointment, monkeypatch, error):
    reminder = make_reminder(appointment=appointment)
    server_says(monkeypatch, error)
    assert dict(send_due()) == {"failed": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.reason) == (ReminderState.FAILED, Reason.ADDRESS_REFUSED)
    assert reminder.detail in ("550 no such user", "554 rejected")
    assert dict(send_due()) == {}


def test_a_message_that_is_never_taken_is_given_up_in_the_end(appointment, monkeypatch):
    reminder = make_reminder(appointment=appointment, tries=11)
    server_says(monkeypatch, smtplib.SMTPServerDisconnected("gone"))
    assert dict(send_due()) == {"failed": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.reason) == (ReminderState.FAILED, Reason.GAVE_UP)


def test_a_server_that_is_away_ends_the_sweep_and_costs_no_try(appointment, monkeypatch):
    first, second = make_reminder(appointment=appointment), make_reminder()

    def refuse(self):
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.open", refuse)
    assert dict(send_due()) == {"unavailable": 1}
    states = Reminder.objects.filter(pk__in=[first.pk, second.pk]).values_list("state", "tries", "due_at")
    assert set(states) == {(ReminderState.OWED, 0, NOON)}


def test_a_text_that_cannot_be_written_does_not_hold_up_the_others(appointment, monkeypatch):
    make_reminder(appointment=appointment, due_at=NOON - MINUTE)
    make_reminder()
    build = delivery.build_mail

    def broken_for_the_first(reminder, now):
        if reminder.appointment_id == appointment.pk:
            raise KeyError("name")
        return build(reminder, now)

    monkeypatch.setattr(delivery, "build_mail", broken_for_the_first)
    assert dict(send_due()) == {"retried": 1, "sent": 1}
    assert Reminder.objects.get(appointment=appointment).detail == "not written: KeyError"


# Claims


def test_a_claim_is_for_one_sender_until_its_lease_runs_out(appointment, settings):
    reminder = make_reminder(appointment=appointment)
    first = claim(reminder.pk, worker="a", now=NOON)
    lease = dt.timedelta(seconds=settings.REMINDER_LEASE_SECONDS)
    assert (first.state, first.tries, first.lease_until) == (ReminderState.CLAIMED, 1, NOON + lease)
    assert claim(reminder.pk, worker="b", now=NOON + lease - MINUTE / 60) is None
    assert claim(reminder.pk, worker="b", now=NOON + lease).tries == 2


def test_what_a_dead_sender_left_is_sent_after_its_lease_under_the_same_message_id(appointment, time_machine):
    reminder = make_reminder(appointment=appointment)
    dead = claim(reminder.pk, worker="a", now=NOON)
    assert dict(send_due()) == {}
    time_machine.move_to(dead.lease_until)
    assert dict(send_due()) == {"sent": 1}
    assert [m.extra_headers["Message-ID"] for m in mail.outbox] == [f"<{reminder.public_id}@127.0.0.1>"]


def test_a_sender_whose_lease_ran_out_records_nothing(appointment, monkeypatch):
    reminder = make_reminder(appointment=appointment)

    def slow(self, messages):
        claim(reminder.pk, worker="other", now=NOON + dt.timedelta(hours=1))

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", slow)
    assert dict(send_due(worker="slow")) == {"lost": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.claimed_by, reminder.tries) == (ReminderState.CLAIMED, "other", 2)


# Sending again


def test_resending_owes_the_same_message_once_more(appointment, scheduler):
    failed = make_reminder(appointment=appointment, state=ReminderState.FAILED, reason=Reason.ADDRESS_REFUSED)
    again = resend_reminder(reminder=failed, reason="Address corrected", by=scheduler)
    assert (again.kind, again.resend_no, again.due_at, again.requested_by, again.request_reason) == (
        failed.kind,
        1,
        NOON,
        scheduler,
        "Address corrected",
    )
    assert dict(send_due()) == {"sent": 1}
    failed.refresh_from_db()
    assert failed.state == ReminderState.FAILED
    assert AuditEvent.objects.filter(action="reminder.resend_requested", actor_id=scheduler.pk).count() == 1


def test_a_sent_message_can_be_sent_again_under_an_id_of_its_own(appointment, scheduler):
    plan_reminders()
    send_due()
    first = Reminder.objects.get(state=ReminderState.SENT)
    resend_reminder(reminder=first, reason="Deleted by mistake", by=scheduler)
    send_due()
    assert len({m.extra_headers["Message-ID"] for m in mail.outbox}) == 2


@pytest.mark.parametrize(
    ("happens", "reason", "code"),
    [
        (lambda a: None, " ", "reason-missing"),
        (moved, "x", "not-sendable-moved"),
        (cancelled, "x", "not-sendable-cancelled"),
        (lambda a: make_reminder(appointment=a, resend_no=1), "x", "already-owed"),
        (lambda a: Patient.objects.update(email=""), "x", "not-sendable-no_address"),
    ],
)
def test_resending_is_refused(appointment, scheduler, happens, reason, code):
    sent = make_reminder(appointment=appointment, state=ReminderState.SENT)
    happens(appointment)
    sent.refresh_from_db()
    before = Reminder.objects.count()
    with pytest.raises(RuleViolation) as refused:
        resend_reminder(reminder=Reminder.objects.with_visit().get(pk=sent.pk), reason=reason, by=scheduler)
    assert (refused.value.codes, Reminder.objects.count()) == ({code}, before)


# Watching


def test_the_oldest_due_and_unsent_message_tells_of_a_silent_worker(appointment, time_machine):
    make_reminder(appointment=appointment)
    make_reminder(appointment=appointment, kind=Kind.DAYS_1, due_at=NOON + dt.timedelta(days=9))
    assert (queries.oldest_due_unsent(NOON), queries.is_sending_stalled(NOON + 10 * MINUTE)) == (NOON, False)
    assert queries.is_sending_stalled(NOON + 11 * MINUTE)
    send_due()
    assert queries.oldest_due_unsent(NOON + 11 * MINUTE) is None
