"""The patient's pages "I need another time" and "I cannot come", from what they show to what one press does."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.facility.models import MoveRequests, Site
from infusions.reminders import links
from infusions.reminders.words import stems_in
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.states import State
from infusions.scheduling.waitlist_queries import freed_slots
from infusions.scheduling.work_lists import unconfirmed_visits
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.public_scene import NOON, make_center, make_due_order

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
MOVE, CANCEL, VISIT = links.Purpose.MOVE, links.Purpose.CANCEL, links.Purpose.VISIT


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def reader():
    """A browser of a patient: it knows no session, and no CSRF token."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def visit():
    return make_visit()


def make_visit(*, days=1, **patient) -> Appointment:
    """Monday 8 June 09:00, the day on which it is due."""
    _, chair, nurse = make_center()
    order = make_due_order(dt.date(2026, 5, 11), days=days, **patient)
    return make_appointment(order=order, chair=chair, nurse=nurse, day=dt.date(2026, 6, 8))


def url(visit, purpose):
    name = {MOVE: "move-visit", CANCEL: "cancel-visit", VISIT: "visit"}[purpose]
    return reverse(f"reminders:{name}", args=[links.visit_token(visit, purpose)])


def heading(response) -> str:
    return strip_tags(re.search(r"<h1>.*?</h1>", response.text, re.DOTALL)[0])


def starts_on(response) -> list[dt.datetime]:
    return [clock.quarter_start(int(value)) for value in re.findall(r'name="start"[^>]*value="(\d+)"', response.text)]


def facts(visit) -> tuple:
    visit.refresh_from_db()
    return visit.state, visit.start, visit.version, visit.patient_message, visit.cancel_reason


def test_the_page_offers_some_times_and_moves_to_the_one_that_is_pressed(reader, visit):
    page = reader.get(url(visit, MOVE))
    starts = starts_on(page)
    assert (heading(page), len(starts)) == ("Which time suits you better?", 6)
    assert "Monday, June 8, 2026" in page.text
    answer = reader.post(url(visit, MOVE), {"start": clock.quarter_of(starts[0])}, follow=True)
    assert facts(visit) == (State.CONFIRMED, starts[0], 2, "", "")
    assert heading(answer) == "Thank you, see you then"
    assert "Your appointment is moved to the time that you chose." in answer.text
    assert [slot.start for slot in freed_slots(visit.site, NOON)] == [
        clock.from_local(dt.date(2026, 6, 8), dt.time(9), visit.site.time_zone)
    ]


def test_the_same_press_twice_moves_once(reader, visit):
    old = url(visit, MOVE)
    first, second, *_ = starts_on(reader.get(old))
    reader.post(old, {"start": clock.quarter_of(first)})
    answer = reader.post(old, {"start": clock.quarter_of(second)}, follow=True)
    assert heading(answer) == "Your appointment has a new time"
    assert facts(visit)[1:3] == (first, 2)


def test_a_start_just_taken_is_told_kindly_with_fresh_ones(reader, visit):
    start = starts_on(reader.get(url(visit, MOVE)))[-1]
    make_appointment(chair=visit.chair, nurse=visit.nurse, start=start)
    answer = reader.post(url(visit, MOVE), {"start": clock.quarter_of(start)})
    assert "That time could not be booked any more. Nothing was changed." in answer.text
    assert (start in starts_on(answer), len(starts_on(answer))) == (False, 6)
    assert facts(visit)[2] == 1


@pytest.mark.parametrize("start", [None, "", "soon", "-1", "99999999999999999999"])
def test_without_a_time_nothing_moves_and_one_is_asked_for(reader, visit, start):
    answer = reader.post(url(visit, MOVE), {} if start is None else {"start": start})
    assert ("Please choose a time first." in answer.text, facts(visit)[2]) == (True, 1)


def test_none_of_these_asks_for_a_call_and_the_desk_is_told(reader, visit):
    answer = reader.post(url(visit, MOVE), {"call": "1", "message": "Any afternoon"}, follow=True)
    assert heading(answer) == "We will call you"
    visit.refresh_from_db()
    assert (visit.state, visit.move_requested_at, visit.patient_message) == (State.EXPECTED, NOON, "Any afternoon")
    assert list(unconfirmed_visits(visit.site, NOON)) == [visit]


def test_a_message_too_long_is_not_sent_and_said_so(reader, visit):
    answer = reader.post(url(visit, MOVE), {"call": "1", "message": "x" * 251})
    assert ("Your message is too long." in answer.text, facts(visit)[3]) == (True, "")


def test_a_site_may_want_to_be_asked_instead(reader, visit):
    Site.objects.update(move_requests=MoveRequests.CALL_BACK)
    page = reader.get(url(visit, MOVE))
    assert (heading(page), starts_on(page), "no other free time" in page.text) == ("Shall we call you?", [], False)
    reader.post(url(visit, MOVE), {"start": clock.quarter_of(visit.start + DAY)})
    assert facts(visit)[2] == 1


def test_without_a_time_that_fits_a_call_is_offered(reader, visit):
    visit.site.shifts.all().delete()
    page = reader.get(url(visit, MOVE))
    assert (heading(page), starts_on(page), "no other free time" in page.text) == ("Shall we call you?", [], True)


def test_cancelling_asks_why_frees_the_hours_and_says_what_comes_next(reader, visit):
    page = reader.get(url(visit, CANCEL))
    assert heading(page) == "You cannot come?"
    answer = reader.post(url(visit, CANCEL), {"because": "transport", "message": "Car broke"}, follow=True)
    said = "By the patient: no way to get here. Car broke"
    assert facts(visit) == (State.CANCELLED, visit.start, 2, "", said)
    assert heading(answer) == "This appointment is cancelled"
    assert "We will get in touch with you about a new one." in answer.text
    assert not Claim.objects.exists()
    assert AuditEvent.objects.get(action="appointment.cancelled").actor_name == "Patient"
    assert [slot.start for slot in freed_slots(visit.site, NOON)] == [visit.start]
    again = reader.post(url(visit, CANCEL), {"because": "ill"}, follow=True)
    assert (heading(again), facts(visit)[4]) == ("This appointment is cancelled", said)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "Please choose one"),
        ({"because": "bored"}, "Please choose one"),
        ({"because": "ill", "message": "x" * 141}, "at most 140 letters"),
    ],
)
def test_what_is_missing_is_asked_for_and_nothing_is_cancelled(reader, visit, data, said):
    answer = reader.post(url(visit, CANCEL), data)
    assert (said in answer.text, facts(visit)[0]) == (True, State.EXPECTED)
    assert ('value="ill" required checked' in answer.text) == (data.get("because") == "ill")


@pytest.mark.parametrize("purpose", [MOVE, CANCEL])
def test_close_to_the_visit_the_pages_say_to_call_and_do_nothing(reader, visit, purpose, time_machine):
    time_machine.move_to(visit.start - dt.timedelta(hours=23, minutes=59))
    before = facts(visit)
    for answer in (reader.get(url(visit, purpose)), reader.post(url(visit, purpose), {"because": "ill", "call": "1"})):
        assert (heading(answer), 'href="tel:555 0100"' in answer.text) == ("Please call us about this", True)
    assert facts(visit) == before


def test_one_of_several_days_is_cancelled_by_telephone_only(reader):
    visit = make_visit(days=2)
    answer = reader.post(url(visit, CANCEL), {"because": "ill"})
    assert ("one of several days" in answer.text, facts(visit)[0]) == (True, State.EXPECTED)
    assert heading(reader.get(url(visit, MOVE))) == "Shall we call you?"


@pytest.mark.parametrize("purpose", [MOVE, CANCEL])
@pytest.mark.parametrize("state", [State.ARRIVED, State.IN_PROGRESS, State.COMPLETED, State.NO_SHOW])
def test_once_the_patient_is_there_nothing_is_shown_or_done(reader, visit, purpose, state):
    Appointment.objects.update(state=state)
    data = {"because": "ill", "call": "1"}
    assert [reader.get(url(visit, purpose)).status_code, reader.post(url(visit, purpose), data).status_code] == [
        410
    ] * 2
    assert facts(visit)[0] == state


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_page_tells_of_health_or_names_and_each_speaks_one_language(reader, language):
    visit = make_visit(language=language)
    others = {"en": ("ninguna", "Llámenos", "cita"), "es": ("None of these", "Call us", "appointment")}[language]
    for page in (reader.get(url(visit, MOVE)), reader.post(url(visit, MOVE)), reader.get(url(visit, CANCEL))):
        text = strip_tags(page.text)
        assert f'<html lang="{language}">' in page.text
        assert stems_in(text) == []
        assert [word for word in ("Maria", "Sample", visit.patient.mrn, *others) if word in text] == []
