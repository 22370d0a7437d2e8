"""Addresses where mail is in vain: what is not sent there, and how a block ends."""

import datetime as dt

import pytest
from django.core import mail
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.reminders.blocks import blocked_causes, lift_block
from infusions.reminders.delivery_models import BlockCause, BlockedAddress
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import resend_reminder, send_due
from tests.factories.mail_events import make_block, make_mail_event
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, VISIT_DAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def patient():
    return make_patient(email="Ann@Example.org", phone="+12125550123")


@pytest.fixture
def appointment(site, patient):
    return make_appointment(site=site, patient=patient, day=VISIT_DAY)


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.ADVICE])
@pytest.mark.parametrize("cause", list(BlockCause))
def test_nothing_is_sent_to_a_blocked_address(appointment, patient, kind, cause):
    reminder = make_reminder(appointment=appointment, kind=kind)
    make_block(patient.email, cause=cause)
    assert dict(send_due()) == {"skipped": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.reason, mail.outbox) == (ReminderState.SKIPPED, Reason(cause.value), [])


def test_a_lifted_block_or_a_corrected_address_lets_mail_through(appointment, patient, scheduler):
    block = make_block(patient.email)
    patient.email = "ann@elsewhere.example"
    patient.save()
    make_reminder(appointment=appointment)
    assert dict(send_due()) == {"sent": 1}
    patient.email = "ann@example.org"
    patient.save()
    lift_block(block=block, reason="Mailbox was full", by=scheduler)
    make_reminder(appointment=appointment, kind=Kind.DAYS_3)
    assert dict(send_due()) == {"sent": 1}
    trail = AuditEvent.objects.get(action="address.unblocked")
    assert (trail.patient_id, trail.actor_id) == (patient.public_id, scheduler.pk)


def test_many_addresses_are_asked_about_at_once(django_assert_num_queries):
    make_block("a@example.org")
    make_block("b@example.org", cause=BlockCause.COMPLAINED)
    with django_assert_num_queries(1):
        found = blocked_causes(["A@example.org", "b@example.org", "c@example.org", ""])
    assert found == {"a@example.org": BlockCause.BOUNCED, "b@example.org": BlockCause.COMPLAINED}
    with django_assert_num_queries(0):
        assert blocked_causes([""]) == {}


@pytest.mark.parametrize(
    ("cause", "remedy"), [(BlockCause.BOUNCED, "Correct the address"), (BlockCause.COMPLAINED, "Call the patient")]
)
def test_sending_again_to_a_blocked_address_is_refused_with_what_to_do(appointment, patient, scheduler, cause, remedy):
    sent = make_reminder(appointment=appointment, state=ReminderState.SENT)
    make_block(patient.email, cause=cause)
    with pytest.raises(RuleViolation) as refused:
        resend_reminder(reminder=sent, reason="Please", by=scheduler)
    assert (refused.value.codes, remedy in refused.value.problems[0].remedy) == ({f"not-sendable-{cause.value}"}, True)
    assert Reminder.objects.count() == 1


def test_a_block_is_lifted_once_and_with_a_reason(patient, scheduler):
    block = make_block(patient.email)
    for reason, code in ((" ", "reason-missing"), ("Mended", None), ("Mended", "not-blocked")):
        if code is None:
            lift_block(block=block, reason=reason, by=scheduler)
            continue
        with pytest.raises(RuleViolation) as refused:
            lift_block(block=block, reason=reason, by=scheduler)
        assert refused.value.codes == {code}
    again = make_block(patient.email)
    assert list(BlockedAddress.objects.filter(lifted_at=None)) == [again]


def test_chart_and_message_say_that_mail_comes_back_and_lead_to_lifting(client_for, appointment, patient):
    reminder = make_reminder(appointment=appointment, state=ReminderState.SENT)
    make_mail_event(reminder=reminder, kind="deferred", detail="452 try later")
    block = make_block(patient.email, reminder=reminder)
    lift = reverse("reminders:block-lift", args=[block.public_id])
    pages = [patient.get_absolute_url(), reverse("reminders:reminder-detail", args=[reminder.public_id])]
    for role, is_led in (("scheduler", True), ("nurse", False)):
        for page in pages:
            text = client_for(role).get(page).content.decode()
            assert ("Mail to ann@example.org came back" in text, lift in text) == (True, is_led)
    assert ("Delayed by the receiver" in text, "452 try later" in text) == (True, True)
    client = client_for("scheduler")
    assert client.post(lift, {"reason": ""}).context["form"].errors == {"reason": ["This field is required."]}
    done = client.post(lift, {"reason": "Mailbox was full"})
    block.refresh_from_db()
    assert (done.url, block.lift_reason) == (patient.get_absolute_url(), "Mailbox was full")
    assert client.get(lift).status_code == 404
    assert "came back" not in client.get(pages[0]).content.decode()


def test_the_list_holds_addresses_that_a_patient_has_now(client_for, patient, site):
    mine = make_block(patient.email)
    make_block("nobody@example.org")
    lifted = {"lifted_at": NOON + dt.timedelta(days=1), "lifted_by": patient.weights.get().recorded_by}
    make_block(make_patient().email, **lifted)
    response = client_for("nurse").get(reverse("reminders:block-list"))
    assert response.context["rows"] == [(mine, [patient])]
    page = response.content.decode()
    assert ("(212) 555-0123" in page, "Lift block" in page) == (True, False)
    assert "Lift block" in client_for("scheduler").get(reverse("reminders:block-list")).content.decode()


def test_the_list_costs_the_same_for_many(client_for, django_assert_num_queries, django_assert_max_num_queries):
    client = client_for("scheduler")
    make_block(make_patient().email)
    with django_assert_max_num_queries(10) as few:
        client.get(reverse("reminders:block-list"))
    for _ in range(5):
        make_block(make_patient().email)
    with django_assert_num_queries(len(few)):
        assert len(client.get(reverse("reminders:block-list")).context["rows"]) == 6


def test_only_who_may_send_again_may_lift(client_for, patient):
    block = make_block(patient.email)
    assert (
        client_for("nurse").post(reverse("reminders:block-lift", args=[block.public_id]), {"reason": "x"}).status_code
        == 403
    )
    block.refresh_from_db()
    assert block.lifted_at is None
