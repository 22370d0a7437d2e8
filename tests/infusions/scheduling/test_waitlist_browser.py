"""A freed time in a real Chromium: the desk asks by keyboard, the patient answers with a thumb; axe clean."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from infusion_center.core import clock
from infusions.reminders.links import offer_token
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.models import WaitlistEntry, WaitlistOffer
from patients.models import Channel
from patients.services import set_contact_consent
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_chair, make_nurse, make_site
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment, next_weekday
from tests.factories.waitlist import make_entry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _frozen_clock():
    """The browser and the server live by the real clock here."""


@pytest.fixture
def freed(transactional_db):
    """A morning some days ahead, just cancelled, and one patient with mail who waits for it."""
    site = make_site(opens="07:00", closes="19:00", phone="555 0100")
    scheduler = make_staff(role="scheduler", site=site)
    day = next_weekday(site, ahead=4)
    visit = make_appointment(site=site, chair=make_chair(site=site), nurse=make_nurse(site=site), day=day)
    entry = make_entry(order=make_order(infusion_minutes=180), site=site, by=scheduler, notice_hours=12)
    entry.last_on = day + dt.timedelta(days=7)
    entry.save()
    set_contact_consent(patient=entry.patient, channel=Channel.EMAIL, consents=True, by=scheduler)
    return cancel_appointment(appointment=visit, reason="Ill", by=scheduler)


def test_the_desk_asks_by_keyboard_and_the_patient_takes_it_with_a_thumb(chromium, live_server, freed, axe):
    client = Client()
    force_login(client, WaitlistEntry.objects.get().created_by)
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    desk = context.new_page()
    desk.goto(live_server.url + reverse("scheduling:slot-freed", args=[freed.public_id]))
    assert axe(desk) == []
    desk.get_by_role("checkbox").focus()
    desk.keyboard.press("Space")
    desk.get_by_role("button", name="Send an offer by mail").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("1 offer will be sent within a minute.")).to_be_visible()
    context.close()

    offer = WaitlistOffer.objects.get()
    thumb = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    phone = thumb.new_page()
    phone.goto(live_server.url + reverse("reminders:offer", args=[offer_token(offer)]))
    assert axe(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert min(box["height"] for box in (b.bounding_box() for b in phone.get_by_role("button").all())) >= 44
    phone.get_by_role("button", name="Yes, book it for me").tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("It is yours. See you then")
    assert axe(phone) == []
    thumb.close()
    offer.refresh_from_db()
    assert (offer.state, offer.entry.appointment.start > clock.now()) == ("accepted", True)
