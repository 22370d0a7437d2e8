"""A real Chromium against a live server. Without one the browser tests are skipped, unless REQUIRE_BROWSER is set."""

import os
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium():
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("No Chromium found, and REQUIRE_BROWSER is set.")
        pytest.skip("No Chromium found: browser tests are skipped (apt-get install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, live_server, client_for):
    """open_page("nurse", width=1024, height=768): a page signed in as that role; fails on console errors at the end."""
    contexts, complaints = [], []

    def opened(role: str = "", *, width: int = 1280, height: int = 800, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, base_url=live_server.url, **options)
        contexts.append(context)
        if role:
            session = client_for(role).cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def axe():
    """axe(page) -> the accessibility rules of WCAG 2.2 A and AA that the page breaks, with the elements."""
    checker = Axe()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

    def violations(page) -> list[str]:
        found = checker.run(page, options={"runOnly": {"type": "tag", "values": tags}}).response["violations"]
        return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]

    return violations
