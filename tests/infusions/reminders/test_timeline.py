"""The messages and answers of a visit, on its page."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infusions.checklists.models import PatientReport
from infusions.reminders.after_care_models import AfterCareCall, AfterCareReport, CallOutcome, Urgency
from infusions.reminders.models import Kind, Reason, ReminderState
from infusions.scheduling import attendance
from tests.factories.accounts import make_staff
from tests.factories.mail_events import make_block, make_mail_event
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, VISIT_DAY

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def visit(site):
    return make_appointment(site=site, day=VISIT_DAY)


def page_of(client, visit):
    return client.get(reverse("scheduling:appointment-detail", args=[visit.public_id]))


def lines(page) -> list[tuple]:
    return [(line.text, line.note, line.tone) for line in page.context["correspondence"]]


def live_through(visit, time_machine) -> None:
    """A visit of which much was written and answered, an hour apart."""
    sent = make_reminder(appointment=visit, state=ReminderState.SENT)
    make_mail_event(reminder=sent, kind="deferred", happened_at=NOON + HOUR, detail="452 full")
    make_mail_event(reminder=sent, kind="deferred", happened_at=NOON + 2 * HOUR, detail="452 still full")
    make_mail_event(reminder=sent, kind="bounced", happened_at=NOON + 3 * HOUR, detail="550 gone")
    skipped = {"state": ReminderState.SKIPPED, "reason": Reason.TOO_LATE, "settled_at": NOON + 4 * HOUR}
    make_reminder(appointment=visit, kind=Kind.DAYS_7, **skipped)
    failed = {"state": ReminderState.FAILED, "reason": Reason.GAVE_UP, "settled_at": NOON + 5 * HOUR}
    make_reminder(appointment=visit, kind=Kind.DAYS_3, detail="451 no", **failed)
    time_machine.move_to(NOON + 6 * HOUR, tick=False)
    attendance.confirm(appointment=visit, by=None)
    time_machine.move_to(NOON + 7 * HOUR, tick=False)
    attendance.request_move(appointment=visit, message="A Friday, please")
    PatientReport.objects.create(appointment=visit, values={"infection": "yes"}, reported_at=NOON + 8 * HOUR)
    after = {"appointment": visit, "values": {"chest-pain": "yes"}, "wants_call": True}
    report = AfterCareReport.objects.create(urgency=Urgency.EMERGENCY, reported_at=NOON + 9 * HOUR, **after)
    AfterCareCall.objects.create(
        report=report, outcome=CallOutcome.REACHED, called_at=NOON + 10 * HOUR, called_by=make_staff()
    )
    make_reminder(appointment=visit, kind=Kind.DAYS_1, due_at=NOON + 24 * HOUR)


def test_the_page_tells_what_was_sent_and_answered_newest_first(client_for, visit, time_machine):
    live_through(visit, time_machine)
    page = page_of(client_for("nurse"), visit)
    assert lines(page) == [
        ("1 day before: due", "", "ahead"),
        ("Called: spoke with the patient", "", ""),
        ("Answered the questions of the day after", "Emergency: call now. Asks for a call", "bad"),
        ("Answered the questions before the visit", "Was asked to call: signs of infection, or little urine", "bad"),
        ("Asked for another time", "", "answer"),
        ("Confirmed the visit", "", "answer"),
        ("3 days before: failed", "Given up after too many tries. 451 no", "bad"),
        ("7 days before: skipped", "Too close to the visit for this reminder", ""),
        ("Confirmation: came back", "550 gone", "bad"),
        ("Confirmation: sent", "", ""),
    ]
    text = page.content.decode()
    assert "Mon 1 Jun 2026, 15:00" in text  # three hours after noon in New York
    for reminder in visit.reminders.all():
        assert reverse("reminders:reminder-detail", args=[reminder.public_id]) in text
    assert "Emergency: call now" not in page_of(client_for("scheduler"), visit).content.decode()


def test_the_page_says_that_somebody_has_to_call(client_for, site):
    soon = make_appointment(site=site, day=dt.date(2026, 6, 9))
    make_block(soon.patient.email)
    text = page_of(client_for("nurse"), soon).content.decode()
    assert "No mail reaches the patient. Mail to the address on file comes back." in text


def test_the_timeline_costs_the_same_however_much_was_sent(client_for, site, visit, time_machine):
    quiet, client = make_appointment(site=site, day=VISIT_DAY + dt.timedelta(days=1)), client_for("nurse")
    live_through(visit, time_machine)
    with CaptureQueriesContext(connection) as few:
        assert lines(page_of(client, quiet)) == []
    with CaptureQueriesContext(connection) as many:
        assert len(lines(page_of(client, visit))) == 10
    assert len(many) <= len(few) + 4  # calls about the report and who made them, for line and panel
