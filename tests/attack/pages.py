"""Every address of the application, who may open it, and the fields that its page would send."""

import json
import re
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser

from django import forms
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.urls.resolvers import RegexPattern

from infusion_center.accounts.roles import ROLE_PERMISSIONS, Role
from infusion_center.core.checks import access_rule, all_patterns
from tests.attack.watch import NOBODY
from tests.attack.world import IDENTITIES, SUPERUSER
from tests.guards.source import PACKAGES, files
from tests.infusions.scheduling.clumsy import Fields

HOST = "127.0.0.1"
TOKEN = "a" * 32
# Pages of the admin site that its patterns give twice, or that only redirect to what is asked anyway.
LEFT_OUT = {"admin:view_on_site", "admin:"}


@dataclass(frozen=True)
class Page:
    name: str
    parts: tuple[str, ...]
    identities: tuple[str, ...]  # who may open it

    def address(self, at: int = 0) -> str | None:
        """With ids that open something, the first of them or another; None where nothing is known."""
        known, special = world()["known"], world()["special"].get(self.name, {})
        values = {part: known[part][at % len(known[part])] if known.get(part) else "" for part in self.parts}
        return address(self.name, values | (special if at == 0 else {}))


def address(name: str, values: dict[str, str]) -> str | None:
    try:
        return reverse(name, kwargs=values)
    except NoReverseMatch:  # a part that takes only slugs or numbers
        return None


@cache
def all_pages() -> list[Page]:
    found = {}
    for _, name, pattern in all_patterns():
        if name not in LEFT_OUT:
            found.setdefault(name, Page(name, parts_of(pattern), may_open(name, pattern)))
    return sorted(found.values(), key=lambda page: page.name)


def parts_of(pattern) -> tuple[str, ...]:
    if isinstance(pattern.pattern, RegexPattern):
        return tuple(re.compile(pattern.pattern._regex).groupindex)
    return tuple(pattern.pattern.converters)


def may_open(name: str, pattern) -> tuple[str, ...]:
    if name.startswith("admin:"):
        return (SUPERUSER,)
    rule = access_rule(pattern)
    if not rule.signed_in:
        return IDENTITIES
    roles = [role.value for role in Role if not rule.permissions or rule.permissions & ROLE_PERMISSIONS[role]]
    return (*roles, SUPERUSER) if Role.MANAGER.value in roles else tuple(roles)


@cache
def world() -> dict:
    return json.loads((settings.FOLDER / "world.json").read_text())


def cookies(identity: str) -> str:
    """As a scanner sends them: any token will do that cookie and form have in common."""
    session = world()["sessions"].get(identity)
    return f"{settings.CSRF_COOKIE_NAME}={TOKEN}" + (f"; {settings.SESSION_COOKIE_NAME}={session}" if session else "")


def client_of(identity: str, **options) -> Client:
    """As a browser behind the proxy: https, and one session per identity."""
    client = Client(raise_request_exception=False, HTTP_HOST=HOST, HTTP_X_FORWARDED_PROTO="https", **options)
    if identity != NOBODY:
        client.cookies[settings.SESSION_COOKIE_NAME] = world()["sessions"][identity]
    return client


def body_of(response) -> str:
    content = b"".join(response) if response.streaming else response.content
    return content.decode(errors="replace")


def fields_in(page: str) -> dict[str, str]:
    return Fields(page).found


class Queries(HTMLParser):
    """Names that the page itself puts into query strings: fields of GET forms, and links."""

    def __init__(self, page: str):
        super().__init__()
        self.names: set[str] = set()
        self._by_get = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self._by_get = (attrs.get("method") or "get").lower() == "get"
        elif tag in ("input", "select", "textarea", "button") and attrs.get("name") and self._by_get:
            self.names.add(attrs["name"])
        elif tag == "a" and (attrs.get("href") or "").startswith("?"):
            self.names |= {pair.partition("=")[0] for pair in attrs["href"][1:].split("&")}

    def handle_endtag(self, tag):
        if tag == "form":
            self._by_get = False


READ = re.compile(r"""\b(?:GET|POST)(?:\.get(?:list)?\(|\[)["'](\w+)|["'](\w+)["'] (?:not )?in request\.(?:GET|POST)""")


@cache
def names_in_source() -> tuple[str, ...]:
    """What the views read by name, and the fields of every form: also those that no page shows at the moment."""
    texts = [path.read_text() for path in files(".py", folders=PACKAGES)]
    found = {name for text in texts for pair in READ.findall(text) for name in pair if name}
    kinds = list(forms.BaseForm.__subclasses__())
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found |= set(getattr(kind, "base_fields", {}))
    return tuple(sorted(found))
