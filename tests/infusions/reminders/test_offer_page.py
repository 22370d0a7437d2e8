"""The page behind an offer's link: it shows on GET, acts on POST, and is kind to who was late."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.formulary.catalog import load_catalog
from infusions.reminders import links, offer_views
from infusions.reminders.words import CLINICAL_STEMS, formulary_stems, stems_in
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.contention import BUSY
from infusions.scheduling.models import Appointment, OfferState, WaitlistOffer
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 16, tzinfo=dt.UTC)
START = dt.datetime(2026, 6, 3, 13, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def site():
    site = make_site(name="Exampleton Infusion Center", mail_name="Riverside", phone="555 0100")
    make_chair(site=site)
    make_shift(nurse=make_nurse(site=site), site=site, day=START.date())
    return site


@pytest.fixture
def reader():
    """A browser of a patient: it knows no session, and no CSRF token."""
    return Client(enforce_csrf_checks=True)


def offered(site, *, language="en", instead_of_days=None, **fields):
    patient = make_patient(given_name="Maria", chosen_name="Mia", family_name="Sample", language=language)
    order = make_order(patient=patient, infusion_minutes=180)
    visit = None
    if instead_of_days:
        visit = make_appointment(order=order, site=site, start=START + dt.timedelta(days=instead_of_days))
    entry = make_entry(order=order, site=site, notice_hours=2, instead_of=visit)
    return make_offer(entry=entry, start=START, **{"expires_at": NOON + dt.timedelta(hours=4), **fields})


def page_of(offer):
    return reverse("reminders:offer", args=[links.offer_token(offer)])


def heading(response) -> str:
    text = response.content.decode()
    return strip_tags(text[text.index("<h1>") : text.index("</h1>")])


def everything():
    offers = list(WaitlistOffer.objects.order_by("pk").values())
    return offers, Appointment.objects.count(), AuditEvent.objects.count()


def test_a_get_shows_and_never_acts(site, reader):
    offer = offered(site, instead_of_days=7)
    before = everything()
    response = reader.get(page_of(offer))
    assert everything() == before
    assert (response.status_code, heading(response)) == (200, "Would you like this time, Mia?")
    text = strip_tags(response.content.decode())
    for words in ("Wednesday, June 3, 2026", "09:00", "Wednesday, June 10, 2026", "until Monday, June 1, 2026, 16:00"):
        assert words in text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_pressing_yes_books_and_pressing_again_changes_nothing(site, reader):
    offer = offered(site)
    response = reader.post(page_of(offer), {"answer": "accept"}, follow=True)
    assert heading(response) == "It is yours. See you then"
    again = reader.post(page_of(offer), {"answer": "accept"}, follow=True)
    assert heading(again) == "It is yours. See you then"
    (visit,) = Appointment.objects.all()
    assert (visit.start, visit.order) == (START, offer.order)


def test_who_was_slower_is_told_kindly_and_stays_on_the_list(site, reader):
    first, second = offered(site), offered(site, instead_of_days=7)
    reader.post(page_of(first), {"answer": "accept"})
    for response in (reader.get(page_of(second)), reader.post(page_of(second), {"answer": "accept"}, follow=True)):
        assert heading(response) == "This time has gone"
        text = strip_tags(response.content.decode())
        assert "You stay on our list" in text
        assert "Your appointment on Wednesday, June 10, 2026 at 09:00 stays as it is." in text
    second.entry.refresh_from_db()
    assert second.entry.state == "waiting"


def test_a_start_that_is_gone_is_told_before_anybody_presses(site, reader):
    offer = offered(site)
    make_appointment(site=site, chair=site.chairs.get(), nurse=site.shifts.get().nurse, start=START)
    assert heading(reader.get(page_of(offer))) == "This time has gone"
    offer.refresh_from_db()
    assert offer.state == OfferState.OPEN


def test_no_thank_you_declines_and_keeps_the_place_on_the_list(site, reader):
    offer = offered(site)
    assert heading(reader.post(page_of(offer), {"answer": "decline"}, follow=True)) == "Thank you for telling us"
    offer.refresh_from_db()
    assert (offer.state, offer.entry.state) == (OfferState.DECLINED, "waiting")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": OfferState.EXPIRED}, "This offer has ended"),
        ({"expires_at": NOON}, "This offer has ended"),
        ({"state": OfferState.WITHDRAWN}, "This offer no longer stands"),
        ({"state": OfferState.LOST}, "This time has gone"),
    ],
)
def test_what_is_over_is_told_and_cannot_be_taken(site, reader, fields, words):
    offer = offered(site, **fields)
    assert heading(reader.get(page_of(offer))) == words
    assert heading(reader.post(page_of(offer), {"answer": "accept"}, follow=True)) == words
    assert not Appointment.objects.exists()


def test_a_taken_time_that_was_cancelled_later_says_so(site, reader):
    offer = offered(site)
    reader.post(page_of(offer), {"answer": "accept"})
    cancel_appointment(appointment=Appointment.objects.get(), reason="Closed", by=offer.offered_by)
    assert heading(reader.get(page_of(offer))) == "This appointment is cancelled"


def test_too_much_pressing_at_once_is_asked_again_and_loses_nothing(site, reader, monkeypatch):
    offer = offered(site)

    def contended(**_):
        raise RuleViolation([BUSY])

    monkeypatch.setattr(offer_views, "accept_offer", contended)
    response = reader.post(page_of(offer), {"answer": "accept"})
    assert "Please press once more" in response.content.decode()
    offer.refresh_from_db()
    assert offer.state == OfferState.OPEN


@pytest.mark.parametrize("answer", ["", "confirm", "yes"])
def test_other_answers_do_nothing(site, reader, answer):
    offer = offered(site)
    before = everything()
    assert reader.post(page_of(offer), {"answer": answer}).status_code == 302
    assert everything() == before


def test_links_of_another_purpose_or_forged_ones_open_nothing(site, reader):
    offer = offered(site)
    for token in (links.stop_token(offer), links.offer_token(offer)[:-1], "none"):
        assert reader.get(reverse("reminders:offer", args=[token])).status_code == 404


SITUATIONS = ("open", "accepted", "lost", "declined", "expired", "withdrawn", "cancelled", "over")


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_page_tells_of_health_and_all_speak_the_patients_language(site, reader, language, monkeypatch):
    load_catalog()
    clinical = [*CLINICAL_STEMS, *formulary_stems()]
    offer = offered(site, language=language, instead_of_days=7)
    offer.entry.appointment = offer.entry.instead_of
    offer.entry.save()
    for state in SITUATIONS:
        monkeypatch.setattr(offer_views, "situation_of", lambda offered, state=state: state)
        text = reader.get(page_of(offer)).content.decode()
        visible = strip_tags(text).casefold()
        secrets = ("sample", "maria", offer.patient.mrn.casefold())
        assert f'lang="{language}"' in text
        assert stems_in(visible, clinical) == []
        assert [secret for secret in secrets if secret in visible] == []
        assert ("skip to content" in visible, "ir al contenido" in visible) == (language == "en", language == "es")
