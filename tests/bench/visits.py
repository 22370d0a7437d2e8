"""The rows of the table: what is called, in process and through the server, with the goal of each."""

from __future__ import annotations

import datetime as dt
import re
from collections import deque
from collections.abc import Callable, Iterator
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from infusion_center.core import clock
from infusion_center.core.searching import seal
from infusions.facility.models import Setting
from infusions.orders.models import InfusionOrder
from infusions.scheduling.booking import book_appointment, cancel_appointment
from infusions.scheduling.slots import find_slots
from patients.models import Patient
from tests.bench.ground import Ground
from tests.bench.measuring import Result, Row
from tests.bench.server import Visitor
from tests.factories.accounts import force_login

IN_PROCESS, HTTP = "in process", "http"
ORDERS_BOOKED = 40
WINDOW = dt.timedelta(days=60)
TRANSACTION_WORDS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class Desk:
    """The scheduler at her desk: one test client in this process, one browser at the server."""

    def __init__(self, ground: Ground, port: int):
        self.ground = ground
        self.user = ground.staff["scheduler"]
        self.client = Client()
        force_login(self.client, self.user)
        self.visitor = Visitor(port, self.client.cookies["sessionid"].value)
        self.searched = ground.five_hour_order()
        others = [order for order in ground.orders_to_book() if order.pk != self.searched.pk]
        self.unbooked = deque(others[:ORDERS_BOOKED])
        today = clock.local_date(ground.now, ground.search.site.time_zone)
        self.days = today, today + WINDOW
        self.named = Patient.objects.order_by("pk")[ground.size.search.patients // 2]

    def page(self, name: str, path: str, goal: float | None, *, is_floor: bool = False, **headers: str) -> list[Row]:
        """The row in process and the row through the server."""
        expected = 304 if "If-None-Match" in headers else 200
        given = {f"HTTP_{key.upper().replace('-', '_')}": value for key, value in headers.items()}

        def ask():
            response = self.client.get(path, **given)
            assert response.status_code == expected, (path, response.status_code)

        return [
            Row(name, IN_PROCESS, ask, goal, is_floor),
            Row(name, HTTP, lambda: self.visitor.get(path, expected, **headers), goal, is_floor),
        ]

    def floors(self) -> list[Row]:
        self.visitor.connection.close()  # the server has hung up while other things were done; it opens again by itself
        page = reverse("bench-page", args=[self.named.public_id])
        bare = reverse("bench-bare", args=[self.named.public_id])
        return [
            *self.page("floor: signed-in page, one indexed query", page, None, is_floor=True),
            *self.page("the same without the frame", bare, None),
        ]

    @property
    def search_path(self) -> str:
        first, last = self.days
        site = self.ground.search.site.public_id
        return f"{reverse('scheduling:slot-list', args=[self.searched.public_id])}?site={site}&from={first}&to={last}"

    def search(self) -> list[Row]:
        return [
            Row("slot search, the search alone", IN_PROCESS, self.find, 4),
            *self.page("slot search, page", self.search_path, 4),
        ]

    def find(self):
        first, last = self.days
        # Each request reads its order anew; minutes kept on the row must not help.
        order = InfusionOrder.objects.select_related("patient", "product", "indication").get(pk=self.searched.pk)
        found = find_slots(
            order, setting=Setting.FACILITY, site=self.ground.search.site, earliest=first, latest=last, limit=20
        )
        assert len(found.options) == 20, (len(found.options), found.refusals)

    def board(self) -> list[Row]:
        self.choose_site(self.ground.board.site)
        return [*self.page("day board, full page", reverse("scheduling:board"), 4), *self.poll()]

    def poll(self) -> list[Row]:
        """What an open board asks every few seconds while nothing has changed: answered by 204 or 304."""
        html = self.client.get(reverse("scheduling:board")).content.decode()
        name, goal = "day board, unchanged poll", 1.2
        etag = self.client.get(self.poll_path(html)).headers.get("ETag")
        if etag:
            return self.page(name, self.poll_path(html), goal, **{"If-None-Match": etag})
        # A board shows the minute: the first poll of each minute is answered in full, and the next asks by its version.
        asked = {"path": self.poll_path(html)}

        def ask():
            response = self.client.get(asked["path"])
            if response.status_code == 200:
                asked["path"] = self.poll_path(response.content.decode())

        def ask_server():
            self.visitor.get(asked["path"], expected=None)

        return [Row(name, IN_PROCESS, ask, goal), Row(name, HTTP, ask_server, goal)]

    def poll_path(self, html: str) -> str:
        found = re.findall(r'hx-get="([^"]+)"[^>]*hx-trigger="every', html)
        return next(path for path in found if path.startswith(reverse("scheduling:board"))).replace("&amp;", "&")

    def choose_site(self, site) -> None:
        session = self.client.session
        session["site"] = site.public_id
        session.save()

    def booking(self) -> list[Row]:
        return [
            Row("booking one visit, the service alone", IN_PROCESS, self.book, 3, prepare=self.next_start),
            Row("booking one visit, form sent", IN_PROCESS, self.send_form, 3, prepare=self.next_start),
            Row("booking one visit, form sent", HTTP, self.send_form_by_http, 3, prepare=self.next_start),
        ]

    def next_start(self) -> tuple[InfusionOrder, dt.datetime]:
        """The next order in turn and its best start; what was booked by it a turn ago is cancelled first."""
        for _ in range(len(self.unbooked)):
            order = self.unbooked[0]
            self.unbooked.rotate(-1)
            for visit in order.appointments.upcoming(self.ground.now):
                cancel_appointment(appointment=visit, reason="Bench", by=self.user)
            found = find_slots(order, setting=Setting.FACILITY, site=self.ground.search.site, limit=1)
            if found.options and not found.options[0].needs_approval:
                return order, found.options[0].start
        raise RuntimeError("no order can be booked")

    def book(self, wish) -> None:
        order, start = wish
        book_appointment(order=order, start=start, setting=Setting.FACILITY, site=self.ground.search.site, by=self.user)

    def form(self, wish) -> tuple[str, dict]:
        order, start = wish
        path = reverse("scheduling:appointment-book", args=[order.public_id])
        site = self.ground.search.site.public_id
        start_text = start.strftime("%Y-%m-%dT%H:%M:%S+0000")
        return f"{path}?site={site}", {"start": start_text, "setting": "facility", "token": uuid4().hex}

    def send_form(self, wish) -> None:
        path, fields = self.form(wish)
        response = self.client.post(path, fields)
        assert response.status_code == 302, response.content[:2000]

    def send_form_by_http(self, wish) -> None:
        self.visitor.post(*self.form(wish))

    def series(self) -> list[Row]:
        path = self.series_path()
        return self.page("series preview of 13 visits", path, 10) if path else []

    def series_path(self) -> str | None:
        try:
            path = reverse("scheduling:series-plan", args=[self.searched.public_id])
        except NoReverseMatch:
            return None
        return f"{path}?site={self.ground.search.site.public_id}&count=13"

    def patients(self) -> list[Row]:
        """Each search as the field asks it while somebody types (the results alone), and as a page of its own."""
        kinds = {
            "a name": f"{self.named.given_name} {self.named.family_name}",
            "the beginning of a name": self.named.family_name[:4],
            "a name with a slip": self.named.family_name[:-1] + "x",
            "a date of birth": f"{self.named.date_of_birth:%Y-%m-%d}",
            "the end of a number": self.named.mrn[-4:],
        }
        rows = []
        for kind, typed in kinds.items():
            path = f"{reverse('patients:patient-list')}?s={seal(typed, whose=self.user.public_id)}"
            rows += self.page(f"patient search as typed, {kind}", path, 2, **{"HX-Request": "true"})
            rows += self.page(f"patient search page, {kind}", path, 2)
        return rows

    def statements(self, phase: str) -> Iterator[Result]:
        """What each request asks of the database: beyond the four statements of the frame, and in all."""
        floor = reverse("bench-page", args=[self.named.public_id])
        frame = self.count(lambda: self.client.get(floor)) - 1
        yield Result(phase, "statements of the frame of every page", count=frame)
        wish = self.next_start()
        asked: list[tuple[str, Callable, int | None]] = [
            ("slot search, page", lambda: self.client.get(self.search_path), 6),
            ("day board, full page", lambda: self.client.get(reverse("scheduling:board")), 8),
            ("booking one visit, form sent", lambda: self.send_form(wish), 20),
        ]
        if path := self.series_path():
            asked.append(("series preview of 13 visits", lambda: self.client.get(path), None))
        yield Result(phase, "statements: slot search, the search alone", count=self.count(self.find) - 1, goal=6)
        for name, call, goal in asked:
            whole = self.count(call)
            yield Result(phase, f"statements: {name}", count=whole - frame, goal=goal, note=f"{whole} with the frame")

    def count(self, call: Callable) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            call()
        return sum(1 for query in asked if not query["sql"].startswith(TRANSACTION_WORDS))
