"""The frames in a real browser: keyboard, theme, phone, policy, accessibility, and life without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.factories.accounts import make_staff
from tests.factories.patients import make_patient

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ["/emergency/", "/settings/", "/staff/", "/staff/new/", "/audit/", "/accounts/password/change/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_the_frame_break_no_accessibility_rule(open_page, axe, scheme):
    page = open_page("manager", color_scheme=scheme)
    found = {}
    for path in PAGES:
        page.goto(path)
        found[path] = axe(page)
    assert {path: broken for path, broken in found.items() if broken} == {}


def test_pages_fit_a_phone_without_scrolling_sideways(open_page):
    page = open_page("manager", width=390, height=844)
    wide = []
    for path in PAGES:
        page.goto(path)
        wide += [path] if page.evaluate("document.documentElement.scrollWidth > innerWidth") else []
    assert wide == []


def test_slash_goes_to_the_search_and_escape_closes_the_menu(open_page, staff):
    page = open_page("scheduler")
    page.goto("/patients/")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("/")
    expect(page.get_by_label("Find a patient", exact=True)).to_be_focused()
    page.get_by_text(staff["scheduler"].full_name).first.click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_the_chosen_theme_stays(open_page):
    page = open_page("nurse", color_scheme="light")
    page.goto("/emergency/")
    assert page.locator("html").get_attribute("data-bs-theme") == "light"
    page.goto("/patients/")
    page.locator(".bar .menu summary").last.click()
    page.get_by_role("button", name="Dark").click()
    page.goto("/emergency/")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


def test_the_first_tab_leads_past_the_frame(open_page):
    page = open_page("manager")
    page.goto("/settings/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_patient_banner_stays_in_sight(open_page):
    patient = make_patient(family_name="Banner", given_name="Bea")
    page = open_page("manager", width=1280, height=700)
    page.goto(f"/patients/{patient.public_id}/trail/")
    page.evaluate("document.querySelector('main').style.minHeight = '3000px'")
    page.mouse.move(640, 400)  # over the page: over a rail that is longer than the window the rail would scroll
    page.mouse.wheel(0, 1500)
    page.wait_for_function("() => scrollY > 1000")
    expect(page.locator(".patient-name")).to_be_in_viewport()


def test_sign_in_menu_and_sign_out_work_without_javascript(open_page):
    person = make_staff(role="nurse")
    page = open_page(java_script_enabled=False)
    page.goto("/emergency/")
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Emergency card")).to_be_visible()
    page.goto("/patients/")
    page.locator(".bar .menu summary").last.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
