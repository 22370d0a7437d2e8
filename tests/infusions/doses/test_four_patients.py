"""One nurse runs four infusions at once from My patients, by touch on a tablet; the taps of each act are counted."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from infusion_center.core import clock
from infusions.doses.models import DoseRecord, DoseState
from infusions.scheduling.states import State
from tests.factories.accounts import force_login
from tests.factories.doses import make_dose_record, make_rate, make_vital_signs
from tests.factories.facility import make_chair, make_nurse, make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.infusions.doses.conftest import make_passed
from tests.infusions.doses.test_browser import SMALL

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"landscape": (1024, 768), "portrait": (768, 1024)}
PASSWORD = "correct horse battery"
SIGNS = {"Systolic": "121", "Diastolic": "72", "Pulse": "70", "Temperature": "36.6"}
# The large buttons of the chairside, lower than 64 px.
LOW = """() => [...document.querySelectorAll('main :is(.btn-lg, .btn-wide)')].filter(e => e.checkVisibility())
  .filter(e => e.getBoundingClientRect().height < 64).map(e => e.textContent.trim())"""


@pytest.fixture(autouse=True)
def morning():
    """The browser and the server live by the real clock here."""
    return


@pytest.fixture
def nurse(transactional_db):
    """At a site where it is about noon now, so that all four visits are of today."""
    offset = 12 - clock.now().hour
    site = make_site(weekdays=range(7), opens="00:00", closes="23:59", time_zone=f"Etc/GMT{-offset:+d}")
    return make_nurse(site=site)


def visit_of(nurse, name: str, minutes_ago: int, state=State.IN_PROGRESS):
    site = nurse.user.site_memberships.get().site
    return make_appointment(
        order=make_order(patient=make_patient(family_name=name, given_name="Pat")),
        nurse=nurse,
        site=site,
        chair=make_chair(site=site, name=f"Chair {name}"),
        start=clock.now() - dt.timedelta(minutes=minutes_ago),
        state=state,
    )


def make_four(nurse) -> dict[str, DoseRecord]:
    """Ready to start; a step due; the whole dose in; to be signed."""
    ready = visit_of(nurse, "Alder", 15, State.ARRIVED)
    make_passed(ready, when=clock.now() - dt.timedelta(minutes=10))
    climbing = make_dose_record(visit_of(nurse, "Birch", 61), by=nurse.user)
    full = make_dose_record(visit_of(nurse, "Cedar", 150), by=nurse.user)
    make_rate(full, "step", clock.now() - dt.timedelta(minutes=56), 336, step=5)
    make_vital_signs(full, "during", clock.now() - dt.timedelta(minutes=8))
    over = visit_of(nurse, "Damson", 320, State.COMPLETED)
    return {
        "Alder": make_dose_record(ready, state=DoseState.PREPARING, by=nurse.user),
        "Birch": climbing,
        "Cedar": full,
        "Damson": make_dose_record(over, state=DoseState.ENDED, by=nurse.user),
    }


class Tablet:
    """A page that counts its taps."""

    def __init__(self, page, look):
        self.page, self.look, self.taps = page, look, 0

    def tap(self, role: str, name: str):
        found = self.page.get_by_role("main").get_by_role(role, name=name).first
        found.tap()
        self.taps += 1

    def open_card(self, name: str):
        self.page.goto(reverse("doses:my-patients"))
        self.taps = 0
        self.page.locator(".dose-card", has_text=name).tap()
        self.taps += 1
        self.page.wait_for_url("**/infusion/")
        self.look(self.page)

    def told(self, words: str) -> int:
        """Waits until the page says so; the taps so far."""
        expect(self.page.get_by_text(words).first).to_be_visible()
        return self.taps

    def fill(self, fields: dict):
        for label, text in fields.items():
            self.page.get_by_label(label).first.fill(text)


@pytest.fixture
def open_tablet(chromium, live_server, nurse, axe):
    client, contexts, faults = Client(), [], []
    force_login(client, nurse.user)

    def look(page):
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        wide_screen = page.viewport_size["width"] > page.viewport_size["height"]  # axe finds the same in both
        found = [
            *(axe(page) if wide_screen else []),
            *page.evaluate(SMALL),
            *page.evaluate(LOW),
            *(["scrolls sideways"] if wide else []),
        ]
        faults.extend(f"{page.url.split('/infusion/')[-1]}: {fault}" for fault in found)

    def opened(size):
        width, height = SIZES[size]
        viewport = {"width": width, "height": height}
        context = chromium.new_context(viewport=viewport, has_touch=True, base_url=live_server.url)
        contexts.append(context)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        return Tablet(page, look)

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.mark.parametrize("size", SIZES)
def test_one_nurse_runs_four_infusions_at_once(nurse, open_tablet, size):
    four, tablet, taps = make_four(nurse), open_tablet(size), {}
    tablet.page.goto(reverse("doses:my-patients"))
    tablet.look(tablet.page)
    cards = tablet.page.locator(".dose-card")
    names = [text.split(",")[0] for text in cards.locator(".dose-card-name").all_inner_texts()]
    assert (sorted(names), names[0], names[-2:]) == (sorted(four), "Birch", ["Damson", "Alder"])

    tablet.open_card("Birch")
    others = tablet.page.get_by_role("navigation", name="Other patients waiting")
    expect(others.get_by_role("link")).to_have_count(2)
    tablet.fill(SIGNS)
    tablet.tap("button", "Save, and step up to 42 mL/h")
    taps["vital signs and step"] = tablet.told("The pump runs at 42 mL/h.")

    tablet.open_card("Alder")
    tablet.tap("button", "Start at 21 mL/h")
    taps["start"] = tablet.told("The infusion runs.")

    tablet.open_card("Cedar")
    tablet.tap("link", "Pause")
    tablet.tap("button", "Bathroom")
    taps["pause"] = tablet.told("Paused.")
    tablet.tap("button", "Resume")
    taps["resume"] = tablet.told("Resumed at 336 mL/h.") - taps["pause"]
    tablet.tap("button", "End: the whole dose is in")
    tablet.told("The infusion has ended.")
    tablet.tap("button", "Flushed with 0.9% saline 50 mL")
    taps["end and flush"] = tablet.told("Saved: 0.9% saline 50 mL") - taps["pause"] - taps["resume"]

    tablet.open_card("Damson")
    tablet.fill({"Your own password": PASSWORD})
    tablet.tap("button", "Sign as")
    taps["sign"] = tablet.told("Signed.")

    assert taps == {"vital signs and step": 2, "start": 2, "pause": 3, "resume": 1, "end and flush": 2, "sign": 2}
    states = {name: DoseRecord.objects.get(pk=record.pk).state for name, record in four.items()}
    assert states == {"Alder": "infusing", "Birch": "infusing", "Cedar": "observing", "Damson": "signed"}


def test_the_sound_is_off_until_asked_for_and_tells_what_becomes_overdue(nurse, open_tablet):
    record = make_dose_record(visit_of(nurse, "Birch", 41), by=nurse.user)
    tablet = open_tablet("landscape")
    page = tablet.page
    page.goto(reverse("doses:my-patients"))
    toggle = page.get_by_role("button", name="Sound")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    toggle.tap()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(page.locator("html")).to_have_attribute("data-beeps", "1")
    page.locator(".due-clock").evaluate("clock => { clock.dataset.latest = clock.dataset.due = '1'; }")
    expect(page.locator("#alarm")).to_contain_text(f"{record.patient.name}: Vital signs")
    expect(page.locator("html")).to_have_attribute("data-beeps", "2")
    page.reload()
    expect(toggle).to_have_attribute("aria-pressed", "true")
