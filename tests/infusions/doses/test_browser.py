"""The chairside pages in a real Chromium with touch: sizes of targets, axe, clocks that tick, an infusion by taps."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from infusion_center.core import clock
from infusions.doses.models import DoseState, RateChange, VitalSigns
from infusions.scheduling.states import State
from tests.browser import kept_in_browser, violations
from tests.factories.accounts import force_login
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_nurse, make_site
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"landscape": (1024, 768), "portrait": (768, 1024), "phone": (390, 844)}
# Every control that can be pressed, smaller than 44 px in either direction; a tile's face is its label.
SMALL = """() => [...document.querySelectorAll('main :is(a, button, summary, input:not([type=hidden])), nav a')]
  .filter(e => e.checkVisibility() && !e.closest('.patient-banner, .skip-link, .problems'))
  .map(e => e.matches('.half input') ? e.parentElement : e)
  .map(e => [e.textContent.trim() || e.name, e.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44)
  .map(([name, box]) => `${name} ${Math.round(box.width)}x${Math.round(box.height)}`)"""


@pytest.fixture(autouse=True)
def morning():
    """The browser and the server live by the real clock here."""
    return


@pytest.fixture
def nurse(transactional_db):
    return make_nurse(site=make_site(weekdays=range(7), opens="00:00", closes="23:59"))


@pytest.fixture
def open_page(chromium, live_server, nurse):
    client = Client()
    force_login(client, nurse.user)
    contexts = []

    def opened(path, size="landscape"):
        width, height = SIZES[size]
        context = chromium.new_context(viewport={"width": width, "height": height}, has_touch=True)
        contexts.append(context)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()


def started(nurse, minutes: int, state=DoseState.INFUSING):
    """A record whose visit began so long ago; the infusion began half an hour later."""
    start = clock.now() - dt.timedelta(minutes=minutes)
    visit_state = State.ARRIVED if state == DoseState.PREPARING else State.IN_PROGRESS
    site = nurse.user.site_memberships.get().site
    visit = make_appointment(order=make_order(), nurse=nurse, site=site, start=start, state=visit_state)
    return make_dose_record(visit, state=state, by=nurse.user)


def path_of(record, do="") -> str:
    return reverse("doses:dose-detail", args=[record.appointment.public_id]) + (f"?do={do}" if do else "")


def faults(page, *, by_axe: bool = True) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return [*(violations(page) if by_axe else []), *page.evaluate(SMALL), *(["scrolls sideways"] if wide else [])]


@pytest.mark.parametrize("size", SIZES)
def test_every_screen_is_accessible_and_its_targets_are_large(nurse, open_page, size):
    site = nurse.user.site_memberships.get().site
    records = [started(make_nurse(site=site), 62, DoseState(state)) for state in DoseState.values]
    by_axe = size == "portrait"  # what axe looks at is the same in every size; how large and wide things are is not
    found = {record.state: faults(open_page(path_of(record), size), by_axe=by_axe) for record in records}
    assert found == {state: [] for state in DoseState.values}


def test_every_form_is_accessible_and_its_targets_are_large(nurse, open_page):
    record, acts = started(nurse, 62), ("reaction", "step", "stay", "rate", "pause", "end")
    assert {act: faults(open_page(path_of(record, act), "portrait")) for act in acts} == {act: [] for act in acts}


def test_my_patients_are_accessible_and_tick(nurse, open_page):
    started(nurse, 42)
    page = open_page(reverse("doses:my-patients"), "phone")
    assert faults(page) == []
    running = page.locator(".due-clock").first
    expect(running).not_to_have_text(running.inner_text())


def test_vital_signs_and_step_by_taps(nurse, open_page):
    """Two fields filled, one tap: vital signs and the step that was waiting for them."""
    record = started(nurse, 61)
    page = open_page(path_of(record))
    page.get_by_role("heading", name="Vital signs, then 42 mL/h").wait_for()
    page.get_by_label("Systolic").fill("121")
    page.get_by_label("Pulse").fill("70")
    page.get_by_role("button", name="Save, and step up to 42 mL/h").tap()
    page.get_by_text("The pump runs at 42 mL/h.").wait_for()
    assert list(RateChange.objects.order_by("at").values_list("kind", "rate_ml_per_h")) == [("start", 21), ("step", 42)]
    assert VitalSigns.objects.filter(phase="during").count() == 1
    kept, patient = kept_in_browser(page), record.appointment.patient
    assert [word for word in (patient.family_name, patient.mrn, "mL/h") if word in kept] == []


def test_rate_by_preset_and_stepper(nurse, open_page):
    record = started(nurse, 40)
    page = open_page(path_of(record, "rate"))
    page.get_by_role("group", name="Rates of the plan").get_by_role("button", name="21").tap()
    page.get_by_role("button", name="Slower").tap()
    page.get_by_role("button", name="Set this rate").tap()
    page.get_by_text("The pump runs at 20 mL/h.").wait_for()
    assert RateChange.objects.order_by("at").last().rate_ml_per_h == 20
