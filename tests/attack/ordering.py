"""What scanners miss: injection by the order of a list, and questions about other tables by the name of a filter.

A list answers the same to every name of a column it is asked to sort or filter by; and the same to a condition that is
true as to one that is false. Where it does not, one could read a password's hash by asking letter after letter.
"""

import logging
from pathlib import Path

from django.core.signals import got_request_exception

from tests.attack.findings import Report
from tests.attack.pages import Page, Queries, all_pages, body_of, client_of
from tests.attack.rows import rows
from tests.attack.watch import faults

SORTS = ("sort", "order", "order_by", "ordering", "o", "by")
COLUMNS = [
    "password",
    "-password",
    "user__password",
    "-owner__email",
    "pk",
    "?",
    "-",
    "1",
    "(CASE WHEN 1=1 THEN id END)",
    "id; --",
    "RANDOM()",
]
LOOKUPS = [
    "password__startswith",
    "patient__last_name__regex",
    "user__password__gt",
    "owner__email__contains",
    "pk__in",
    "id__regex",
]
# One is true and one is false, should either ever reach the database; to a search by words they say the same.
PAIRS = [("zz' OR '1'='1", "zz' OR '1'='2"), ("zz\" OR \"1\"=\"1", "zz\" OR \"1\"=\"2"), ("0 OR 1=1", "0 OR 1=2"),
         ("1) OR (1=1", "1) OR (1=2"), ("1 AND 1=1", "1 AND 1=2"), ("zz%' OR '%'='%", "zz%' OR '%'='_")]  # fmt: skip
FRAGMENTS = ["'", '"', "\\", "%", "_", "--", "/*", "[]", "{}", "(", "*", "^", "password__regex", "None", "x" * 300]
IN_TURN = 4
LEAST_LISTS = 8


class Lists:
    def __init__(self):
        self.report = Report("ordering")
        self.raised = 0
        got_request_exception.connect(self._note, weak=False)

    def run(self) -> Report:
        for page in all_pages():
            who = page.identities[-1 if page.name.startswith("admin:") else 0]
            path = page.address()
            if path:
                self._attack(page, who, path)
        self.report.require("lists", LEAST_LISTS)
        return self.report

    def _attack(self, page: Page, who: str, path: str) -> None:
        """A list has an address of its own, or narrows itself by its address."""
        client = client_of(who)
        first = self._ask(client, who, path, {})
        names = sorted(Queries(first or "").names)
        default = rows(first or "")
        if (len(set(default)) < 2 or page.parts) and not names:
            return
        self.report.count("lists")
        for name, values in self._guesses():
            self._is_ignored(page, who, client, path, name, values, default)
        for name in names:
            self.report.count("parameters")
            self._is_no_oracle(page, who, client, path, name)

    def _guesses(self) -> list[tuple[str, list[str]]]:
        """Both directions of a column for every name that lists sort by; the other values in turn."""
        turn = self.report.figures["lists"]
        more = {name: COLUMNS[(turn + at) % len(COLUMNS)] for at, name in enumerate(SORTS)}
        sorts = [(name, ["password", "-password", other]) for name, other in more.items()]
        return [*sorts, *((name, ["^p.*"]) for name in LOOKUPS)]

    def _is_ignored(self, page: Page, who: str, client, path, name, values, default) -> None:
        """The default, or a refusal. The admin site sorts by `o`, a number among the shown columns."""
        for value in values:
            seen = self._ask(client, who, path, {name: value})
            if seen is not None and rows(seen) != default and not is_admins_own(page, name, value):
                self.report.add("high", f"{page.name} is ordered or filtered by ?{name}=", "", f"{path}?{name}={value}")

    def _is_no_oracle(self, page: Page, who: str, client, path: str, name: str) -> None:
        for yes, no in PAIRS:
            one, other = (self._ask(client, who, path, {name: value}) for value in (yes, no))
            if one is not None and other is not None and rows(one) != rows(other):
                self.report.add("high", f"{page.name} evaluates ?{name}=", "", f"{path}?{name}={yes}")
        turn = self.report.figures["parameters"]
        for value in (FRAGMENTS * 2)[turn % len(FRAGMENTS) :][:IN_TURN]:
            self._ask(client, who, path, {name: value})

    def _ask(self, client, who: str, path: str, query: dict) -> str | None:
        response = client.get(path, query)
        body = body_of(response)
        self.report.count("requests")
        for level, what in faults(path, who, response, body):
            self.report.add(level, what, path if level == "high" else "", f"{who}: {path} {query}")
        is_page = response.status_code == 200 and response.headers.get("Content-Type", "").startswith("text/html")
        return body if is_page else None

    def _note(self, sender, **kwargs) -> None:
        self.raised += 1


def is_admins_own(page: Page, name: str, value: str) -> bool:
    return page.name.startswith("admin:") and name == "o" and value.lstrip("-").isdigit()


def run(options) -> None:
    logging.disable(logging.CRITICAL)
    Lists().run().save(Path(options.report))
