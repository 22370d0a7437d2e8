"""A receiving domain gets so many mails a minute from all senders together, fewer when it asks for less."""

import datetime as dt
import smtplib
from collections import Counter

import pytest
from django.core import mail

from infusion_center.accounts.models import User
from infusions.facility.models import Site
from infusions.reminders import pacing
from infusions.reminders.delivery_models import DomainPace
from infusions.reminders.models import Kind, Reminder, ReminderState
from infusions.reminders.services import send_due
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import MINUTE, NOON, VISIT_DAY

pytestmark = pytest.mark.django_db
DOMAIN = "many.example"


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def limit(settings):
    settings.REMINDER_DOMAIN_PER_MINUTE = 2
    return 2


def owed_to(address: str) -> Reminder:
    return make_reminder(appointment=make_appointment(patient=make_patient(email=address), day=VISIT_DAY))


def test_senders_share_the_room_of_a_minute(settings):
    settings.REMINDER_DOMAIN_PER_MINUTE = 10
    asked = [pacing.reserve({DOMAIN: 4, "few.example": 1}, NOON) for _ in range(4)]
    assert [room[DOMAIN] for room in asked] == [4, 4, 2, 0]
    assert [room["few.example"] for room in asked] == [1, 1, 1, 1]
    assert pacing.reserve({DOMAIN: 40}, NOON + MINUTE) == {DOMAIN: 10}


def test_no_limit_reserves_nothing(settings):
    settings.REMINDER_DOMAIN_PER_MINUTE = 0
    assert (pacing.reserve({DOMAIN: 1000}, NOON), DomainPace.objects.count()) == ({DOMAIN: 1000}, 0)


def test_what_finds_no_room_waits_in_line_without_a_try_and_others_go(limit, time_machine):
    rows = [owed_to(f"p{number}@{DOMAIN.title()}") for number in range(7)]
    other = owed_to("p@other.example")
    assert dict(send_due()) == {"sent": 3, "paced": 5}
    states = Reminder.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    wait = [(row.state, row.tries, (row.due_at - NOON) // MINUTE) for row in states]
    owed = ReminderState.OWED
    assert wait[2:] == [(owed, 0, 1), (owed, 0, 1), (owed, 0, 2), (owed, 0, 2), (owed, 0, 3)]
    assert Reminder.objects.get(pk=other.pk).state == ReminderState.SENT
    assert dict(send_due()) == {}
    for minute in (1, 2, 3):
        time_machine.move_to(NOON + minute * MINUTE)
        send_due()
    assert [sent.to[0] for sent in mail.outbox if DOMAIN in sent.to[0].lower()] == [row.patient.email for row in rows]
    assert set(Reminder.objects.values_list("state", "tries")) == {(ReminderState.SENT, 1)}


@pytest.mark.parametrize("address", ["x@staff.example", "x@ÉCOLE.example"])
def test_what_no_search_by_domain_finds_waits_too_and_is_claimed_once(limit, monkeypatch, address):
    """A day sheet goes to a nurse; SQLite knows no capitals beyond ASCII."""
    rows = [make_reminder(kind=Kind.DAY_SHEET, due_at=NOON - MINUTE) for _ in range(4)]
    for number, row in enumerate(rows):
        User.objects.filter(pk=row.nurse.user_id).update(email=f"{number}{address}")
        Site.objects.filter(pk=row.day_site_id).update(sends_day_sheet=True)
    assert dict(send_due()) == {"sent": 2, "paced": 2}
    assert Counter(Reminder.objects.values_list("due_at", flat=True)) == {NOON - MINUTE: 2, NOON + MINUTE: 2}


@pytest.mark.parametrize("per_minute", [2, 0])
@pytest.mark.parametrize("sent", [2, pacing.CLOSED])
def test_a_clock_that_was_set_back_stops_no_mail(settings, per_minute, sent):
    settings.REMINDER_DOMAIN_PER_MINUTE = per_minute
    ahead = int(NOON.timestamp()) // 60 + 60
    DomainPace.objects.create(domain=DOMAIN, minute=ahead, sent=sent)
    assert pacing.reserve({DOMAIN: 2}, NOON) == {DOMAIN: 2}
    assert pacing.next_turn(DOMAIN, NOON) == NOON + MINUTE


@pytest.mark.parametrize("per_minute", [300, 0])
def test_a_domain_that_asks_for_less_is_left_alone_by_all_senders_for_a_while(
    settings, monkeypatch, time_machine, per_minute
):
    settings.REMINDER_DOMAIN_PER_MINUTE = per_minute
    first, second, other = (owed_to(address) for address in (f"a@{DOMAIN}", f"b@{DOMAIN}", "c@other.example"))
    backend = "django.core.mail.backends.locmem.EmailBackend.send_messages"
    take = mail.backends.locmem.EmailBackend.send_messages

    def busy(self, messages):
        if messages[0].to[0].endswith(DOMAIN):
            raise smtplib.SMTPRecipientsRefused({messages[0].to[0]: (450, b"4.7.1 too many messages, slow down")})
        return take(self, messages)

    monkeypatch.setattr(backend, busy)
    assert dict(send_due()) == {"retried": 1, "paced": 1, "sent": 1}
    monkeypatch.undo()
    second.refresh_from_db()
    assert (second.tries, second.due_at) == (0, NOON + 2 * MINUTE)
    assert pacing.reserve({DOMAIN: 1, "other.example": 1}, NOON + MINUTE) == {DOMAIN: 0, "other.example": 1}
    time_machine.move_to(NOON + 2 * MINUTE)
    assert dict(send_due()) == {"sent": 2}
    assert set(Reminder.objects.values_list("pk", "tries")) == {(first.pk, 2), (second.pk, 1), (other.pk, 1)}


@pytest.mark.parametrize(
    ("answer", "less"),
    [
        ("421 4.3.2 closing", True),
        ("450 4.7.1 Too many messages", True),
        ("451 rate limit exceeded", True),
        ("452 4.2.2 mailbox full", False),
        ("450 greylisted, try again", False),
        ("550 too many complaints", False),
        ("TimeoutError: slow", False),
    ],
)
def test_which_answers_ask_for_less(answer, less):
    assert pacing.asks_for_less(answer) is less


def test_a_domain_is_what_follows_the_last_sign():
    assert Counter(map(pacing.domain_of, ["A@Ex.org", '"a@b"@ex.org ', ""])) == {"ex.org": 2, "": 1}


def test_the_next_turn_is_the_next_minute():
    assert pacing.next_turn(DOMAIN, NOON + dt.timedelta(seconds=20)) == NOON + MINUTE
