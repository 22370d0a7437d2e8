"""What providers report at the real addresses, with what they really post; and what is refused there."""

import pytest

from infusion_center.audit.models import AuditEvent
from infusions.reminders.delivery import message_id_of
from infusions.reminders.delivery_models import BlockCause, BlockedAddress, MailEvent, MailEventKind
from infusions.reminders.models import Reminder, ReminderState
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.provider_posts import (
    SECRET,
    SIGNING_KEY,
    mailgun,
    post,
    postmark_bounce,
    postmark_delivery,
)
from tests.infusions.reminders.scene import NOON, VISIT_DAY

pytestmark = pytest.mark.django_db
BOUNCED, COMPLAINED = MailEventKind.BOUNCED, MailEventKind.COMPLAINED


@pytest.fixture(autouse=True)
def _noon(time_machine, settings):
    time_machine.move_to(NOON, tick=False)
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": [SECRET], "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}


@pytest.fixture
def reminder():
    sent = make_reminder(
        appointment=make_appointment(day=VISIT_DAY), state=ReminderState.CLAIMED, provider_id="their-id"
    )
    values = {"state": ReminderState.SENT, "settled_at": NOON, "lease_until": None, "message_id": message_id_of(sent)}
    Reminder.objects.filter(pk=sent.pk).update(**values)
    return Reminder.objects.with_visit().get(pk=sent.pk)


def events() -> list[tuple]:
    return list(MailEvent.objects.order_by("pk").values_list("reminder", "kind", "detail"))


def blocks() -> list[tuple]:
    return list(BlockedAddress.objects.order_by("pk").values_list("address", "cause", "lifted_at"))


@pytest.mark.parametrize("known_by", ["metadata", "id"])
def test_a_hard_bounce_is_noted_and_blocks_the_address(client, reminder, known_by):
    assert post(client, "postmark", postmark_bounce(reminder, known_by=known_by)).status_code == 200
    assert events() == [(reminder.pk, BOUNCED, "smtp;550 5.1.1 The email account does not exist.")]
    assert blocks() == [(reminder.patient.email, BlockCause.BOUNCED, None)]
    trail = AuditEvent.objects.get(action="address.blocked")
    assert (trail.patient_id, trail.actor_id, trail.detail) == (reminder.patient.public_id, None, {"cause": "bounced"})
    assert reminder.patient.email not in trail.target_name


@pytest.mark.parametrize(
    ("provider", "payload", "kind", "cause"),
    [
        ("postmark", lambda one: postmark_bounce(one, "SpamComplaint"), "complained", BlockCause.COMPLAINED),
        ("postmark", lambda one: postmark_bounce(one, "SoftBounce"), "bounced", None),
        ("postmark", lambda one: postmark_bounce(one, "Transient"), "deferred", None),
        ("postmark", lambda one: postmark_bounce(one, "DMARCPolicy"), "bounced", None),
        ("postmark", lambda one: postmark_bounce(one, "BadEmailAddress"), "bounced", BlockCause.BOUNCED),
        ("postmark", postmark_delivery, "delivered", None),
        ("postmark", lambda one: postmark_bounce(one, "AutoResponder"), None, None),
        ("mailgun", lambda one: mailgun(one, "delivered"), "delivered", None),
        ("mailgun", lambda one: mailgun(one, "deferred"), "deferred", None),
        ("mailgun", lambda one: mailgun(one, "bounced"), "bounced", BlockCause.BOUNCED),
        ("mailgun", lambda one: mailgun(one, "complained"), "complained", BlockCause.COMPLAINED),
    ],
)
def test_each_report_means_what_it_says(client, reminder, provider, payload, kind, cause):
    assert post(client, provider, payload(reminder)).status_code == 200
    assert [row[:2] for row in events()] == ([(reminder.pk, kind)] if kind else [])
    assert blocks() == ([(reminder.patient.email, cause, None)] if cause else [])


def test_reports_told_twice_or_in_the_wrong_order_mean_the_same(client, reminder):
    for _ in range(2):
        for payload in (postmark_bounce(reminder), postmark_delivery(reminder)):
            assert post(client, "postmark", payload).status_code == 200
    assert [kind for _, kind, _ in events()] == [BOUNCED, MailEventKind.DELIVERED]
    assert blocks() == [(reminder.patient.email, BlockCause.BOUNCED, None)]


def test_a_second_bounce_leaves_the_first_block_and_an_older_one_does_not_undo_a_lift(client, reminder, scheduler):
    post(client, "postmark", postmark_bounce(reminder))
    post(client, "postmark", postmark_bounce(reminder, at="2026-06-01T16:06:00Z"))
    BlockedAddress.objects.update(lifted_at="2026-06-01T17:00:00Z", lifted_by=scheduler, lift_reason="Mended")
    post(client, "postmark", postmark_bounce(reminder, at="2026-06-01T16:07:00Z"))
    assert BlockedAddress.objects.filter(lifted_at=None).count() == 0
    post(client, "postmark", postmark_bounce(reminder, at="2026-06-01T18:00:00Z"))
    assert [lifted is None for *_, lifted in blocks()] == [False, True]
    assert MailEvent.objects.count() == 4


def test_a_mail_that_is_not_ours_blocks_only_an_address_that_some_patient_has(client):
    make_patient(email="Known@Example.org")
    for address in ("nobody@example.org", "known@example.org"):
        assert post(client, "postmark", postmark_bounce(None, to=address)).status_code == 200
    assert [row[:2] for row in events()] == [(None, BOUNCED), (None, BOUNCED)]
    assert blocks() == [("known@example.org", BlockCause.BOUNCED, None)]


def test_what_a_database_cannot_keep_is_left_out(client, reminder):
    payload = postmark_bounce(reminder) | {"Details": "x\x00y" * 200}
    assert post(client, "postmark", payload).status_code == 200
    assert events()[0][2] == ("xy" * 200)[:200]


@pytest.mark.parametrize("field", ["MessageID", "Email"])
def test_nothing_is_looked_up_by_what_a_database_cannot_hold(client, reminder, field):
    payload = postmark_bounce(None, to="nobody@example.org") | {field: "x\x00y@example.org"}
    assert post(client, "postmark", payload).status_code == 200
    assert [row[:2] for row in events()] == [(None, BOUNCED)]


@pytest.mark.parametrize("secret", ["reports:wrong", "", SECRET.upper()])
def test_a_wrong_secret_is_refused_and_nothing_is_written(client, reminder, secret):
    for provider, payload in (("postmark", postmark_bounce(reminder)), ("mailgun", mailgun(reminder, "bounced"))):
        assert post(client, provider, payload, secret).status_code == 400
    assert (events(), blocks(), AuditEvent.objects.count()) == ([], [], 0)


def test_a_forged_signature_is_refused_even_with_the_secret(client, reminder):
    assert post(client, "mailgun", mailgun(reminder, "bounced", key="another key")).status_code == 400
    assert (events(), blocks()) == ([], [])


def test_without_a_secret_or_the_provider_s_key_no_report_is_taken(client, reminder, settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET]}
    assert post(client, "mailgun", mailgun(reminder, "bounced")).status_code == 404
    settings.ANYMAIL = {"WEBHOOK_SECRET": [], "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}
    for provider, payload in (("postmark", postmark_bounce(reminder)), ("mailgun", mailgun(reminder, "bounced"))):
        assert post(client, provider, payload).status_code == 404
    assert (events(), blocks()) == ([], [])
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET]}
    assert client.get("/anymail/postmark/tracking/").status_code == 405
    assert client.head("/anymail/postmark/tracking/").status_code == 200  # how some providers try the address
