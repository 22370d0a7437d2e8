"""A locked tablet answers no page of the site, whatever the method and whatever the browser says of itself."""

import pytest
from django.urls import reverse

from infusion_center.accounts.middleware import OPEN_WHILE_LOCKED
from tests.guards.test_access_rules import PATTERNS, arguments

pytestmark = pytest.mark.once
FORGED = [
    {},
    {"HX-Request": "true"},
    {"X-Overlay": "1", "Sec-Fetch-Mode": "no-cors", "X-HTTP-Method-Override": "GET"},
]


@pytest.mark.parametrize("headers", FORGED, ids=lambda headers: "-".join(headers) or "plain")
def test_a_locked_tablet_opens_nothing(at_tablet, headers):
    at_tablet.post("/lock/now/")
    opened = {}
    for name, pattern in PATTERNS.items():
        if name in OPEN_WHILE_LOCKED:
            continue
        address = reverse(name, kwargs=arguments(pattern))
        for method in ("get", "head", "post", "put"):
            answer = getattr(at_tablet, method)(address, headers=headers)
            if answer.status_code != 423 and not answer.get("Location", "").startswith("/lock/?next="):
                opened[f"{method} {name}"] = answer.status_code
    assert opened == {}
    assert at_tablet.session["locked"] is True


@pytest.mark.parametrize(
    "following", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_unlocking_leads_to_no_other_server(at_tablet, ann, following):
    at_tablet.post("/lock/now/")
    answer = at_tablet.post("/lock/unlock/", {"person": ann.public_id, "pin": "246810", "next": following})
    assert (answer.status_code, answer.url) == (302, "/tablet/")
