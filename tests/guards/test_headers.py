"""What every answer tells browsers, the whole set: pages, errors, files, links of patients; signed in and not."""

import re

import pytest
from django.db import InterfaceError
from django.test import Client, override_settings
from django.urls import reverse

from infusion_center.accounts.roles import Role
from infusion_center.conf import web
from infusion_center.core.checks import access_rule
from infusions.reminders import heartbeat
from tests.factories.accounts import force_login
from tests.guards.test_access_rules import PATTERNS, arguments, known  # noqa: F401  a fixture
from tests.guards.test_templates import FORBIDDEN
from tests.infusions.reminders.public_scene import NOON, make_scene

pytestmark = [pytest.mark.django_db, pytest.mark.once]
POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "manifest-src 'self'", "worker-src 'self'", "form-action 'self'",
    "object-src 'none'", "frame-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
}  # fmt: skip
# A mail brings styles of its own and is shown as what it is: nothing in it can run.
OF_MAILS = {
    "default-src 'none'", "style-src 'unsafe-inline'", "sandbox", "base-uri 'none'", "form-action 'none'",
    "frame-ancestors 'none'",
}  # fmt: skip
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Say something of one answer; what they hold is for other tests.
OF_ONE_ANSWER = {
    "Content-Type", "Content-Length", "Content-Language", "Content-Disposition", "Content-Encoding", "Vary", "Location",
    "Allow", "ETag", "Last-Modified", "Expires", "Retry-After", "Cache-Control", "X-Request-ID",
    "Service-Worker-Allowed", "Access-Control-Allow-Origin", "WWW-Authenticate", "HX-Redirect", "X-Version",
}  # fmt: skip


def told(response) -> dict:
    """The headers that each answer shall hold alike; the policy as the set of its parts."""
    held = {name: value for name, value in response.headers.items() if name not in OF_ONE_ANSWER}
    held["Content-Security-Policy"] = set(held.get("Content-Security-Policy", "").split("; "))
    held["Permissions-Policy"] = held.get("Permissions-Policy", "").count("=()")
    return held


def expected(**changed) -> dict:
    return {**ALWAYS, "Content-Security-Policy": POLICY, "Permissions-Policy": len(web.UNUSED), **changed}


def wrong(response, want) -> list[str]:
    """What differs, and an id that is missing."""
    found = told(response)
    differs = [f"{name}: {found.get(name)}" for name in found.keys() | want.keys() if found.get(name) != want.get(name)]
    return differs + ([] if re.fullmatch("[0-9a-f]{32}", response.headers.get("X-Request-ID", "")) else ["no id"])


@pytest.mark.parametrize("role", list(Role))
def test_every_page_for_every_role(client_for, known, role):  # noqa: F811
    """As sent, with what crispy, allauth and htmx put in: and nothing in a page that the policy would block."""
    client, found = client_for(role.value), []
    for name, pattern in PATTERNS.items():
        response = client.get(reverse(name, kwargs=arguments(pattern, known)))
        if not access_rule(pattern).signed_in:
            continue
        is_mail = name == "reminders:wording-html" and response.status_code != 403
        policy = {"Content-Security-Policy": OF_MAILS} if is_mail else {}
        found += [f"{name}: {what}" for what in wrong(response, expected(**policy))]
        if "no-store" not in response.headers.get("Cache-Control", ""):
            found.append(f"{name}: may be kept")
        if response.status_code == 200 and response.headers["Content-Type"].startswith("text/html"):
            page = response.content.decode()
            found += [f"{name}: {what}" for what, shape in FORBIDDEN.items() if shape.search(page)]
    assert found == []


def test_every_page_for_strangers():
    client, found = Client(), []
    for name, pattern in PATTERNS.items():
        response = client.get(reverse(name, kwargs=arguments(pattern)))
        want = expected(**({"Referrer-Policy": "no-referrer"} if "token" in pattern.pattern.converters else {}))
        found += [f"{name}: {what}" for what in wrong(response, want)]
    assert found == []


def test_links_of_patients_pass_nothing_on(time_machine):
    time_machine.move_to(NOON, tick=False)
    _, addresses = make_scene()
    responses = {name: Client().get(address) for name, address in addresses.items()}
    want = expected(**{"Referrer-Policy": "no-referrer"})
    assert {name: wrong(response, want) for name, response in responses.items()} == {name: [] for name in addresses}
    assert {response.headers["Cache-Control"] for response in responses.values()} == {"no-store"}
    assert not any(response.cookies for response in responses.values())


def fails_by(error):
    def failing(now):
        raise error

    return failing


ERRORS = {
    "400": (lambda: Client().get("/accounts/login/?a%00b=1"), 400),
    "another host": (lambda: Client(headers={"host": "evil.example"}).get("/accounts/login/"), 400),
    "403": (lambda: Client(enforce_csrf_checks=True).post("/accounts/login/"), 403),
    "404": (lambda: Client().get("/no/such/page/"), 404),
    "405": (lambda: Client().post("/health/live"), 405),
    "a style sheet": (lambda: Client().get("/static/core/base.css"), 200),
    "a picture": (lambda: Client().get("/static/core/icon.svg"), 200),
    "no such file": (lambda: Client().get("/static/none.css"), 404),
}


@pytest.mark.parametrize("what", ERRORS)
def test_every_error_page_and_file(what):
    ask, status = ERRORS[what]
    response = ask()
    assert (response.status_code, wrong(response, expected())) == (status, [])


@pytest.mark.parametrize(("error", "status"), [(ValueError("Zzmarker"), 500), (InterfaceError("Zzmarker"), 503)])
def test_pages_of_faults_show_nothing_of_them(monkeypatch, error, status):
    monkeypatch.setattr(heartbeat, "health", fails_by(error))
    response = Client(raise_request_exception=False).get("/health/")
    page = response.content.decode()
    assert (response.status_code, wrong(response, expected())) == (status, [])
    shown = [word in page for word in ("Zzmarker", "Traceback", "Error", "heartbeat", response.headers["X-Request-ID"])]
    # The page of an error names the request; where the database is away, this one says so in its own words.
    assert shown == [False, False, False, False, status == 500]


NAMES = (
    "SECURE_SSL_REDIRECT",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_NAME",
)


def test_with_https_all_is_kept_to_it(manager, site):
    """As settings say for an installation with https: nothing is sent or kept without it."""
    with override_settings(**{name: getattr(web, name) for name in NAMES}):
        to_https = Client().get("/accounts/login/")
        client = Client()
        force_login(client, manager)
        response = client.post("/site/choose/", {"site": site.public_id}, secure=True)
        cookies = [*response.cookies.values(), *Client().get("/accounts/login/", secure=True).cookies.values()]
    assert (to_https.status_code, to_https.url) == (301, "https://testserver/accounts/login/")
    hsts = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload"}
    assert wrong(response, expected(**hsts)) == []
    flags = {c.key: (c["secure"], c["httponly"], c["samesite"], c["path"], c["domain"]) for c in cookies}
    assert flags == dict.fromkeys(("__Host-session", "__Host-csrf"), (True, True, "Lax", "/", ""))
    assert web.CONTENT_SECURITY_POLICY["DIRECTIVES"].keys() >= {"upgrade-insecure-requests"}
