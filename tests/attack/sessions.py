"""Sessions, forged requests, verbs and hosts: what a thief, a page elsewhere or a proxy could make of them."""

import logging
import re
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import transaction
from django.test import Client, override_settings

from infusion_center.accounts.models import User
from infusion_center.accounts.services import deactivate_staff, set_roles
from infusion_center.core.checks import all_patterns
from tests.attack.findings import Report
from tests.attack.pages import TOKEN, Page, all_pages, body_of, client_of, world
from tests.attack.watch import ELSEWHERE, NOBODY
from tests.attack.world import IDENTITIES, SUPERUSER
from tests.factories.accounts import PASSWORD, force_login

LOCMEM = override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
# Views without a token against forged requests. They use no session: the address or a shared secret is the authority.
WITHOUT_TOKEN = re.compile(
    r"^reminders:(visit|before-visit|after-visit|move-visit|cancel-visit|offer|stop|\w+-webhook)$"
)
VERBS = ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "POSTX", "get")
# The middleware is the same for all: every URL is posted to without a token, one in so many in the other ways too.
ONE_IN = 8
# Rows that any request may leave, a refused one too.
NOTED = {"OpenSession", "AuditEvent"}
LEAST_URLS = 150


class Sessions:
    def __init__(self):
        self.report = Report("sessions")
        self.pages = [page for page in all_pages() if page.address() and not page.name.startswith("admin:")]

    def run(self) -> Report:
        for check in (
            self.forged_posts,
            self.exempt_views,
            self.verbs,
            self.overridden_methods,
            self.cookies,
            self.endings,
            self.fixation,
            self.hosts,
            self.reset_mail,
        ):
            with transaction.atomic():
                check()
                transaction.set_rollback(True)
        self.report.require("urls", LEAST_URLS)
        return self.report

    def forged_posts(self) -> None:
        """No token, a wrong one, and a right one from a page elsewhere: refused at each URL, and nothing written."""
        before = rows()
        for number, page in enumerate(self.pages):
            self.report.count("urls")
            if WITHOUT_TOKEN.match(page.name):
                continue
            ways = forgeries()
            for how, sent in list(ways.items())[: 1 if number % ONE_IN else len(ways)]:
                answer = self._forging_client(page, sent).post(page.address(), sent["data"], headers=sent["headers"])
                self.report.count("forged posts")
                if answer.status_code not in (302, 403) or (answer.status_code == 302 and "/login/" not in answer.url):
                    self.report.add("high", f"a forged post is taken: {how}", page.name, f"answer {answer.status_code}")
        self._unchanged(before, "forged posts")

    def _forging_client(self, page: Page, sent: dict) -> Client:
        client = client_of(page.identities[-1] if page.identities != IDENTITIES else "nurse", enforce_csrf_checks=True)
        client.cookies[settings.CSRF_COOKIE_NAME] = TOKEN if sent["cookie"] else ""
        return client

    def exempt_views(self) -> None:
        for _, name, pattern in all_patterns():
            if getattr(pattern.callback, "csrf_exempt", False) and not WITHOUT_TOKEN.match(name):
                self.report.add("high", "a view asks for no token against forged posts", name)

    def verbs(self) -> None:
        """Other verbs open nothing to who may not open it, and change nothing for who may."""
        before = rows()
        for number, page in enumerate(self.pages):
            stranger = next((one for one in IDENTITIES[1:] if one not in page.identities), None)
            for verb in (VERBS[number % len(VERBS)], VERBS[(number + 3) % len(VERBS)]):
                for who in filter(None, (stranger, page.identities[0])):
                    answer = client_of(who).generic(verb, page.address())
                    self.report.count("verbs")
                    if answer.status_code >= 500 and "/health/" not in page.address():
                        self.report.add("high", f"answer {answer.status_code} to {verb}", page.name)
                    if who == stranger and answer.status_code < 300:
                        self.report.add("high", f"{verb} opens what GET does not", page.name, who)
        self._unchanged(before, "other verbs")

    def overridden_methods(self) -> None:
        """A GET stays one, whatever it says of itself."""
        before, override = (
            rows(),
            {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method-Override": "POST"},
        )
        for page in self.pages:
            client_of(page.identities[0]).get(page.address(), {"_method": "POST", "reason": "x"}, headers=override)
            self.report.count("overrides")
        self._unchanged(before, "GET that calls itself POST", also={"KeptEntry", "CalendarFeed"})

    def _unchanged(self, before: dict, what: str, also: set = frozenset()) -> None:
        after = rows()
        changed = [name for name in after if after[name] != before[name] and name not in NOTED | also]
        if changed:
            self.report.add("high", f"rows were written by {what}", ", ".join(changed))

    @LOCMEM
    def cookies(self) -> None:
        client = client_of(NOBODY)
        client.get("/accounts/login/")
        client.post("/accounts/login/", {"login": world()["people"]["nurse"], "password": PASSWORD})
        for name, needs in {
            settings.SESSION_COOKIE_NAME: ("secure", "httponly", "samesite"),
            settings.CSRF_COOKIE_NAME: ("secure", "httponly", "samesite"),
        }.items():
            if name not in client.cookies:
                self.report.too_little.append(f"no cookie {name} was set")
                continue
            missing = [flag for flag in needs if not client.cookies[name][flag]]
            if missing:
                self.report.add("medium", f"cookie {name} without {', '.join(missing)}")
            self.report.count("cookies")

    def endings(self) -> None:
        """A session is worth nothing after sign-out, deactivation or a new password; nor is a role taken away."""
        boss = User.objects.get(email=world()["people"][SUPERUSER])
        for how, end in {
            "sign-out": lambda client, user: client.post("/accounts/logout/"),
            "deactivation": lambda client, user: deactivate_staff(user=user, by=boss),
            "a new password": lambda client, user: (user.set_password("another one altogether"), user.save()),
            "another role": lambda client, user: set_roles(user=user, roles=["scheduler"], by=boss),
        }.items():
            with transaction.atomic():
                self._end(how, end)
                transaction.set_rollback(True)

    def _end(self, how: str, end) -> None:
        user = User.objects.get(email=world()["people"]["nurse"])
        client, thief = client_of(NOBODY), client_of(NOBODY)
        force_login(client, user)
        thief.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
        if thief.get("/tablet/").status_code != 200:
            self.report.too_little.append(f"{how}: the page could not be opened before it")
        end(client, user)
        self.report.count("endings")
        if thief.get("/tablet/").status_code == 200:
            self.report.add("high", f"a session still opens pages after {how}")

    @LOCMEM
    def fixation(self) -> None:
        """A session known before the sign-in is not the one that is signed in."""
        planted, client = client_of(NOBODY), client_of(NOBODY)
        planted.get("/accounts/login/")
        session = planted.session
        session["planted"] = "1"
        session.save()
        key = session.session_key
        client.cookies[settings.SESSION_COOKIE_NAME] = key
        client.post("/accounts/login/", {"login": world()["people"]["nurse"], "password": PASSWORD})
        thief = client_of(NOBODY)
        thief.cookies[settings.SESSION_COOKIE_NAME] = key
        self.report.count("sign-ins")
        if client.get("/tablet/").status_code != 200:
            self.report.too_little.append("nobody could sign in by the page")
        if thief.get("/tablet/").status_code == 200:
            self.report.add("high", "a session that was known before signs in with the person")
        if (
            Session.objects.filter(session_key=key).exists()
            and client.cookies[settings.SESSION_COOKIE_NAME].value == key
        ):
            self.report.add("high", "the session keeps its key when somebody signs in")

    def hosts(self) -> None:
        """Another host is refused; what a proxy would say of one is not believed."""
        for path in ("/accounts/login/", "/accounts/password/reset/", "/", "/emergency/card/"):
            refused = client_of(NOBODY).get(path, headers={"Host": ELSEWHERE})
            if refused.status_code != 400:
                self.report.add("high", "answers in the name of another host", path)
            answer = client_of("nurse").get(
                path, headers={"X-Forwarded-Host": ELSEWHERE, "Forwarded": f"host={ELSEWHERE}"}
            )
            self.report.count("hosts", 2)
            if ELSEWHERE in body_of(answer) + answer.headers.get("Location", ""):
                self.report.add("high", "believes in a host that was forwarded", path)

    @LOCMEM
    def reset_mail(self) -> None:
        mail.outbox = []
        data = {"email": world()["people"]["nurse"]}
        client_of(NOBODY).post("/accounts/password/reset/", data, headers={"X-Forwarded-Host": ELSEWHERE})
        if not mail.outbox:
            self.report.too_little.append("no mail to reset a password was written")
        if any(ELSEWHERE in message.body for message in mail.outbox):
            self.report.add("high", "a mail to reset a password leads to another host")


def forgeries() -> dict[str, dict]:
    token = {"csrfmiddlewaretoken": TOKEN}
    return {
        "no token": {"data": {}, "headers": {"Referer": "https://127.0.0.1/"}, "cookie": False},
        "a wrong token": {
            "data": {"csrfmiddlewaretoken": "b" * 32},
            "headers": {"Referer": "https://127.0.0.1/"},
            "cookie": True,
        },
        "from a page elsewhere": {"data": token, "headers": {"Origin": f"https://{ELSEWHERE}"}, "cookie": True},
        "from no page": {"data": token, "headers": {}, "cookie": True},
    }


def rows() -> dict[str, int]:
    """A digest of each table of ours."""
    labels = ("infusions", "patients", "accounts", "audit", "sessions")
    models = [model for label in labels for model in apps.get_app_config(label).get_models()]
    return {model.__name__: hash(tuple(map(str, model.objects.order_by("pk").values_list()))) for model in models}


def run(options) -> None:
    logging.disable(logging.CRITICAL)
    Sessions().run().save(Path(options.report))
