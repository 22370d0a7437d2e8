"""Made-up patients: said at registration by a manager, shown everywhere, never changed."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from patients.models import Patient
from patients.services import amend_patient, register_patient
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
BADGE = "test-badge"
FIELDS = {"mrn": "T-1", "given_name": "Ada", "family_name": "Example", "date_of_birth": "1980-03-12", "sex": "F"}


@pytest.mark.parametrize("was_test", [True, False])
def test_the_database_refuses_to_change_whether_a_patient_is_a_test(was_test):
    patient = make_patient(is_test=was_test)
    with pytest.raises(IntegrityError, match="said once"), transaction.atomic():
        Patient.objects.filter(pk=patient.pk).update(is_test=not was_test)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE patients_patient SET city = %s WHERE id = %s", ["Demoville", patient.pk])
    patient.refresh_from_db()
    assert (patient.is_test, patient.city) == (was_test, "Demoville")


def test_amending_a_patient_cannot_make_a_test_of_him(scheduler):
    patient = make_patient()
    with pytest.raises(TypeError, match="not amendable: is_test"):
        amend_patient(patient=patient, version=1, by=scheduler, is_test=True)
    patient.refresh_from_db()
    assert (patient.is_test, patient.version) == (False, 1)


@pytest.mark.parametrize(("role", "offered", "marked"), [("manager", True, True), ("scheduler", False, False)])
def test_only_a_manager_registers_a_test_patient_by_the_page(client_for, role, offered, marked):
    client, page = client_for(role), reverse("patients:patient-create")
    assert ('name="is_test"' in client.get(page).content.decode()) is offered
    zone = {"language": "en", "time_zone": "America/New_York"}
    client.post(page, FIELDS | zone | {"is_test": "on", "consented_on": "2020-01-02"})
    assert [patient.is_test for patient in Patient.objects.all()] == [marked]


def test_banner_and_list_mark_a_test_patient_and_nobody_else(client_for):
    made_up, real = make_patient(is_test=True, family_name="Madeup"), make_patient(family_name="Real")
    client = client_for("nurse")
    charts = [client.get(patient.get_absolute_url()) for patient in (made_up, real)]
    lists = [client.post(reverse("patients:patient-list"), {"q": name}, follow=True) for name in ("Madeup", "Real")]
    assert [BADGE in page.content.decode() for page in (*charts, *lists)] == [True, False, True, False]


def test_registering_keeps_the_mark(scheduler, site):
    fields = FIELDS | {"date_of_birth": make_patient().date_of_birth, "is_test": True}
    assert register_patient(by=scheduler, site=site, **fields).is_test
