"""A cancelled morning finds its patient: from the waitlist by mail and link, and the slower ones are told kindly."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse

from infusion_center.core import clock
from infusions.reminders.words import stems_in
from infusions.scheduling.models import Appointment, WaitlistEntry
from patients.models import Channel
from patients.services import set_contact_consent
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.journeys import steps
from tests.journeys.reader import Walker
from tests.journeys.steps import VISIT_DAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def center(time_machine):
    return steps.open_center(time_machine)


def wait_for_a_time(center, desk: Walker, name: str, *, mailed: bool = True, earlier: bool = False) -> WaitlistEntry:
    """The desk puts the patient on the list from his order."""
    patient = make_patient(chosen_name=name, email=f"{name.lower()}@example.org", phone="+12125550143")
    set_contact_consent(patient=patient, channel=Channel.EMAIL, consents=mailed, by=center.people["scheduler"])
    order = make_order(patient=patient, infusion_minutes=145)
    if earlier:
        make_appointment(order=order, chair=center.chair, nurse=center.nurse, day=VISIT_DAY + dt.timedelta(days=3))
    desk.open(reverse("orders:order-detail", args=[order.public_id])).follow("Waitlist")
    days = {"first_on": VISIT_DAY.isoformat(), "last_on": VISIT_DAY.isoformat()}
    desk.press("Put on the waitlist", days | {"notice_hours": "12"})
    return WaitlistEntry.objects.get(order=order)


def link_in(message) -> Walker:
    link = re.search(r"https?://[^/\s]+(/o/\S+)", message.body).group(1)
    return Walker(Client(enforce_csrf_checks=True)).open(link)


def test_a_cancelled_morning_is_offered_by_mail_and_goes_to_who_presses_first(center):
    desk = center.walk("scheduler")
    visit = make_appointment(chair=center.chair, nurse=center.nurse, day=VISIT_DAY)
    asked = [wait_for_a_time(center, desk, "Anna"), wait_for_a_time(center, desk, "Berta", earlier=True)]
    silent = wait_for_a_time(center, desk, "Clara", mailed=False)
    steps.send_reminders()

    # Cancelled at the desk: the page of who fits comes by itself, and the one without mail is there to be called.
    desk.open(reverse("scheduling:appointment-detail", args=[visit.public_id])).follow("Cancel visit")
    desk.press("Cancel visit", {"reason": "Ill"})
    assert desk.url == reverse("scheduling:slot-freed", args=[visit.public_id])
    assert [match.entry for match in desk.page.context["matches"]] == [*asked, silent]
    assert "tel:+12125550143" in desk.text
    desk.press("Send an offer by mail", {"entry": [entry.public_id for entry in asked]})
    assert "2 offers will be sent within a minute." in desk.text

    # The worker sends both, with a link that shows and does nothing by itself.
    mails = {message.to[0]: message for message in steps.send_reminders() if "/o/" in message.body}
    assert sorted(mails) == ["anna@example.org", "berta@example.org"]
    assert all(stems_in(message.body + message.subject) == [] for message in mails.values())
    assert "It would replace your appointment on Thursday, June 11, 2026" in mails["berta@example.org"].body
    anna, berta = link_in(mails["anna@example.org"]), link_in(mails["berta@example.org"])
    assert Appointment.objects.filter(start=center.at("09:00")).exclude(pk=visit.pk).count() == 0

    # Berta presses first: her visit comes earlier. Anna is told, and stays on the list.
    berta.press("Yes, move my appointment")
    assert "It is yours. See you then" in berta.text
    anna.press("Yes, book it for me")
    assert "This time has gone" in anna.text
    assert "You stay on our list" in anna.text
    moved = Appointment.objects.get(order=asked[1].order)
    assert (moved.start, moved.version, moved.state) == (center.at("09:00"), 2, "expected")
    assert [entry.state for entry in WaitlistEntry.objects.order_by("pk")] == ["waiting", "booked", "waiting"]

    # She gets her new time by mail; the desk sees who took what, and Thursday morning is free for the others.
    assert {message.to[0]: message.subject for message in steps.send_reminders()} == {
        "berta@example.org": "New time: your appointment on Monday, June 8, 2026",
    }
    desk.open(reverse("scheduling:slot-freed", args=[visit.public_id]))
    assert "Accepted" in desk.text
    assert "Taken by somebody else" in desk.text
    assert steps.written_about(moved.patient)[-3:] == ["waitlist.booked", "reminder.skipped", "reminder.sent"]
    assert clock.now() == center.at("08:00", steps.MONDAY)
