"""Pages that show a patient's data, beside the chart itself: each leaves who looked."""

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment


def openings() -> list[tuple]:
    events = AuditEvent.objects.filter(action="chart.opened").order_by("id")
    return [(event.patient_id, event.detail["what"]) for event in events]


@pytest.mark.parametrize(
    ("name", "status", "role", "what"),
    [
        ("order-create", "signed", "nurse", "order entry"),
        ("order-edit", "draft", "nurse", "order entry"),
        ("order-hold", "signed", "pharmacist", "order"),
        ("order-release", "held", "pharmacist", "order"),
        ("order-stop", "signed", "pharmacist", "order"),
    ],
)
def test_pages_about_an_order_are_recorded_openings(client_for, name, status, role, what):
    order = make_order(status=status)
    client, key = client_for(role), order.patient if name == "order-create" else order
    assert client.get(reverse(f"orders:{name}", args=[key.public_id])).status_code == 200
    assert openings() == [(order.patient.public_id, what)]


@pytest.mark.parametrize(("name", "what"), [("appointment-move", "slot search"), ("appointment-cancel", "visit")])
def test_moving_and_cancelling_a_visit_are_recorded_openings(client_for, site, name, what):
    visit = make_appointment(site=site)
    assert client_for("scheduler").get(reverse(f"scheduling:{name}", args=[visit.public_id])).status_code == 200
    assert openings() == [(visit.patient.public_id, what)]


@pytest.mark.parametrize("name", ["appointment-move", "appointment-cancel"])
def test_a_form_sent_without_its_page_is_an_opening_when_it_comes_back(client_for, site, name):
    visit = make_appointment(site=site)
    assert client_for("scheduler").post(reverse(f"scheduling:{name}", args=[visit.public_id])).status_code == 200
    what = "slot search" if name == "appointment-move" else "visit"
    assert openings() == [(visit.patient.public_id, what)]


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_form_that_succeeds_leaves_its_change_only(client_for, headers):
    patient = make_patient()
    sent = {"measured_on": "2026-11-20", "kg": "70.5"}
    address = reverse("patients:weight-create", args=[patient.public_id])
    before = AuditEvent.objects.count()
    client_for("nurse").post(address, sent, headers=headers)
    actions = list(AuditEvent.objects.order_by("id").values_list("action", flat=True))[before:]
    assert actions == ["weight.recorded"]


def test_the_trail_names_a_patient_as_he_is_and_not_as_a_refused_form_would(client_for):
    patient = make_patient(family_name="Right")
    address = reverse("patients:patient-edit", args=[patient.public_id])
    assert client_for("scheduler").post(address, {"family_name": "Wrong"}).status_code == 200
    assert "Right" in AuditEvent.objects.get(action="chart.opened").target_name


def test_a_walk_in_search_says_who_was_found(client_for, site):
    patient = make_order(patient=make_patient(family_name="Aldous")).patient
    client_for("scheduler").post(reverse("scheduling:walk-in"), {"q": "aldous"}, follow=True)
    searches = AuditEvent.objects.filter(action="patient.searched").values_list("detail", flat=True)
    assert (list(searches), openings()) == (
        [{"kinds": ["name"], "count": 1}],
        [(patient.public_id, "walk-in search")],
    )


def test_the_admin_records_who_opened_an_order(client, db):
    order, user = make_order(), make_staff(site=make_site())
    user.is_staff = user.is_superuser = True
    user.save()
    force_login(client, user)
    assert client.get(reverse("admin:infusions_infusionorder_change", args=[order.pk])).status_code == 200
    assert openings() == [(order.patient.public_id, "admin")]
