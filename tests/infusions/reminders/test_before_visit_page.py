"""The patient's page "Before your visit": a GET shows, a POST sends, kindly and in the patient's language."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.checklists.models import PatientReport
from infusions.reminders import links
from infusions.reminders.words import stems_in
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
EVENING_BEFORE = dt.datetime(2026, 6, 17, 22, 20, tzinfo=dt.UTC)
MORNING = dt.datetime(2026, 6, 18, 11, 5, tzinfo=dt.UTC)
GOOD = {"intake-day-before": "8", "intake-today": "2", "urine-normal": "yes", "infection": "no", "new-drugs": "no"}


@pytest.fixture(autouse=True)
def morning(time_machine):
    time_machine.move_to(MORNING, tick=False)


@pytest.fixture
def reader():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def visit():
    return make_visit()


def make_visit(**patient) -> Appointment:
    site = make_site(name="Riverside", phone="555 0100", time_zone="America/New_York")
    patient = make_patient(given_name="Maria", chosen_name="Mia", family_name="Sample", **patient)
    return make_appointment(site=site, patient=patient, day=dt.date(2026, 6, 18))


def url(visit):
    return reverse("reminders:before-visit", args=[links.visit_token(visit, links.Purpose.BEFORE)])


def kept() -> list[dict]:
    return list(PatientReport.objects.order_by("id").values_list("values", flat=True))


def test_the_address_says_nothing_and_looking_changes_nothing(reader, visit):
    events = AuditEvent.objects.count()
    assert [reader.get(url(visit)).status_code, reader.head(url(visit)).status_code] == [200, 200]
    assert (kept(), AuditEvent.objects.count(), stems_in(url(visit).replace("/", " "))) == ([], events, [])


def test_on_the_day_five_taps_are_kept_as_the_check_holds_them(reader, visit):
    page = reader.get(url(visit)).text
    for shown in ("Before your visit, Mia", "glasses did you drink yesterday?", "drunk today so far?", "555 0100"):
        assert shown in page
    assert "Sample" not in page
    answer = reader.post(url(visit), {**GOOD, "comment": "All well"}, follow=True)
    assert kept() == [
        {
            "intake-day-before": "1920",
            "intake-today": "480",
            "urine-normal": "yes",
            "infection": "no",
            "new-drugs": ["none"],
        }
    ]
    assert PatientReport.objects.get().comment == "All well"
    assert "You do not need to call." in answer.text


def test_the_evening_before_today_counts_as_the_day_before(reader, visit, time_machine):
    time_machine.move_to(EVENING_BEFORE, tick=False)
    page = reader.get(url(visit)).text
    assert ("drunk today so far?" in page, "drink yesterday?" in page) == (True, False)
    reader.post(url(visit), {"intake-day-before": "6", "intake-today": "3"})
    assert kept() == [{"intake-day-before": "1440"}]


def test_two_days_before_fluids_are_not_asked_yet(reader, visit, time_machine):
    time_machine.move_to(dt.datetime(2026, 6, 16, 16, tzinfo=dt.UTC), tick=False)
    page = reader.get(url(visit)).text
    assert ("glasses" in page, "Come back to this page the day before" in page) == (False, True)


def test_earlier_than_that_the_page_says_from_when(reader, visit, time_machine):
    time_machine.move_to(dt.datetime(2026, 6, 15, 16, tzinfo=dt.UTC), tick=False)
    assert "Tuesday, June 16, 2026" in reader.get(url(visit)).text
    reader.post(url(visit), GOOD)
    assert kept() == []
    assert url(visit) not in reader.get(reverse("reminders:visit", args=[links.visit_token(visit)])).text


def test_the_page_of_the_visit_leads_there(reader, visit):
    assert url(visit) in reader.get(reverse("reminders:visit", args=[links.visit_token(visit)])).text


@pytest.mark.parametrize(
    ("answers", "said", "unsaid"),
    [
        ({"infection": "yes"}, "Please call us before you come", "You do not need to call"),
        ({"urine-normal": "no"}, "Please call us before you come", "You do not need to call"),
        ({"intake-day-before": "3"}, "drink a few more glasses", "Please call us before you come"),
        ({"new-drugs": "yes"}, "bring the new medicine", "Please call us before you come"),
    ],
)
def test_the_thanks_say_when_to_call_and_when_not(reader, visit, answers, said, unsaid):
    page = reader.post(url(visit), GOOD | answers, follow=True).text
    assert (said in page, unsaid in page) == (True, False)


def test_who_is_asked_to_call_reads_what_to_do_when_nobody_answers(reader, visit):
    page = reader.post(url(visit), GOOD | {"infection": "yes"}, follow=True).text
    assert ("after-hours medical line" in page, 'href="tel:911"' in page) == (True, True)


def test_whoever_must_drink_little_is_not_told_to_drink_more(reader):
    visit = make_visit(fluid_restriction_ml_per_day=1200)
    page = reader.post(url(visit), GOOD | {"intake-day-before": "3"}, follow=True).text
    assert ("You do not need to call." in page, "more glasses" in page) == (True, False)


def test_it_may_be_sent_again_and_both_are_kept(reader, visit):
    reader.post(url(visit), GOOD)
    assert "Thank you" in reader.get(url(visit)).text
    assert "yesterday?" in reader.get(f"{url(visit)}?again=1").text
    reader.post(url(visit), {"infection": "yes"})
    assert [report.get("infection") for report in kept()] == ["no", "yes"]
    assert "Please call us before you come" in reader.get(url(visit)).text


@pytest.mark.parametrize("data", [{}, {"infection": "maybe"}, {"intake-today": "99"}, {"comment": "x" * 301}])
def test_what_says_nothing_or_nonsense_is_not_kept_and_asked_again(reader, visit, data):
    answer = reader.post(url(visit), {**data, "urine-normal": "yes"} if data else {})
    assert (answer.status_code, kept(), "Nothing was sent yet." in answer.text) == (200, [], True)
    assert ('id="urine-normal-yes" value="yes" checked' in answer.text) == bool(data)


def test_a_link_to_an_earlier_time_leads_to_the_page_of_the_visit(reader, visit):
    old, day = url(visit), dt.timedelta(days=1)
    Appointment.objects.update(version=2, start=visit.start + day, end=visit.end + day)
    answer = reader.post(old, GOOD, follow=True)
    assert ("Your appointment has a new time" in answer.text, kept()) == (True, [])


@pytest.mark.parametrize("state", [State.ARRIVED, State.IN_PROGRESS, State.COMPLETED, State.NO_SHOW])
def test_once_the_patient_is_there_nothing_is_asked(reader, visit, state):
    Appointment.objects.update(state=state)
    assert [reader.get(url(visit)).status_code, reader.post(url(visit), GOOD).status_code, kept()] == [410, 410, []]


def test_a_spanish_patient_reads_spanish_throughout(reader):
    visit = make_visit(language="es")
    asked = reader.get(url(visit)).text
    thanks = reader.post(url(visit), GOOD, follow=True).text
    assert "¿Cuántos vasos bebió ayer?" in asked
    assert "No hace falta que llame." in thanks
    assert [word for word in ("How many", "Send", "Thank you", "Change") if word in asked + thanks] == []
