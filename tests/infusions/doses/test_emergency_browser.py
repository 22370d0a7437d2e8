"""The emergency card in a real Chromium: one tap over an infusion, its clock, and a tablet without network."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from infusion_center.core import clock
from infusions.scheduling.states import State
from tests.factories.accounts import force_login
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_nurse, make_site
from tests.factories.scheduling import make_appointment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEPT = """async () => {
  const names = await caches.keys();
  const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return requests.flat().map((request) => new URL(request.url)).map((url) => url.pathname + url.search);
}"""

IN_CHARGE = """async () => {
  while (!navigator.serviceWorker.controller) await new Promise((again) => setTimeout(again, 50));
}"""


@pytest.fixture(autouse=True)
def morning():
    """The browser and the server live by the real clock here."""
    return


@pytest.fixture
def page(chromium, live_server):
    """An infusion on the tablet of its nurse, with the worker in charge."""
    nurse = make_nurse(site=make_site(weekdays=range(7), opens="00:00", closes="23:59"))
    site = nurse.user.site_memberships.get().site
    start = clock.now() - dt.timedelta(minutes=40)
    visit = make_appointment(nurse=nurse, site=site, start=start, state=State.IN_PROGRESS)
    make_dose_record(visit, by=nurse.user)
    client = Client()
    force_login(client, nurse.user)
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, has_touch=True)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + reverse("doses:dose-detail", args=[visit.public_id]))
    page.evaluate(IN_CHARGE)
    yield page
    context.close()


def test_one_tap_shows_the_card_and_the_clock_without_a_network(page, axe):
    page.context.set_offline(True)
    page.get_by_role("link", name="Emergency").tap()
    card = page.get_by_role("dialog")
    expect(card.get_by_text("Epinephrine 0.3 to 0.5 mg")).to_be_visible()
    card.get_by_role("button", name="Given now").tap()
    expect(card.get_by_text("Repeat from")).to_be_visible()
    assert axe(page) == []
    card.get_by_role("button", name="Close").tap()
    expect(card).to_be_hidden()


def test_a_tablet_without_network_shows_the_card_wherever_it_goes_and_has_kept_nothing_else(page):
    page.get_by_role("link", name="My patients").tap()
    page.wait_for_url("**/tablet/")
    kept = page.evaluate(KEPT)
    pages = [address for address in kept if not address.endswith(".css")]
    assert (pages, len(kept)) == (["/emergency/card/?offline=1"], 7)
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("No network.")).to_be_visible()
    expect(page.get_by_text("Stop the infusion.")).to_be_visible()
    border = page.locator(".emergency").evaluate("(panel) => getComputedStyle(panel).borderTopWidth")
    assert border == "2px"  # its style sheets are there
    page.context.set_offline(False)
    page.get_by_role("link", name="Try again").tap()
    expect(page.get_by_role("heading", name="My patients")).to_be_visible()
