"""Pages behind links from mail: a GET shows, a POST acts, a wrong link tells nothing."""

import datetime as dt

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from infusion_center.audit.models import AuditEvent
from infusions.facility.models import Setting
from infusions.reminders import links
from infusions.reminders.words import stems_in
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.models import Channel, ContactPreference
from patients.queries import may_contact
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 16, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def appointment():
    return make_visit()


@pytest.fixture
def reader():
    """A browser of a patient: it knows no session, and no CSRF token."""
    return Client(enforce_csrf_checks=True)


def make_visit(**patient_fields) -> Appointment:
    site = make_site(name="Riverside Infusion Center", mail_name="Riverside", phone="555 0100", address="1 River Road")
    patient = make_patient(given_name="Maria", chosen_name="Mia", family_name="Sample", **patient_fields)
    return make_appointment(site=site, patient=patient, day=dt.date(2026, 6, 18))


def visit_url(appointment):
    return reverse("reminders:visit", args=[links.visit_token(appointment)])


def stop_url(appointment):
    return reverse("reminders:stop", args=[links.stop_token(appointment)])


def facts(appointment) -> tuple:
    appointment.refresh_from_db()
    return (appointment.state, appointment.confirmed_at, appointment.move_requested_at, appointment.patient_message)


def test_the_page_shows_when_where_and_whom_to_call(reader, appointment):
    page = reader.get(visit_url(appointment)).content.decode()
    for shown in ("Can you come, Mia?", "Thursday, June 18, 2026", "09:00", "Riverside", "1 River Road", "555 0100"):
        assert shown in page
    for hidden in ("Maria", "Sample", appointment.patient.mrn):
        assert hidden not in page
    assert stems_in(strip_tags(page)) == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_who_is_visited_at_home_is_not_asked_to_come(reader, language):
    visit = make_visit(language=language)
    Appointment.objects.update(setting=Setting.HOME, chair=None)
    pages = [visit_url(visit), reverse("reminders:cancel-visit", args=[links.visit_token(visit, links.Purpose.CANCEL)])]
    read = " ".join(reader.get(page).text for page in pages)
    coming = ("you come", "I will come", "cannot come", "get there", "Puede venir", "puede venir", "iré", "llegar")
    assert [words for words in coming if words in read] == []


def test_confirming_confirms_and_thanks(reader, appointment):
    response = reader.post(visit_url(appointment), {"answer": "confirm"}, follow=True)
    assert facts(appointment) == (State.CONFIRMED, NOON, None, "")
    assert "You have confirmed this appointment." in response.content.decode()
    assert AuditEvent.objects.get(action="appointment.confirmed").actor_name == "Patient"


def test_the_page_leads_to_the_other_answers(reader, appointment):
    page = reader.get(visit_url(appointment)).text
    for name, purpose in (("move-visit", links.Purpose.MOVE), ("cancel-visit", links.Purpose.CANCEL)):
        assert reverse(f"reminders:{name}", args=[links.visit_token(appointment, purpose)]) in page
    assert stop_url(appointment) in page


def test_close_to_the_visit_it_says_to_call_instead(reader, appointment, time_machine):
    time_machine.move_to(appointment.start - dt.timedelta(hours=23))
    page = reader.get(visit_url(appointment)).text
    said = ("I will come" in page, "too close to your appointment" in page, "tel:555 0100" in page)
    assert (said, "/move/" in page, "/cancel/" in page) == ((True, True, True), False, False)


def test_who_asked_for_another_time_may_come_after_all(reader, appointment):
    Appointment.objects.update(move_requested_at=NOON)
    assert "Until then this appointment is kept for you." in reader.get(visit_url(appointment)).text
    reader.post(visit_url(appointment), {"answer": "confirm"})
    assert facts(appointment)[:3] == (State.CONFIRMED, NOON, None)


@pytest.mark.parametrize("data", [{}, {"answer": "delete"}, {"answer": "move", "message": "x"}])
def test_answers_that_the_page_does_not_offer_change_nothing(reader, appointment, data):
    before = facts(appointment)
    assert reader.post(visit_url(appointment), data).status_code == 302
    assert facts(appointment) == before


def test_an_old_link_shows_the_new_time_and_does_not_answer_for_it(reader, appointment):
    old = visit_url(appointment)
    day = dt.timedelta(days=1)
    Appointment.objects.update(version=2, start=appointment.start + day, end=appointment.end + day)
    page = reader.get(old).content.decode()
    assert "Your appointment has a new time" in page
    assert "Friday, June 19, 2026" in page
    reader.post(old, {"answer": "confirm"})
    assert facts(appointment)[0] == State.EXPECTED
    appointment.refresh_from_db()
    assert visit_url(appointment) in page


def test_a_cancelled_visit_says_so(reader, appointment):
    url = visit_url(appointment)
    Appointment.objects.update(state=State.CANCELLED, cancelled_at=NOON, version=2)
    assert "This appointment is cancelled" in reader.get(url).content.decode()
    reader.post(url, {"answer": "confirm"})
    assert facts(appointment)[0] == State.CANCELLED


@pytest.mark.parametrize("state", [State.ARRIVED, State.IN_PROGRESS, State.COMPLETED, State.NO_SHOW])
def test_a_visit_under_way_or_done_shows_no_details(reader, appointment, state):
    url = visit_url(appointment)
    Appointment.objects.update(state=state)
    response = reader.get(url)
    assert response.status_code == 410
    assert "June" not in response.content.decode()


def test_a_visit_that_has_begun_shows_no_details(reader, appointment, time_machine):
    time_machine.move_to(appointment.start)
    response = reader.get(visit_url(appointment))
    assert response.status_code == 410
    assert "June" not in response.content.decode()


def test_a_spanish_patient_reads_spanish(reader):
    appointment = make_visit(language="es")
    page = reader.get(visit_url(appointment)).content.decode()
    assert '<html lang="es">' in page
    assert "jueves 18 de junio de 2026" in page
    assert "¿No recibir más correos?" in reader.get(stop_url(appointment)).content.decode()


def test_forged_and_foreign_tokens_tell_nothing(reader, appointment):
    good = links.visit_token(appointment)
    wrong = {
        "cut off": good[:-1],
        "other purpose": links.stop_token(appointment),
        "other key": signing.TimestampSigner(key="x" * 50, salt=links.Purpose.VISIT.salt, sep=".").sign("a-1"),
        "no such visit": links._signer(links.Purpose.VISIT.salt).sign("nosuchvisit-1"),
        "nonsense": "x",
    }
    answers = {name: reader.get(reverse("reminders:visit", args=[token])) for name, token in wrong.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(wrong, 404)
    assert len({answer.content for answer in answers.values()}) == 1
    assert reader.post(reverse("reminders:stop", args=[good])).status_code == 404


def test_links_expire(reader, appointment, time_machine):
    url = stop_url(appointment)
    time_machine.move_to(NOON + links.MAX_AGE + dt.timedelta(seconds=1))
    assert reader.get(url).status_code == 410
    assert reader.post(url).status_code == 410
    assert may_contact(appointment.patient, Channel.EMAIL)


def test_a_wrong_link_answers_in_the_browsers_language(reader):
    assert "Este enlace no funciona" in reader.get("/v/x/", headers={"accept-language": "es-MX"}).content.decode()


def test_nothing_of_these_pages_is_kept_or_passed_on(reader, appointment):
    for url in (visit_url(appointment), stop_url(appointment), "/v/x/"):
        headers = reader.get(url).headers
        assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_addresses_hold_no_names(appointment):
    # Before time and signature, which are random letters, stand the visit's public id and its version; no more.
    told = [
        url.rstrip("/").rsplit("/", 1)[-1].rsplit(".", 2)[0] for url in (visit_url(appointment), stop_url(appointment))
    ]
    assert told == [f"{appointment.public_id}-1", appointment.public_id]


def test_stopping_mails_is_the_patients_own_decision_and_can_be_taken_back(reader, appointment):
    response = reader.post(stop_url(appointment), {"mails": "off"}, follow=True)
    assert "We do not write to you" in response.content.decode()
    latest = ContactPreference.objects.order_by("-pk").first()
    assert (latest.consents, latest.recorded_by) == (False, None)
    reader.post(stop_url(appointment), {"mails": "on"})
    assert may_contact(appointment.patient, Channel.EMAIL)


def test_a_mail_program_unsubscribes_with_one_post_that_is_not_sent_elsewhere(reader, appointment):
    for _ in range(2):
        response = reader.post(stop_url(appointment), {"List-Unsubscribe": "One-Click"})
        assert (response.status_code, "We do not write to you" in response.text) == (200, True)
    assert not may_contact(appointment.patient, Channel.EMAIL)
    assert ContactPreference.objects.filter(consents=False).count() == 1
