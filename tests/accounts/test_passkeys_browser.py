"""Passkeys in a real Chromium with a virtual device: set up, sign in by it alone, prove by it."""

import pytest
from playwright.sync_api import expect

from infusion_center.accounts.second_factor import factors_of
from tests.factories.accounts import PASSWORD
from tests.factories.facility import make_site

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def site(transactional_db):
    return make_site()


@pytest.fixture
def page(chromium, live_server):
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, base_url=live_server.url)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    yield page
    context.close()


def test_a_passkey_is_set_up_and_signs_in_alone(page, manager, settings, axe):
    settings.MFA_REQUIRED_ROLES = ["manager"]
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(manager.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    assert axe(page) == []
    page.get_by_role("link", name="Use a passkey").click()
    assert axe(page) == []
    page.get_by_role("button", name="Add passkey").click()
    expect(page.locator(".codes li")).to_have_count(10)
    assert factors_of(manager).count() == 1
    page.get_by_role("link", name="I have written them down").click()

    page.goto("about:blank")  # what an open page asks meanwhile would get a token of its own
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)
    page.goto("/staff/new/")
    expect(page.get_by_label("Email")).to_be_visible()  # a passkey just used is proof too

    page.goto("about:blank")
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(manager.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)
    page.goto("/accounts/second-factor/passkeys/again/?next=/staff/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/staff/")
    assert page.complaints == []
