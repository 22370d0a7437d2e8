import pytest
from django.urls import reverse

from infusion_center.accounts.models import RoleGrant
from infusion_center.audit.models import AuditEvent
from patients.services import amend_patient
from tests.factories.accounts import make_staff
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient():
    return make_patient(given_name="Ada", family_name="Brightwater", city="Albany", phone="+12125550123")


@pytest.fixture
def url(patient):
    return reverse("patients:patient-edit", args=[patient.public_id])


def sent_back(client, url):
    """What a browser sends when nobody touched the form."""
    form = client.get(url).context["form"]
    sent = {}
    for field in form:
        if field.name == "accepted":
            continue
        value = field.value()
        shown = field.field.widget.format_value(value) if hasattr(field.field.widget, "format_value") else value
        sent[field.name] = "".join(shown) if isinstance(shown, list) else shown or ""
    return sent | {"is_active": "on"}


def test_changes_are_saved(client_for, patient, url):
    client = client_for("scheduler")
    response = client.post(url, sent_back(client, url) | {"city": "Troy"})
    patient.refresh_from_db()
    assert (response.status_code, response.url) == (302, patient.get_absolute_url())
    assert (patient.city, patient.version) == ("Troy", 2)
    assert AuditEvent.objects.get(action="patient.amended").detail["fields"] == ["city"]


def test_a_patient_can_be_set_to_rest(client_for, patient, url):
    client = client_for("scheduler")
    sent = sent_back(client, url)
    del sent["is_active"]
    client.post(url, sent)
    patient.refresh_from_db()
    assert patient.is_active is False


def test_the_second_of_two_keeps_both_peoples_work(client_for, patient, url):
    client = client_for("scheduler")
    sent = sent_back(client, url) | {"city": "Utica", "region": "NY"}
    faster = make_staff(full_name="Maria Faster")
    amend_patient(patient=patient, version=1, by=faster, city="Troy", postal_code="12180")
    response = client.post(url, sent)
    form = response.context["form"]
    assert "Maria Faster changed city, postal code since" in form.non_field_errors()[0]
    assert form.errors["city"] == ["Meanwhile changed to “Troy”. Yours is kept until you save."]
    assert [form[name].value() for name in ("city", "region", "postal_code")] == ["Utica", "NY", "12180"]
    patient.refresh_from_db()
    assert (patient.city, patient.version) == ("Troy", 2)
    again = {name: form[name].value() for name in sent}
    assert client.post(url, again).status_code == 302
    patient.refresh_from_db()
    assert (patient.city, patient.region, patient.postal_code, patient.version) == ("Utica", "NY", "12180", 3)


@pytest.mark.parametrize("seen", ["", "nonsense", "[1]"])
def test_a_stale_form_that_cannot_tell_what_it_showed_names_every_difference(seen, client_for, patient, url):
    client = client_for("scheduler")
    sent = sent_back(client, url) | {"seen": seen}
    amend_patient(patient=patient, version=1, by=make_staff(), city="Troy")
    form = client.post(url, sent).context["form"]
    assert list(form.errors) == ["__all__", "city"]
    assert form["city"].value() == "Albany"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"family_name": ""}, "family_name"), ({"email": "x"}, "email"), ({"diagnosis_code": "1"}, "diagnosis_code")],
)
def test_what_was_typed_stays_when_something_is_wrong(changes, field, client_for, patient, url):
    client = client_for("scheduler")
    sent = sent_back(client, url) | {"city": "Troy"} | changes
    form = client.post(url, sent).context["form"]
    assert list(form.errors) == [field]
    assert (form["city"].value(), form[field].value()) == ("Troy", changes[field])
    patient.refresh_from_db()
    assert (patient.city, patient.version) == ("Albany", 1)


@pytest.mark.parametrize("version", ["", "x", "99"])
def test_a_made_up_version_changes_nothing(version, client_for, patient, url):
    client = client_for("scheduler")
    response = client.post(url, sent_back(client, url) | {"city": "Troy", "version": version})
    assert response.status_code == 200
    patient.refresh_from_db()
    assert (patient.city, patient.version) == ("Albany", 1)


def test_opening_the_form_is_recorded(client_for, patient, url):
    client_for("scheduler").get(url)
    event = AuditEvent.objects.get()
    assert (event.action, event.patient_id, event.detail) == ("chart.opened", patient.public_id, {"what": "edit"})


def test_somebody_without_the_permission_is_refused(client_for, staff, patient, url):
    RoleGrant.objects.filter(user=staff["scheduler"]).delete()
    client = client_for("scheduler")
    assert [client.get(url).status_code, client.post(url, {"city": "Troy"}).status_code] == [403, 403]


def test_an_unknown_patient_is_not_found(client_for):
    assert client_for("scheduler").get(reverse("patients:patient-edit", args=["nobody"])).status_code == 404
