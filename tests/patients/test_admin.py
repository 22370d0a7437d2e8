import pytest
from django.contrib import admin
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser(site):
    user = make_staff(site=site)
    user.is_staff = user.is_superuser = True
    user.save()
    return user


def test_the_admin_shows_a_patient_records_the_opening_and_changes_nothing(client, superuser):
    patient = make_patient(city="Albany")
    force_login(client, superuser)
    url = reverse("admin:patients_patient_change", args=[patient.pk])
    assert client.get(url).status_code == 200
    event = AuditEvent.objects.get()
    assert (event.action, event.patient_id, event.detail) == ("chart.opened", patient.public_id, {"what": "admin"})
    assert client.post(url, {"city": "Troy"}).status_code == 403
    patient.refresh_from_db()
    assert patient.city == "Albany"


def test_the_admin_shows_no_patient_of_another_site(client, superuser):
    ours, theirs = make_patient(), make_patient(site=make_site())
    force_login(client, superuser)
    assert list(client.get(reverse("admin:patients_patient_changelist")).context["cl"].result_list) == [ours]
    assert client.get(reverse("admin:patients_patient_change", args=[theirs.pk])).status_code == 404


def test_the_admin_is_closed_to_staff_and_knows_no_other_patient(client, client_for, superuser):
    patient = make_patient()
    url = reverse("admin:patients_patient_change", args=[patient.pk])
    assert client_for("manager").get(url).status_code in {302, 403}
    force_login(client, superuser)
    assert client.get(reverse("admin:patients_patient_change", args=[999999])).status_code == 404
    assert not AuditEvent.objects.exclude(action="access.denied").exists()


LISTS = [f"{m._meta.app_label}_{m._meta.model_name}" for m in admin.site._registry]


@pytest.mark.parametrize("name", LISTS)
def test_each_list_of_the_admin_leaves_who_looked_and_how_many_there_were(client, superuser, name):
    order = make_order(patient=make_patient())
    force_login(client, superuser)
    answer = client.get(reverse(f"admin:{name}_changelist"))
    event = AuditEvent.objects.filter(action="list.opened").get()
    model = answer.context["cl"].model
    assert (event.actor_id, event.detail) == (
        superuser.pk,
        {"what": f"admin: {model._meta.verbose_name_plural}", "count": len(answer.context["cl"].result_list)},
    )
    assert (order.patient.name in answer.content.decode()) == (name in ("patients_patient", "infusions_infusionorder"))


def test_a_filter_that_cannot_be_shows_no_list(client, superuser):
    force_login(client, superuser)
    answer = client.get(reverse("admin:patients_patient_changelist") + "?no_such_field=1&e=1")
    assert (answer.status_code, AuditEvent.objects.count()) == (200, 0)


@pytest.mark.parametrize("name", ["patients_patient", "infusions_infusionorder"])
def test_nothing_about_patients_is_searched_for_in_the_address(client, superuser, name):
    force_login(client, superuser)
    assert client.get(reverse(f"admin:{name}_changelist")).context["cl"].search_fields == ()


def test_the_history_of_a_patient_is_an_opening_as_well(client, superuser):
    patient = make_patient()
    force_login(client, superuser)
    assert client.get(reverse("admin:patients_patient_history", args=[patient.pk])).status_code == 200
    assert AuditEvent.objects.get().patient_id == patient.public_id


@pytest.mark.parametrize("model", ["patients/patient", "infusions/infusionorder"])
def test_the_admin_knows_no_row_by_what_is_no_number(client, superuser, model):
    force_login(client, superuser)
    assert client.get(f"/admin/{model}/a2b/change/").status_code == 404
