import pytest

from infusion_center.core import clock
from infusions.orders.models import InfusionOrder, OrderStatus, Signature
from patients.models import Allergy
from tests.factories.accounts import make_staff
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db


def test_order_sign_signs(client_for, pharmacist):
    order = make_order(status=OrderStatus.DRAFT)
    answer = client_for("pharmacist").post(f"/orders/{order.public_id}/sign/", {"version": "1", "read": "on"})
    assert answer.headers["Location"] == f"/orders/{order.public_id}/"
    assert (Signature.objects.get().signed_by, InfusionOrder.objects.get().status) == (pharmacist, "signed")


@pytest.mark.parametrize("posted", [{"version": "1"}, {"read": "on"}, {"version": "2", "read": "on"}])
def test_order_sign_refuses_what_was_not_read(client_for, posted):
    order = make_order(status=OrderStatus.DRAFT)
    answer = client_for("pharmacist").post(f"/orders/{order.public_id}/sign/", posted)
    assert (answer.status_code, answer.context["sign_form"].is_valid()) == (200, False)
    assert (Signature.objects.count(), InfusionOrder.objects.get().status) == (0, "draft")


def test_order_sign_asks_for_a_reason_and_keeps_what_was_typed(client_for):
    order = make_order(status=OrderStatus.DRAFT, dose_mg_per_kg="1200")
    client = client_for("pharmacist")
    page = client.get(f"/orders/{order.public_id}/").content.decode()
    assert "override_reason" in page
    posted = {"version": "1", "read": "on", "override_reason": ""}
    assert client.post(f"/orders/{order.public_id}/sign/", posted).status_code == 200
    assert Signature.objects.count() == 0
    client.post(f"/orders/{order.public_id}/sign/", posted | {"override_reason": "Dr. Example decided"})
    assert Signature.objects.get().override_reason == "Dr. Example decided"


def test_order_sign_offers_no_button_while_something_blocks(client_for):
    order = make_order(status=OrderStatus.DRAFT)
    Allergy.objects.create(
        patient=order.patient, code="hyperprolinemia", recorded_at=clock.now(), recorded_by=make_staff()
    )
    page = client_for("pharmacist").get(f"/orders/{order.public_id}/").content.decode()
    assert ("Sign order" in page, "cannot be signed while something stops it" in page) == (False, True)


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        ("hold", "signed", "held"),
        ("release", "held", "signed"),
        ("stop", "signed", "stopped"),
        ("stop", "draft", "stopped"),
    ],
)
def test_order_decisions_ask_for_a_reason(client_for, act, before, after):
    order, client = make_order(status=before), client_for("pharmacist")
    url = f"/orders/{order.public_id}/{act}/"
    assert client.get(url).status_code == 200
    assert client.post(url, {"reason": " "}).status_code == 200
    order.refresh_from_db()
    assert order.status == before
    client.post(url, {"reason": "Decided by Dr. Example"})
    order.refresh_from_db()
    assert order.status == after


def test_order_hold_of_a_held_order_says_so(client_for):
    order = make_order(status="held")
    page = client_for("nurse").post(f"/orders/{order.public_id}/hold/", {"reason": "again"}).content.decode()
    assert "The order is on hold" in page


@pytest.mark.parametrize(
    ("role", "act", "status"),
    [
        ("nurse", "sign", "draft"),
        ("scheduler", "sign", "draft"),
        ("manager", "sign", "draft"),
        ("nurse", "release", "held"),
        ("nurse", "stop", "signed"),
        ("manager", "hold", "signed"),
        ("manager", "edit", "draft"),
    ],
)
def test_order_decisions_are_refused_to_the_wrong_role(client_for, role, act, status):
    order = make_order(status=status)
    answer = client_for(role).post(f"/orders/{order.public_id}/{act}/", {"reason": "why", "version": "1", "read": "on"})
    order.refresh_from_db()
    assert (answer.status_code, order.status) == (403, status)
