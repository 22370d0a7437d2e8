"""A real Chromium, one for the whole run: Playwright allows one of its loops at a time. And the axe checks in it.

Without a Chromium the browser tests are skipped, unless REQUIRE_BROWSER is set.
"""

import os
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
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


@pytest.fixture(scope="session")
def axe():
    """axe(page) -> the accessibility rules of WCAG 2.2 A and AA that the page breaks, with the elements."""
    return violations


def violations(page) -> list[str]:
    # What is as it should be need not be written out, element by element: that takes longer than the checks.
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


# All that a browser keeps for a site beside its cookies: storage, databases by name, the text of each stored answer.
KEPT = """async () => {
  const kept = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
  kept.push(JSON.stringify((await indexedDB.databases()).map(one => one.name)));
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) kept.push(request.url, await (await cache.match(request)).text());
  }
  return kept.join("\\n");
}"""


def kept_in_browser(page) -> str:
    """With the cookies that the page's script could read: there should be none."""
    return page.evaluate(KEPT) + page.evaluate("document.cookie")
