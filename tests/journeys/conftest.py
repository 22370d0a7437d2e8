"""Pages of the journeys in a real Chromium against a live server."""

import pytest

from infusion_center.audit.models import AuditEvent
from tests.guards.audit_detail import wrong_details


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


@pytest.fixture(autouse=True)
def _no_free_text_in_the_trail(db):
    """Whatever a journey did, its trail holds codes, ids and words of our own."""
    yield
    assert wrong_details(AuditEvent.objects.all()) == []
