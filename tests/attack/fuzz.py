"""Forms and query strings that nobody would send, over every page and identity: no answer may be an error of ours.

Each request is rolled back, so that all meet the same clinic, and a seed gives the same requests again.
"""

import logging
import random
import sys
import traceback
from pathlib import Path

from django.core.signals import got_request_exception
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.attack.findings import Report
from tests.attack.junk import IDS, requests
from tests.attack.pages import Page, Queries, address, all_pages, body_of, client_of, fields_in, names_in_source, world
from tests.attack.watch import NOBODY, faults
from tests.attack.world import IDENTITIES

# Django's own pages, and those whose answer is for programs: asked, but not as much.
QUIET = ("admin:", "reminders:mailgun", "reminders:mandrill", "reminders:postmark", "reminders:sparkpost")
WEIGHT, QUIET_WEIGHT = 3, 1


class Fuzz:
    def __init__(self, options):
        self.report = Report("fuzz")
        self.seed = options.seed
        share, shares = options.share
        pages = all_pages()
        weights = {page: QUIET_WEIGHT if page.name.startswith(QUIET) else WEIGHT for page in pages}
        self.pages = pages[share::shares]
        each = options.requests / shares / sum(weights[page] for page in self.pages)
        self.counts = {page: max(2, round(each * weights[page])) for page in self.pages}
        self.clients = {identity: client_of(identity) for identity in IDENTITIES}
        self.raised: list[str] = []
        got_request_exception.connect(self._note, weak=False)

    def run(self) -> Report:
        for page in self.pages:
            self._attack(page)
        self.report.figures |= {"urls": len(self.pages)}
        return self.report

    def _attack(self, page: Page) -> None:
        """First as a browser asks, by who may open it; then, by everybody, all kinds of nonsense."""
        good = page.address()
        seen = self._ask_well(page.identities[0], good) if good else ""
        fields, queries = fields_in(seen), tuple(sorted(Queries(seen).names)) or ("page",)
        make = requests(self._paths(page), fields, queries, names_in_source(), world()["foreign"])
        who = st.one_of(*[st.sampled_from(page.identities)] * 4, st.sampled_from(IDENTITIES))

        @seed(f"{self.seed} {page.name}")
        @settings(
            max_examples=self.counts[page], deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(who, make)
        def once(identity, request):
            self._send(page, identity, request)

        once()

    def _paths(self, page: Page) -> list[str]:
        """Four of five lead somewhere."""
        known, dice = world()["known"], random.Random(page.name)
        good = [page.address(at) for at in (0, 0, 0, *range(9))]
        bad = [
            address(
                page.name, {part: dice.choice([*IDS, *world()["foreign"], *known.get(part, [])]) for part in page.parts}
            )
            for _ in range(12 if page.parts else 0)
        ]
        good = [path for path in good if path]
        bad = [path for path in dict.fromkeys(bad) if path][: max(1, len(good) // 3)] if page.parts else []
        return good + bad or ["/"]

    def _ask_well(self, identity: str, path: str) -> str:
        with transaction.atomic():
            response = self.clients[identity].get(path)
            seen = body_of(response)
            transaction.set_rollback(True)
        self._judge(path, identity, response, seen, f"GET {path}")
        return seen if response.status_code == 200 else ""

    def _send(self, page: Page, identity: str, request) -> None:
        client = self.clients[identity]
        cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        with transaction.atomic():
            response = request.send(client)
            body = body_of(response)
            transaction.set_rollback(True)
        client.cookies.clear()
        for name, value in cookies.items():
            client.cookies[name] = value
        if "Cookie" in request.headers:
            identity = NOBODY
        self._judge(request.path, identity, response, body, str(request))

    def _judge(self, path: str, identity: str, response, body: str, told: str) -> None:
        self.report.count("requests")
        self.report.count(f"{response.status_code // 100}xx")
        reasons, self.raised = self.raised, []
        match = getattr(response, "resolver_match", None)
        where = match.view_name if match else path[:60]
        for level, what in faults(path, identity, response, body):
            if level == "high" and reasons:
                self.report.add(level, what, reasons[-1], f"{identity}: {told}")
            else:
                self.report.add(level, what, where if level == "high" else "", f"{identity}: {told}")

    def _note(self, sender, **kwargs) -> None:
        """The error and the last line of ours on its way, so that one fault is told once."""
        error = sys.exc_info()[1]
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if ".venv" not in frame.filename]
        line = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else str(error)[:120]
        self.raised.append(f"{type(error).__name__} at {line}")


def run(options) -> None:
    logging.disable(logging.CRITICAL)
    report = Fuzz(options).run()
    report.save(Path(options.report))
