import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.scheduling.states import State
from tests.factories.facility import make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
URL = reverse("patients:patient-list")


def search(client, words):
    """As the form does it without JavaScript: sent, and led to a page that can be reloaded."""
    return client.post(URL, {"q": words}, follow=True)


def names(response):
    return [patient.name for patient in response.context["patients"]]


@pytest.mark.parametrize("role", ["scheduler", "nurse", "pharmacist", "manager"])
def test_every_role_finds_patients(role, client_for):
    make_patient(given_name="Ada", family_name="Brightwater")
    make_patient(given_name="Other", family_name="Person")
    response = search(client_for(role), "bright ada")
    assert names(response) == ["Brightwater, Ada"]
    assert response.templates[0].name == "patients/patient_list.html"


def test_htmx_gets_the_results_alone(client_for):
    make_patient(given_name="Ada", family_name="Brightwater")
    response = client_for("nurse").post(URL, {"q": "bright"}, headers={"HX-Request": "true"})
    assert response.templates[0].name == "patients/_patient_results.html"
    text = response.content.decode()
    assert text.startswith('<div id="_patient_results" data-text="bright" data-count="1 patient found">')
    assert "<html" not in text


def test_the_words_never_stand_in_an_address(client_for):
    make_patient(given_name="Ada", family_name="Brightwater")
    client = client_for("nurse")
    sent = client.post(URL, {"q": "brightwater"})
    live = client.post(URL, {"q": "brightwater"}, headers={"HX-Request": "true"})
    addresses = [sent.url, live.headers["HX-Replace-Url"]]
    assert [names(client.get(address)) for address in addresses] == [["Brightwater, Ada"]] * 2
    assert "bright" not in "".join(addresses).lower()


def test_words_in_an_address_are_not_searched_for(client_for):
    make_patient(given_name="Ada", family_name="Brightwater")
    assert client_for("nurse").get(URL, {"q": "bright"}).context["searched"] is False


def test_a_sealed_search_opens_for_nobody_else(client_for):
    make_patient(given_name="Ada", family_name="Brightwater")
    client = client_for("nurse")
    address = client.post(URL, {"q": "bright"}).url
    assert client_for("manager").get(address).context["searched"] is False
    assert client.get(address[:-4] + "AAAA").context["searched"] is False


def test_a_search_leaves_its_kinds_and_count_in_the_trail_but_no_words(client_for, scheduler):
    make_patient(family_name="Brightwater", date_of_birth=dt.date(1961, 3, 12))
    search(client_for("scheduler"), "Brightwater 3/12/1961")
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_id, event.detail) == (
        "patient.searched",
        scheduler.pk,
        {"kinds": ["date", "name"], "count": 1},
    )
    assert "Brightwater" not in f"{event.path}{event.target_name}"


def test_without_words_the_charts_opened_last_are_listed(client_for):
    first, second, third = make_patient(), make_patient(), make_patient()
    client = client_for("nurse")
    for patient in (first, second, first):
        client.get(patient.get_absolute_url())
    client_for("manager").get(third.get_absolute_url())
    assert names(client.get(URL)) == [first.name, second.name]
    assert not AuditEvent.objects.filter(action="patient.searched").exists()


def test_the_first_visit_to_come_is_shown(client_for, site):
    patient = make_patient(family_name="Brightwater")
    order = make_order(patient=patient)
    now = clock.now()
    make_appointment(order=order, site=site, start=now + dt.timedelta(days=40))
    soon = make_appointment(order=order, site=site, start=now + dt.timedelta(days=12))
    make_appointment(order=order, site=site, start=now + dt.timedelta(days=2), state=State.CANCELLED)
    make_appointment(order=order, site=make_site(), start=now + dt.timedelta(days=1))  # of a site not this person's
    found = search(client_for("scheduler"), "bright").context["patients"]
    assert [p.next_visit for p in found] == [soon]


def test_more_than_a_page_of_hits_says_so(client_for):
    for _ in range(21):
        make_patient(family_name="Many")
    response = search(client_for("nurse"), "many")
    assert (len(response.context["patients"]), response.context["more"]) == (20, True)
    assert "Type more to narrow it down" in response.content.decode()


def test_nobody_found_offers_to_register(client_for):
    text = search(client_for("nurse"), "qqqq").content.decode()
    assert "Nobody found" in text
    assert reverse("patients:patient-create") in text


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "x" * 500, "%' OR 1=1 --", "٣"])
def test_odd_words_are_harmless(words, client_for):
    response = search(client_for("nurse"), words)
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()


def test_the_list_costs_the_same_for_many_hits(client_for, django_assert_num_queries, site):
    client = client_for("nurse")
    for _ in range(6):
        make_patient(family_name="Many")
    with CaptureQueriesContext(
        connection,
    ) as few:
        search(client, "many")
    for _ in range(10):
        make_patient(family_name="Many")
    with django_assert_num_queries(len(few)):
        search(client, "many")


def test_strangers_are_sent_to_sign_in(client):
    assert client.get(URL).status_code == 302
