"""How often links may be asked: generous for families and mail scanners, an end for whoever presses without one."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from infusions.reminders import links
from infusions.reminders.limits import RATES
from infusions.scheduling.models import Appointment
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer
from tests.infusions.reminders.public_scene import NOON, make_scene

pytestmark = pytest.mark.django_db


BACKEND = "django.core.cache.backends.db.DatabaseCache"


@pytest.fixture(autouse=True)
def _limited(settings, time_machine):
    settings.LIMITS_PATIENT_LINKS = True
    time_machine.move_to(NOON, tick=False)
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def few(monkeypatch):
    """The same rules with small numbers."""
    for name, rate in {"look": "3/m/key", "answer": "5/m/ip,2/m/key", "search": "1/m/key", "guess": "2/m/ip"}.items():
        monkeypatch.setitem(RATES, name, rate)


@pytest.fixture
def reader():
    return Client()


def make_visit(**patient) -> Appointment:
    site = make_site(phone="555 0100")
    return make_appointment(site=site, patient=make_patient(**patient), day=dt.date(2026, 6, 18))


def url(visit, purpose=links.Purpose.VISIT, name="visit"):
    return reverse(f"reminders:{name}", args=[links.visit_token(visit, purpose)])


def statuses(ask, address, times, **more) -> list[int]:
    return [ask(address, **more).status_code for _ in range(times)]


def test_a_link_opened_too_often_says_to_wait_and_whom_to_call(few, reader):
    visit = make_visit(language="es")
    assert statuses(reader.get, url(visit), 3) == [200] * 3
    answer = reader.get(url(visit))
    shown = ("Espere un minuto" in answer.text, "555 0100" in answer.text, answer.headers["Retry-After"])
    assert (answer.status_code, shown) == (429, (True, True, "60"))
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert reader.get(url(make_visit())).status_code == 200


def test_after_a_minute_it_works_again(few, reader, time_machine):
    visit = make_visit()
    assert statuses(reader.head, url(visit), 4) == [200, 200, 200, 429]
    time_machine.move_to(NOON + dt.timedelta(seconds=61))
    assert reader.get(url(visit)).status_code == 200


def test_a_press_too_many_does_nothing(few, reader):
    visit = make_visit()
    assert statuses(reader.post, url(visit), 2) == [302, 302]
    assert reader.post(url(visit), {"answer": "confirm"}).status_code == 429
    visit.refresh_from_db()
    assert visit.confirmed_at is None


def test_an_address_presses_for_many_links_until_its_own_end(few, reader):
    answers = [reader.post(url(make_visit())).status_code for _ in range(6)]
    assert answers == [302] * 5 + [429]
    assert reader.post(url(make_visit()), REMOTE_ADDR="203.0.113.9").status_code == 302


def test_the_address_is_the_one_that_our_own_proxy_saw(few, reader, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    forged = [reader.post(url(make_visit()), headers={"x-forwarded-for": f"10.0.0.{n}, 203.0.113.9"}) for n in range(6)]
    assert [answer.status_code for answer in forged] == [302] * 5 + [429]


def test_guessing_ends_and_true_links_from_the_same_address_still_open(few, reader):
    visit = make_visit()
    assert statuses(reader.get, "/v/guess.a.b/", 3) == [404, 404, 429]
    other_purpose = reverse("reminders:visit", args=[links.visit_token(visit, links.Purpose.MOVE)])
    assert reader.get(other_purpose).status_code == 429
    assert reader.get(url(visit)).status_code == 200


def test_looking_for_times_has_a_lower_end(few, reader):
    visit = make_visit()
    assert statuses(reader.get, url(visit, links.Purpose.MOVE, "move-visit"), 2) == [200, 429]


def test_a_fresher_link_to_the_same_page_of_a_visit_is_no_way_around(few, reader, time_machine):
    """The page of a visit signs others each second, and each move of it too."""
    visit, answers = make_visit(), []
    for second in range(4):
        time_machine.move_to(NOON + dt.timedelta(seconds=second), tick=False)
        Appointment.objects.filter(pk=visit.pk).update(version=second + 1)
        visit.refresh_from_db()
        answers.append(reader.get(url(visit)).status_code)
    assert answers == [200, 200, 200, 429]


def test_links_about_offers_are_counted_each_for_itself():
    visit = make_visit()
    offers = [make_offer(entry=make_entry(order=visit.order, site=visit.site), start=visit.start) for _ in range(2)]
    tokens = [sign(offer) for offer in offers for sign in (links.offer_token, links.stop_token)]
    assert len({links.counted_as(token) for token in tokens}) == 4


def test_the_count_lies_in_the_database_where_all_workers_see_it(few, reader, settings):
    settings.CACHES = {**settings.CACHES, "default": {"BACKEND": BACKEND, "LOCATION": "cache_entries"}}
    visit = make_visit()
    assert statuses(reader.get, url(visit), 4) == [200, 200, 200, 429]


def test_every_public_page_has_the_limits(few, reader):
    _, addresses = make_scene()
    last = {name: statuses(reader.get, address, 4)[-1] for name, address in addresses.items()}
    assert last == dict.fromkeys(addresses, 429)


@pytest.mark.parametrize(("action", "least"), [("look", 60), ("answer", 10), ("search", 20), ("guess", 20)])
def test_the_limits_are_generous(action, least):
    assert all(int(rate.split("/")[0]) >= least for rate in RATES[action].split(","))
