"""A start checked beside the search in a real Chromium: the answer comes without leaving what was typed."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from infusions.facility.models import Closure
from infusions.scheduling.models import Appointment
from tests.factories.accounts import force_login
from tests.factories.orders import make_order
from tests.infusions.scheduling.conftest import DAY, make_center
from tests.infusions.scheduling.support import url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_checked_start_is_explained_in_place_and_the_nearest_is_booked(chromium, live_server, axe):
    center, order = make_center(), make_order(infusion_minutes=180)
    Closure.objects.create(site=center.site, starts_on=DAY, ends_on=DAY, reason="Staff day")
    client = Client()
    force_login(client, center.scheduler)
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + url("slot-list", order))
    page.get_by_label("Day", exact=True).fill(DAY.isoformat())
    page.locator("#id_time").fill("10:00")
    page.get_by_label("Reason").fill("Came from far")
    page.get_by_role("button", name="Check", exact=True).click()
    answer = page.locator("#_slot_why")
    expect(answer).to_contain_text("is closed on Tue 3 Mar 2026: Staff day.")
    expect(page.get_by_label("Reason")).to_have_value("Came from far")
    assert page.url == live_server.url + url("slot-list", order)
    assert axe(page) == []
    answer.get_by_role("button", name="Book").first.click()
    expect(page.get_by_text("is booked")).to_be_visible()
    context.close()
    assert Appointment.objects.get().start == center.at("10:00", DAY.replace(day=2))
