"""The patient's page after a visit: a GET shows, a POST sends, and it says at once what to do."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from infusion_center.audit.models import AuditEvent
from infusions.facility.models import OpeningHours
from infusions.reminders import links
from infusions.reminders.after_care import TO_BE_ANSWERED
from infusions.reminders.after_care_models import AfterCareReport
from infusions.reminders.after_care_services import MOST_REPORTS
from infusions.reminders.words import CLINICAL_STEMS, formulary_stems, stems_in
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.after_care import make_report
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
# A visit of Thursday 18 June 2026, 09:00 to 13:00 in New York; the site is open on weekdays from 8 to 18.
ENDED = dt.datetime(2026, 6, 18, 17, tzinfo=dt.UTC)
NEXT_DAY = dt.datetime(2026, 6, 19, 15, tzinfo=dt.UTC)
SATURDAY = dt.datetime(2026, 6, 20, 15, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def next_day(time_machine):
    time_machine.move_to(NEXT_DAY, tick=False)


@pytest.fixture
def reader():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def visit():
    return make_visit()


def make_visit(country="US", state=State.COMPLETED, phone="+12025550143", language="en", **fields) -> Appointment:
    site = make_site(name="Riverside", phone="555 0100", time_zone="America/New_York", country=country)
    OpeningHours.objects.filter(site=site).delete()
    for weekday in range(5):
        OpeningHours.objects.create(site=site, weekday=weekday, opens="08:00", closes="18:00")
    patient = make_patient(given_name="Maria", chosen_name="Mia", family_name="Sample", language=language, phone=phone)
    return make_appointment(site=site, patient=patient, day=dt.date(2026, 6, 18), state=state, **fields)


def url(visit):
    return reverse("reminders:after-visit", args=[links.visit_token(visit, links.Purpose.AFTER)])


def kept() -> list[tuple]:
    return list(AfterCareReport.objects.order_by("id").values_list("values", "comment", "wants_call", "urgency"))


def test_the_address_says_nothing_and_looking_changes_nothing(reader, visit):
    events = AuditEvent.objects.count()
    assert [reader.get(url(visit)).status_code, reader.head(url(visit)).status_code] == [200, 200]
    assert (kept(), AuditEvent.objects.count(), stems_in(url(visit).replace("/", " "))) == ([], events, [])


def test_before_any_question_it_says_where_to_get_help_at_once(reader, visit):
    page = reader.get(url(visit)).text
    first_question = page.index("<form")
    for said in ("Do not use this page in an emergency", 'href="tel:911"'):
        assert 0 < page.index(said) < first_question
    assert ("How are you since your visit, Mia?" in page, "Sample" in page) == (True, False)


def test_no_word_on_the_page_tells_what_was_given_or_for_what(reader, visit):
    pages = [reader.get(url(visit)).text, reader.post(url(visit), {"rest": "on"}, follow=True).text]
    stems = [*formulary_stems(), *CLINICAL_STEMS]
    assert [stems_in(strip_tags(page), stems) for page in pages] == [[], []]


@pytest.mark.parametrize(
    ("answers", "urgency", "said", "unsaid"),
    [
        ({"chest-pain": "yes"}, "emergency", "Call 911 now", "Good to hear"),
        ({"dark-urine": "yes"}, "urgent", "Please call us now", "Call 911 now"),
        ({"rash": "yes"}, "today", "A nurse will call you today.", "Please call us now"),
        ({"wants_call": "on"}, "today", "A nurse will call you today.", "Call 911 now"),
        ({"comment": "My  ear\nrings"}, "today", "A nurse will call you today.", "Call 911 now"),
        ({"rest": "on"}, "none", "You do not need to call.", "A nurse will call you"),
        (dict.fromkeys(TO_BE_ANSWERED, "no"), "none", "You do not need to call.", "A nurse will call you"),
    ],
)
def test_what_was_sent_is_kept_and_answered_at_once(reader, visit, answers, urgency, said, unsaid):
    page = reader.post(url(visit), answers, follow=True).text
    values = {code: answer for code, answer in answers.items() if answer in ("yes", "no")}
    if "rest" in answers:
        values = dict.fromkeys(TO_BE_ANSWERED, "no")
    words = " ".join(answers.get("comment", "").split())
    assert kept() == [(values, words, "wants_call" in answers, urgency)]
    assert (said in page, unsaid in page) == (True, False)
    event = AuditEvent.objects.get(action="after_care.reported_by_patient")
    assert (event.actor_name, event.detail["urgency"]) == ("Patient", urgency)


def test_the_rest_is_no_beside_a_yes(reader, visit):
    reader.post(url(visit), {"rash": "yes", "rest": "on"})
    assert kept() == [({**dict.fromkeys(TO_BE_ANSWERED, "no"), "rash": "yes"}, "", False, "today")]


def test_an_emergency_is_told_first_loudly_and_with_a_number_to_press(reader, visit):
    page = reader.post(url(visit), {"breathing": "yes"}, follow=True).text
    main = page[page.index("<main") :]
    alert = main[main.index('role="alert"') :]
    assert main.index('role="alert"') < main.index("<h1>") < main.index("</p>")
    assert alert.index("Call 911 now") < alert.index('href="tel:911"') < alert.index("Do not wait for our call")


@pytest.mark.parametrize(
    ("country", "said", "link"),
    [("GB", "Call 999 now", 'href="tel:999"'), ("ES", "Call 112 now", 'href="tel:112"'), ("JP", "Call your", None)],
)
def test_the_number_is_that_of_the_country(reader, country, said, link):
    page = reader.post(url(make_visit(country)), {"chest-pain": "yes"}, follow=True).text
    assert (said in page, link is None or link in page, "911" in page) == (True, True, False)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"limb": "yes"}, "We are closed now</strong> until Monday, June 22, 2026, 08:00. Do not wait until then"),
        ({"fever": "yes"}, "We are closed now. A nurse will call you on Monday, June 22, 2026."),
    ],
)
def test_nobody_is_promised_a_call_while_the_site_is_closed(reader, visit, time_machine, answers, said):
    time_machine.move_to(SATURDAY, tick=False)
    page = reader.post(url(visit), answers, follow=True).text
    assert (said in page, "call you today" in page) == (True, False)


def test_where_the_site_has_no_telephone_the_doctor_is_called(reader, visit):
    visit.site.phone = ""
    visit.site.save()
    page = reader.post(url(visit), {"limb": "yes"}, follow=True).text
    assert ("Please call your doctor now" in page, "call us" in page) == (True, False)


def test_a_patient_without_a_telephone_is_asked_to_call(reader):
    page = reader.post(url(make_visit(phone="")), {"fever": "yes"}, follow=True).text
    assert ("We have no telephone number of yours: please call us today." in page, "will call" in page) == (True, False)


@pytest.mark.parametrize("data", [{}, {"chest-pain": "no"}, {"rash": "maybe"}, {"comment": "x" * 301}])
def test_what_says_nothing_or_nonsense_is_not_kept_and_asked_again(reader, visit, data):
    answer = reader.post(url(visit), data)
    assert (answer.status_code, kept(), "Nothing was sent yet." in answer.text) == (200, [], True)
    assert ('id="chest-pain-no" value="no" checked' in answer.text) == ("chest-pain" in data)


def test_what_was_left_open_is_marked(reader, visit):
    answer = reader.post(url(visit), {code: "no" for code in TO_BE_ANSWERED if code != "limb"})
    assert (answer.text.count("Please say yes or no</p>"), 'id="limb-missing"' in answer.text) == (1, True)


def test_sent_again_it_is_a_further_row_and_an_earlier_danger_is_not_forgotten(reader, visit):
    reader.post(url(visit), {"dark-urine": "yes"})
    assert "Please call us now" in reader.get(url(visit)).text
    assert "Dark urine" in reader.get(f"{url(visit)}?again=1").text
    page = reader.post(url(visit), {"rest": "on"}, follow=True).text
    assert [row[3] for row in kept()] == ["urgent", "none"]
    assert ("A nurse will still call you about it." in page, "You do not need to call" in page) == (True, False)


def test_after_twenty_reports_it_asks_to_call(reader, visit):
    for _ in range(MOST_REPORTS):
        make_report(visit, "rash")
    answer = reader.post(url(visit), {"rash": "yes"})
    assert (answer.status_code, len(kept()), "Please call us instead." in answer.text) == (200, MOST_REPORTS, True)


@pytest.mark.parametrize("data", [{"comment": "x" * 301}, {"rash": "maybe"}])
def test_what_cannot_be_kept_still_tells_of_an_emergency(reader, visit, data):
    page = reader.post(url(visit), {"breathing": "yes", **data}).text
    assert ("Call 911 now" in page, "We could not keep your answers." in page, kept()) == (True, True, [])


def test_whoever_comes_back_another_day_is_asked_anew(reader, visit, time_machine):
    reader.post(url(visit), {"chest-pain": "yes"})
    time_machine.move_to(NEXT_DAY + dt.timedelta(hours=12), tick=False)
    assert "How are you since your visit" in reader.get(url(visit)).text


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (ENDED - dt.timedelta(minutes=1), "Please come back after your visit"),
        (ENDED, "How are you since your visit"),
        (ENDED + 14 * DAY - dt.timedelta(minutes=1), "How are you since your visit"),
        (ENDED + 14 * DAY, "These questions are closed"),
    ],
)
def test_open_from_the_end_of_the_visit_for_fourteen_days(reader, visit, time_machine, now, said):
    time_machine.move_to(now, tick=False)
    assert said in reader.get(url(visit)).text
    reader.post(url(visit), {"chest-pain": "yes"})
    assert len(kept()) == ("How are you" in said)
    assert 'tel:911"' in reader.get(url(visit)).text  # closed or not


@pytest.mark.parametrize(
    ("fields", "is_open"),
    [
        ({"state": State.STOPPED_EARLY, "finished_at": ENDED - dt.timedelta(hours=3)}, True),
        ({"setting": "home"}, True),
        ({"setting": "home", "state": State.CONFIRMED}, True),  # the tablet of the home nurse was not in touch yet
        ({"state": State.CANCELLED}, False),
        ({"state": State.NO_SHOW}, False),
    ],
)
def test_for_every_visit_that_took_place(reader, fields, is_open):
    assert ("How are you" in reader.get(url(make_visit(**fields))).text) == is_open


def test_a_visit_stopped_early_is_asked_about_from_then_on(reader, time_machine):
    stopped = make_visit(state=State.STOPPED_EARLY, finished_at=ENDED - dt.timedelta(hours=3))
    time_machine.move_to(ENDED - dt.timedelta(hours=3), tick=False)
    assert "How are you" in reader.get(url(stopped)).text


def test_a_link_of_another_purpose_opens_nothing(reader, visit):
    address = reverse("reminders:after-visit", args=[links.visit_token(visit, links.Purpose.BEFORE)])
    assert (reader.get(address).status_code, reader.post(address, {"rash": "yes"}).status_code, kept()) == (
        404,
        404,
        [],
    )


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"chest-pain": "yes"}, "Llame al 911 ahora"),
        ({"limb": "yes"}, "Llámenos ahora, por favor"),
        ({"tired": "yes"}, "Una enfermera le llamará hoy."),
        ({"rest": "on"}, "No hace falta que llame."),
    ],
)
def test_a_spanish_patient_reads_spanish_throughout(reader, answers, said):
    visit = make_visit(language="es")
    asked = reader.get(url(visit)).text
    refused = reader.post(url(visit), {}).text
    told = reader.post(url(visit), answers, follow=True).text
    assert ("¿Cómo está desde su visita, Mia?" in asked, "Responda sí o no, por favor" in refused) == (True, True)
    assert said in told
    english = ("Call", "Please", "nurse", "Send", "Thank you", ">Yes<", "visit,")
    assert [word for word in english for page in (asked, refused, told) if word in page] == []
