"""A patient's way through the center, told with marked words: none of them comes into a log, an address or a task."""

import inspect
import logging
import re

import pytest
from django.conf import settings as project
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from infusion_center.celery import app
from infusion_center.core.log_lines import JsonLines, PlainLines
from infusions.reminders import services, tasks
from tests.journeys import steps

pytestmark = [pytest.mark.django_db, pytest.mark.once]
WORDS = {
    "family_name": "Qzfamily", "given_name": "Qzgiven", "chosen_name": "Qzchosen", "mrn": "QZ77301",
    "date_of_birth": "1931-07-29", "email": "qzmail@example.org", "phone": "+1 212 555 0187",
    "address_line": "7 Qzstreet", "city": "Qzcity", "diagnosis_text": "Qzdiagnosis", "preferences": "Qzwish",
}  # fmt: skip
TYPED = ("Qzreason", "Qzpassword", "qzstaff@example.org", "Qzid", "Qzerror", "Qznote")
OTHERWISE = ("7/29/1931", "29-Jul-1931", "555-0187", "5550187")  # as pages write them
MARKS = re.compile("|".join(map(re.escape, [*WORDS.values(), *TYPED, *OTHERWISE])), re.IGNORECASE)
ADDRESSES = re.compile(r"""(?:href|action|src|hx-\w+|data-address)=["']([^"'#]+)""")
CONTACT = ("mailto:", "tel:")


class Lines(logging.Handler):
    """Each record as both forms write it."""

    def __init__(self):
        super().__init__()
        self.written: list[str] = []

    def emit(self, record):
        self.written += [JsonLines().format(record), PlainLines().format(record)]


@pytest.fixture
def lines():
    handler, root = Lines(), logging.getLogger()
    root.addHandler(handler)
    before, root.level = root.level, logging.INFO
    yield handler.written
    root.removeHandler(handler)
    root.setLevel(before)


seen: list[str] = []


def addresses_seen(get_response):
    """A middleware that notes every address: asked for, led to, and written into a page."""

    def note(request) -> HttpResponse:
        response = get_response(request)
        heads = [response.headers.get(name, "") for name in ("Location", "HX-Redirect", "HX-Replace-Url")]
        written = ADDRESSES.findall(response.content.decode(errors="ignore")) if not response.streaming else []
        seen.extend([request.get_full_path(), *heads, *(one for one in written if not one.startswith(CONTACT))])
        return response

    return note


@pytest.fixture
def center(time_machine, settings):
    seen.clear()
    settings.MIDDLEWARE = [f"{__name__}.addresses_seen", *project.MIDDLEWARE]
    return steps.open_center(time_machine)


def search(center, patient):
    """At the desk, as typed and as sent; for a walk-in; among the messages."""
    desk = center.walk("scheduler").client
    found = []
    for name in ("patients:patient-list", "scheduling:walk-in", "reminders:reminder-list"):
        found.append(desk.post(reverse(name), {"q": WORDS["family_name"]}, follow=True))
    desk.post(reverse("patients:patient-list"), {"q": "Qzgiven 7/29/1931"}, headers={"HX-Request": "true"})
    assert all(patient.family_name in page.content.decode() for page in found[:2])


def go_wrong(center):
    """What is refused, missing or broken, with marked words wherever a stranger can put some."""
    stranger = Client(raise_request_exception=False)
    signed_in = center.walk("nurse").client
    signed_in.raise_request_exception = False
    login = {"login": "qzstaff@example.org", "password": "Qzpassword"}
    answers = [
        stranger.post("/accounts/login/", login),
        Client(enforce_csrf_checks=True).post("/accounts/login/?q=Qzid", login),
        stranger.get("/patients/Qzid/?q=Qzid"),
        signed_in.get("/patients/Qzid/"),
        signed_in.get("/no/such/Qzid/"),
        signed_in.get("/orders/a%00Qzid/"),
        stranger.get("/health/?q=Qzid", headers={"host": "qz.example"}),
        stranger.get("/health/?q=Qzid", headers={"user-agent": "Qzid", "referer": "https://qz.example/"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 403, 302, 404, 404, 400, 400, 500]


def failing(*args, **kwargs):
    raise ValueError("Qzerror") from KeyError(WORDS["family_name"])


def test_no_word_of_a_patient_comes_into_logs_or_addresses(center, lines, monkeypatch):
    patient = steps.register_patient(center, **WORDS)
    steps.draft_order(center, patient, is_first_dose="on")
    steps.sign_order(center, patient)
    steps.book(center, patient)
    search(center, patient)
    tasks.plan_reminders.apply()
    tasks.send_due_reminders.apply()
    assert [message.to for message in mail.outbox] == [[WORDS["email"]]]
    steps.confirm_by_link(mail.outbox[0]).press("Yes, I will come")
    monkeypatch.setattr("infusions.reminders.heartbeat.health", failing)
    go_wrong(center)
    monkeypatch.setattr(services, "send_due", failing)
    tasks.send_due_reminders.apply()
    assert (len(lines) > 60, len(seen) > 1000) == (True, True)
    assert [line for line in lines if MARKS.search(line)] == []
    assert [one for one in seen if MARKS.search(one) and "Qzid" not in one] == []  # those were asked for from outside
    assert sum('"error": "ValueError < KeyError"' in line for line in lines) == 2


def test_tasks_take_no_arguments():
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if name.startswith("infusion")}
    taken = {name: list(inspect.signature(task.run).parameters) for name, task in ours.items()}
    assert (len(ours) >= 4, {name: names for name, names in taken.items() if names}) == (True, {})
    assert [name for name, beat in project.CELERY_BEAT_SCHEDULE.items() if beat.get("args") or beat.get("kwargs")] == []
