"""Pages that show a patient's data, beside the chart itself: each leaves who looked."""

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_site
from tests.factories.orders import make_order
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


def test_the_admin_records_who_opened_an_order(client, db):
    order, user = make_order(), make_staff(site=make_site())
    user.is_staff = user.is_superuser = True
    user.save()
    force_login(client, user)
    assert client.get(reverse("admin:infusions_infusionorder_change", args=[order.pk])).status_code == 200
    assert openings() == [(order.patient.public_id, "admin")]
