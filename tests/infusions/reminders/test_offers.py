"""Mails of waitlist offers: planned once, decided at sending, never at night, and shown to staff like all others."""

import datetime as dt

import pytest
from django.core import mail
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.facility.models import Site
from infusions.orders.models import OrderStatus
from infusions.reminders import links
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import plan_reminders, resend_reminder, send_due
from infusions.reminders.wording import write_message
from infusions.scheduling.models import OfferState
from infusions.scheduling.waitlist_services import close_entry
from patients.models import Channel
from patients.services import set_contact_consent
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 16, tzinfo=dt.UTC)  # a Monday, noon in New York
DAY = dt.date(2026, 6, 3)
START = dt.datetime(2026, 6, 3, 13, tzinfo=dt.UTC)  # 09:00 there
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def place():
    """One chair and one nurse, free on Wednesday."""
    site = make_site(name="Riverside", phone="555 0100", offer_hours=4)
    make_chair(site=site)
    make_shift(nurse=make_nurse(site=site), site=site, day=DAY)
    return site


def offered(place, *, mail=True, instead_of=None, order=None, **fields):
    order = order or make_order(patient=make_patient(chosen_name="Mia"), infusion_minutes=180)
    entry = make_entry(order=order, site=place, notice_hours=2, instead_of=instead_of)
    if mail is not None:
        set_contact_consent(patient=entry.patient, channel=Channel.EMAIL, consents=mail, by=None)
    return make_offer(entry=entry, start=START, **{"expires_at": NOON + 4 * HOUR, **fields})


def rows():
    return list(Reminder.objects.filter(kind=Kind.OFFER).order_by("pk").values_list("offer", "kind", "state", "reason"))


def test_each_open_offer_gets_one_message_however_often_it_is_planned(place):
    offer = offered(place)
    offered(place, state=OfferState.DECLINED)
    plan_reminders()
    plan_reminders()
    assert rows() == [(offer.pk, Kind.OFFER, ReminderState.OWED, "")]
    assert send_due() == {"sent": 1}
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([offer.patient.email], "A time is free on Wednesday, June 3, 2026")
    assert [name for name, *_ in message.attachments] == []
    event = AuditEvent.objects.get(action="reminder.sent")
    assert (event.patient_id, event.site_id, event.detail) == (
        offer.patient.public_id,
        place.public_id,
        {"kind": "offer", "offer": offer.public_id},
    )


def test_planning_also_ends_offers_that_nobody_answered(place):
    offer = offered(place, expires_at=NOON)
    plan_reminders()
    offer.refresh_from_db()
    assert (offer.state, rows()) == (OfferState.EXPIRED, [])


def test_the_mail_says_when_until_when_and_what_it_would_replace(place):
    order = make_order(patient=make_patient(chosen_name="Mia"), infusion_minutes=180)
    visit = make_appointment(order=order, site=place, start=START + dt.timedelta(days=7))
    offered(place, order=order, instead_of=visit)
    plan_reminders()
    message = write_message(Reminder.objects.get(kind=Kind.OFFER))
    for line in (
        "  Wednesday, June 3, 2026",
        "  09:00, planned until 13:00",
        "It would replace your appointment on Wednesday, June 10, 2026 at 09:00, "
        "which stays booked until you take the new time.",
        "To take it or to decline, until Monday, June 1, 2026, 16:00:",
    ):
        assert line in message.text.splitlines()
    for words in ("http://127.0.0.1:8000/o/", "Monday, June 1, 2026, 16:00", "555 0100"):
        assert words in message.text
        assert words in message.html


def end(offer):
    close_entry(entry=offer.entry, reason="Found", by=offer.offered_by)


def take(offer):
    site = offer.site
    nurse = site.shifts.get().nurse
    make_appointment(site=site, chair=site.chairs.get(), nurse=nurse, start=START)


def silence(offer):
    set_contact_consent(patient=offer.patient, channel=Channel.EMAIL, consents=False, by=None)


def forget_address(offer):
    type(offer.patient).objects.filter(pk=offer.patient.pk).update(email="")


def stop_order(offer):
    type(offer.order).objects.filter(pk=offer.order.pk).update(status=OrderStatus.STOPPED)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (end, Reason.OFFER_OVER),
        (take, Reason.OFFER_TAKEN),
        (silence, Reason.NO_CONSENT),
        (forget_address, Reason.NO_ADDRESS),
        (stop_order, Reason.ORDER_STOPPED),
    ],
)
def test_whether_it_goes_is_decided_when_it_would_go(place, happens, reason):
    offer = offered(place)
    plan_reminders()
    happens(offer)
    assert send_due() == {"skipped": 1}
    assert rows() == [(offer.pk, Kind.OFFER, ReminderState.SKIPPED, reason)]
    assert mail.outbox == []


def test_an_offer_that_ended_before_it_could_be_sent_is_not_sent(place):
    offered(place)
    plan_reminders()
    assert send_due(now=NOON + 4 * HOUR) == {"skipped": 1}
    assert Reminder.objects.get().reason == Reason.OFFER_EXPIRED


def test_at_night_it_waits_for_a_decent_hour_or_is_left_to_the_telephone(place):
    at_night = NOON + 10 * HOUR  # 22:00; mails go from 08:00 on
    patient, short = offered(place, expires_at=NOON + 24 * HOUR), offered(place, expires_at=NOON + 19 * HOUR)
    plan_reminders(now=at_night)
    assert list(
        Reminder.objects.filter(kind=Kind.OFFER).order_by("pk").values_list("offer", "state", "reason", "due_at")
    ) == [
        (patient.pk, ReminderState.OWED, "", NOON + 20 * HOUR),
        (short.pk, ReminderState.SKIPPED, Reason.OFFER_NIGHT, NOON + 20 * HOUR),
    ]


def test_what_was_planned_by_day_and_is_sent_late_does_not_go_at_night_either(place):
    offered(place, expires_at=NOON + 19 * HOUR)
    plan_reminders()
    assert send_due(now=NOON + 10 * HOUR) == {"skipped": 1}
    assert Reminder.objects.get().reason == Reason.OFFER_NIGHT


def test_an_offer_can_be_sent_again_while_it_stands(place):
    offer = offered(place)
    plan_reminders()
    send_due()
    again = resend_reminder(reminder=Reminder.objects.get(), reason="Address was corrected", by=offer.offered_by)
    assert (again.offer, again.appointment, again.resend_no) == (offer, None, 1)
    assert send_due() == {"sent": 1}
    assert len(mail.outbox) == 2


def test_staff_see_offers_among_the_messages_of_their_site_only(place, client_for):
    offer = offered(place)
    plan_reminders()
    row = Reminder.objects.get()
    stranger = client_for("scheduler")
    assert stranger.get(reverse("reminders:reminder-detail", args=[row.public_id])).status_code == 404
    assert offer.patient.name not in stranger.get(reverse("reminders:reminder-list")).content.decode()
    colleague = signed_in(make_staff(role="scheduler", site=place))
    listed = colleague.get(reverse("reminders:reminder-list") + f"?patient={offer.patient.public_id}&kind=offer")
    assert [reminder.public_id for reminder in listed.context["page"]] == [row.public_id]
    page = colleague.get(reverse("reminders:reminder-detail", args=[row.public_id])).content.decode()
    assert "A time is free on Wednesday, June 3, 2026" in page
    assert "/o/" not in page  # or staff could answer in the patient's place


def test_who_belongs_to_no_site_sees_no_offers(place, client):
    offer = offered(place)
    plan_reminders()
    force_login(client, make_staff(role="scheduler"))
    assert Site.objects.count() == 1
    assert offer.patient.name not in client.get(reverse("reminders:reminder-list")).content.decode()


def test_the_stop_link_of_an_offer_stops_mails(place, client):
    offer = offered(place)
    url = reverse("reminders:stop", args=[links.stop_token(offer)])
    assert client.get(url).status_code == 200
    client.post(url, {"mails": "off"})
    assert not offer.patient.contact_preferences.order_by("-pk").first().consents


def signed_in(user):
    from django.test import Client

    client = Client()
    force_login(client, user)
    return client
