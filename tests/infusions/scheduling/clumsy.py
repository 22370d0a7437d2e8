"""A clumsy scheduler, or somebody who means harm: sends the pages' own forms with some fields wrong, and worse."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse

from infusion_center.core.checks import all_patterns

DAYS_AND_TIMES = (
    "9999-12-31 0001-01-01 2026-02-30 2026-13-45 2026-03-08 2200-01-01 26-3-8 today 24:00 02:30 09:07 23:59 25:61 "
    "9999-12-31T23:59:59+0000 0001-01-01T00:00:00+0000 2026-03-08T02:30 2026-03-03T09:00:00-0500"
).split()
NUMBERS = "0 -1 1 7 99999999999999999999 1e9 NaN 3.5 -9223372036854775809 ٣".split()
WORDS = "true null [] {} None ../../etc/passwd %00 facility home moon chairs 1|2026-13-01T00:00:00 <script>".split()
JUNK = [
    *DAYS_AND_TIMES,
    *NUMBERS,
    *WORDS,
    "",
    " ",
    "Ünïcødé 💉",
    "a\x00b",
    "x" * 5000,
    "' OR 1=1 --",
    "\u202e",
    "9" * 5000,
]
NAMES = (
    "day date time start from to week first_on last_on until count weekday local_time chair nurse setting site version "
    "seen token override_reason reason shown view page more line lines starts patient order entry offer scope q "
    "quarter moved was v freed plan take decision visit tail line-1-day line-1-time"
).split()
IDS = ["zzzzzzzzzzzzzz", "0", "é", "a\x00b", "x" * 300, "..%2f"]


class Fields(HTMLParser):
    """The names and values of every field of a page that would be sent."""

    def __init__(self, page: str):
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in ("input", "select", "textarea", "button") and attrs.get("name"):
            self.found.setdefault(attrs["name"], attrs.get("value") or "")


@dataclass
class Clumsy:
    """`known` values for the parts of addresses; `foreign` ids that the person may not see."""

    client: Client
    known: dict[str, list[str]]
    foreign: list[str]
    seed: int = 0
    sent: list = field(default_factory=list)

    def __post_init__(self):
        self.dice = random.Random(self.seed)

    def address(self, name: str, parts: list[str]) -> str:
        while True:
            pools = {part: self.known.get(part, []) * 4 + self.foreign + IDS for part in parts}
            try:
                return reverse(name, kwargs={part: self.dice.choice(pool) for part, pool in pools.items()})
            except NoReverseMatch:  # a part that takes only slugs or numbers
                continue

    def send_once(self, name: str, parts: list[str]) -> tuple[int, str]:
        """The status of one request, and what was sent."""
        address = self.address(name, parts)
        if self.dice.random() < 0.4:
            return self._sent("get", address, self._values(NAMES))[:2]
        status, told, page = self._sent("get", address, {})
        fields = Fields(page).found if status == 200 else {}
        data = {**fields, **self._values([*fields, *NAMES[:6]])}
        for gone in self.dice.sample(sorted(data), k=min(len(data), self.dice.choice([0, 0, 1, 3]))):
            del data[gone]
        sent = self._sent(self.dice.choice(["post", "post", "get"]), address, data)
        return (status, told) if status >= 500 else sent[:2]

    def _values(self, names) -> dict:
        names = self.dice.sample(list(names), k=min(len(names), self.dice.choice([1, 1, 2, 4])))
        pool = JUNK + self.foreign
        return {
            name: self.dice.choices(pool, k=2) if self.dice.random() < 0.1 else self.dice.choice(pool) for name in names
        }

    def _sent(self, method: str, address: str, data: dict) -> tuple[int, str, str]:
        told = f"{method.upper()} {address[:99]} { ({name: str(value)[:60] for name, value in data.items()}) }"
        headers = {"HX-Request": "true"} if self.dice.random() < 0.2 else {}
        try:
            with transaction.atomic():
                response = getattr(self.client, method)(address, data, headers=headers)
                page = b"".join(response) if response.streaming else response.content
        except Exception as error:
            return 500, f"{told} -> {type(error).__name__}: {error}"[:900], ""
        return response.status_code, told, page.decode(errors="replace")


def pages_of(*namespaces: str) -> list[tuple[str, list[str]]]:
    """Name and parts of the address of each page of these features."""
    found = {}
    for _, name, pattern in all_patterns():
        if name.partition(":")[0] in namespaces:
            found[name] = list(pattern.pattern.converters)
    return sorted(found.items())
