"""One line for each request: the route and never the address, and an id that answers and error pages carry."""

import logging
import re

import pytest
from django.test import Client, override_settings

from infusion_center.core.log_lines import EXTRA

pytestmark = [pytest.mark.django_db, pytest.mark.once]
UUID = "0f8fad5bd9cb469fa16570867728950e"


def lines_of(caplog, act) -> list[dict]:
    caplog.clear()
    with caplog.at_level(logging.INFO):
        act()
    lines = [record for record in caplog.records if record.name == "infusion_center.access"]
    return [
        {name: record.__dict__[name] for name in EXTRA if name in record.__dict__ and name != "ms"} for record in lines
    ]


def test_a_request_is_one_line_with_its_route(client_for, staff, caplog):
    client = client_for("nurse")
    nurse = staff["nurse"].public_id
    assert lines_of(caplog, lambda: client.get("/patients/zzzzzzzzzzzzzz/?word=marker")) == [
        {"method": "GET", "route": "/patients/<slug:patient_id>/", "status": 404, "user": nurse}
    ]


@pytest.mark.parametrize(
    ("method", "address", "route", "status"),
    [
        ("get", "/no/such/marker/", "none", 404),
        ("get", "/static/core/app.js", "static", 200),
        ("get", "/health/live", "/health/live", 200),
        ("post", "/health/live", "/health/live", 405),
        ("get", "/patients/?a%00b=1", "none", 400),
    ],
)
def test_strangers_leave_a_line_without_an_address(caplog, method, address, route, status):
    assert lines_of(caplog, lambda: getattr(Client(), method)(address)) == [
        {"method": method.upper(), "route": route, "status": status, "user": "-"}
    ]


def test_an_unknown_method_is_no_label_of_its_own(caplog):
    (line,) = lines_of(caplog, lambda: Client().generic("MARKER", "/health/live"))
    assert (line["method"], line["status"]) == ("other", 405)


@pytest.mark.parametrize(
    ("behind_proxy", "given", "is_taken"),
    [
        (True, UUID, True),
        (True, "0f8fad5b-d9cb-469f-a165-70867728950e", True),
        (True, "Brightwater-1961-03-12", False),
        (True, f"urn:uuid:{UUID}", False),
        (True, f"{UUID}\n", False),
        (False, UUID, False),
    ],
)
def test_the_id_of_a_caller_is_taken_from_a_proxy_of_ours_only(behind_proxy, given, is_taken):
    with override_settings(BEHIND_PROXY=behind_proxy):
        answered = Client().get("/health/live", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert ((answered == given), bool(re.fullmatch("[0-9a-f-]{32,36}", answered))) == (is_taken, True)


def test_an_error_page_names_the_number_of_its_request():
    page = Client().get("/no/such/page/")
    assert f"Number of this request: <code>{page.headers['X-Request-ID']}</code>" in page.content.decode()
