"""Sending through a mail provider: its real API client against a server that answers as Postmark does."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infusions.reminders.delivery import message_id_of
from infusions.reminders.models import Reason, Reminder, ReminderState
from infusions.reminders.services import send_due
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, VISIT_DAY

pytestmark = pytest.mark.django_db
PROVIDER_ID = "b7bc2f4a-e38e-4336-af7d-e6c392c2f817"

INACTIVE = (
    "You tried to send to recipient(s) that have been marked as inactive.\n"
    "Found inactive addresses: lost@example.org.\nInactive recipients are ones that have generated a hard bounce."
)


class Desk(BaseHTTPRequestHandler):
    """Takes one message a request, and answers by what the test set."""

    def do_POST(self):  # the name that http.server calls
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)
        status, answer = self.server.answer
        body = json.dumps(answer | ({"To": asked["To"]} if status == 200 else {})).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def provider(settings):
    with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
        server.asked = []
        server.answer = 200, {"ErrorCode": 0, "Message": "OK", "MessageID": PROVIDER_ID, "SubmittedAt": "2026-06-01"}
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        url = f"http://127.0.0.1:{server.server_port}/"
        settings.ANYMAIL = {**settings.ANYMAIL, "POSTMARK_SERVER_TOKEN": "x", "POSTMARK_API_URL": url}
        yield server
        server.shutdown()


@pytest.fixture
def reminder(time_machine):
    time_machine.move_to(NOON, tick=False)
    patient = make_patient(email="lost@example.org")
    return make_reminder(appointment=make_appointment(patient=patient, day=VISIT_DAY))


def test_a_message_goes_under_our_message_id_and_the_provider_s_id_is_kept(provider, reminder):
    assert dict(send_due()) == {"sent": 1}
    reminder.refresh_from_db()
    assert (reminder.message_id, reminder.provider_id) == (message_id_of(reminder), PROVIDER_ID)
    [asked] = provider.asked
    headers = {header["Name"]: header["Value"] for header in asked["Headers"]}
    assert (headers["Message-ID"], headers["X-PM-KeepID"]) == (message_id_of(reminder), "true")
    assert (asked["Metadata"], asked["TrackLinks"], asked["TrackOpens"]) == (
        {"reminder": reminder.public_id},
        "None",
        False,
    )
    assert [(one["Name"], "method" in one["ContentType"]) for one in asked["Attachments"]] == [
        ("appointment.ics", True)
    ]


@pytest.mark.parametrize(
    ("status", "answer", "outcome", "state", "tries"),
    [
        (401, {"ErrorCode": 10, "Message": "No or wrong key"}, "unavailable", ReminderState.OWED, 0),
        (429, {"ErrorCode": 429, "Message": "Too fast"}, "unavailable", ReminderState.OWED, 0),
        (503, {"ErrorCode": 100, "Message": "Maintenance"}, "unavailable", ReminderState.OWED, 0),
        (500, {"ErrorCode": 0, "Message": "A fault"}, "retried", ReminderState.OWED, 1),
        (422, {"ErrorCode": 400, "Message": "Sender signature not found"}, "retried", ReminderState.OWED, 1),
        (422, {"ErrorCode": 406, "Message": INACTIVE}, "failed", ReminderState.FAILED, 1),
    ],
)
def test_what_the_provider_answers_decides_whether_it_is_tried_again(
    provider, reminder, status, answer, outcome, state, tries
):
    provider.answer = status, answer
    assert dict(send_due()) == {outcome: 1}
    reminder.refresh_from_db()
    reason = Reason.ADDRESS_REFUSED if outcome == "failed" else ""
    assert (reminder.state, reminder.tries, reminder.reason, reminder.provider_id) == (state, tries, reason, "")
    assert reminder.detail != ""


def test_a_provider_that_cannot_be_reached_loses_nothing(provider, reminder, settings):
    settings.ANYMAIL = {**settings.ANYMAIL, "POSTMARK_API_URL": "http://127.0.0.1:9/"}
    make_reminder(appointment=reminder.appointment, kind="days_3")
    assert dict(send_due()) == {"unavailable": 1}
    settings.ANYMAIL = {key: value for key, value in settings.ANYMAIL.items() if key != "POSTMARK_SERVER_TOKEN"}
    assert dict(send_due()) == {"unavailable": 1}
    assert set(Reminder.objects.values_list("state", "tries")) == {(ReminderState.OWED, 0)}


def test_a_mail_server_gives_no_provider_id(reminder):
    assert dict(send_due()) == {"sent": 1}
    reminder.refresh_from_db()
    assert (reminder.message_id, reminder.provider_id) == (message_id_of(reminder), "")
