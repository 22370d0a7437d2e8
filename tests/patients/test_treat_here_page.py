"""A site begins to treat a patient of another one: only who knows three things together gets him."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from tests.factories.facility import make_site
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
URL = "patients:patient-treat-here"
TYPED = {"mrn": "mr-77 ", "date_of_birth": "1961-03-12", "family_name": "garcía  lópez"}
WHO = {"mrn": "MR-77", "date_of_birth": dt.date(1961, 3, 12), "family_name": "García López", "given_name": "Marisol"}


@pytest.fixture
def elsewhere(site):
    cache.clear()
    return make_patient(site=make_site(), **WHO)


def events() -> list[tuple]:
    rows = AuditEvent.objects.exclude(action="chart.opened").order_by("pk")
    return [(row.action, row.patient_id, row.site_id, row.actor_id, row.detail) for row in rows]


def test_the_patient_is_seen_here_too_and_the_trail_says_since_when(client_for, scheduler, elsewhere, site):
    client = client_for("scheduler")
    assert client.get(elsewhere.get_absolute_url()).status_code == 404
    answer = client.post(reverse(URL), TYPED)
    assert (answer.status_code, answer.url) == (302, elsewhere.get_absolute_url())
    assert client.get(elsewhere.get_absolute_url()).status_code == 200
    expected = ("patient.site_added", elsewhere.public_id, site.public_id, scheduler.pk, {"why": "treat-here"})
    assert [event for event in events() if event[0] != "access.denied"] == [expected]


@pytest.mark.parametrize(
    "wrong", [{"mrn": "MR-78"}, {"date_of_birth": "1961-03-13"}, {"family_name": "Garcia Lopez"}, {"mrn": "%"}]
)
def test_a_wrong_part_is_not_named_and_the_try_is_recorded(client_for, scheduler, elsewhere, site, wrong):
    client = client_for("scheduler")
    page = client.post(reverse(URL), TYPED | wrong)
    assert [str(error) for error in page.context["form"].non_field_errors()] == [
        "No patient has this MRN, date of birth and family name together. "
        "Check all three with the patient, or register him as new."
    ]
    assert "Marisol" not in page.content.decode()
    assert events() == [("patient.treat_here_refused", "", site.public_id, scheduler.pk, {})]
    assert list(elsewhere.site_links.filter(site=site)) == []


def test_tries_are_limited(client_for, elsewhere, site):
    client = client_for("scheduler")
    for _ in range(20):
        client.post(reverse(URL), TYPED | {"mrn": "MR-78"})
    page = client.post(reverse(URL), TYPED)
    assert "Too many tries" in page.content.decode()
    assert list(elsewhere.site_links.filter(site=site)) == []


def test_who_may_not_edit_patients_has_no_such_page(client_for, elsewhere, staff):
    staff["nurse"].role_grants.all().delete()
    assert client_for("nurse").post(reverse(URL), TYPED).status_code == 403


def test_registering_a_patient_of_another_site_tells_nothing_but_that(client_for, elsewhere):
    typed = {
        "family_name": "Garcia-Lopez",
        "given_name": "Marisol",
        "date_of_birth": "1961-03-12",
        "sex": "F",
        "language": "en",
        "time_zone": "America/New_York",
    }
    alike = client_for("scheduler").post(reverse("patients:patient-create"), typed | {"mrn": "NEW-1"})
    taken = client_for("scheduler").post(reverse("patients:patient-create"), typed | {"mrn": "MR-77"})
    told = [
        [(problem.code, problem.message, problem.url) for problem in page.context["form"].panel]
        for page in (alike, taken)
    ]
    assert told == [
        [("possible-duplicate", "A patient who may be the same is registered at another site.", reverse(URL))],
        [("mrn-taken", "The MRN belongs to a patient who is registered at another site.", reverse(URL))],
    ]
    for page in (alike, taken):
        assert [
            word for word in (elsewhere.public_id, "García López", elsewhere.email) if word in page.content.decode()
        ] == []
