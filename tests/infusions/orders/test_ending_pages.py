"""Holding and stopping with visits ahead, and giving visits by another order."""

import datetime as dt

import pytest

from infusion_center.core import clock
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.support import everything_written

pytestmark = pytest.mark.django_db


@pytest.fixture
def visits(site):
    order = make_order(infusion_minutes=180)
    today = clock.local_date(clock.now(), site.time_zone)
    monday = today + dt.timedelta(days=7 - today.weekday())
    return [
        make_appointment(order=order, site=site, day=monday + dt.timedelta(days=28 * number)) for number in range(2)
    ]


def sent(visits, **answers):
    return {"reason": "Grade 3 reaction", "visit": [f"{one.public_id}:{one.version}" for one in visits], **answers}


def states(visits):
    return [Appointment.objects.get(pk=one.pk).state for one in visits]


@pytest.mark.parametrize(
    ("act", "decision", "expected"),
    [
        ("stop", "keep", ("stopped", State.EXPECTED)),
        ("stop", "cancel", ("stopped", State.CANCELLED)),
        ("hold", "cancel", ("held", State.CANCELLED)),
    ],
)
def test_the_visits_ahead_are_listed_and_decided_with_the_order(client_for, visits, act, decision, expected):
    client, order = client_for("pharmacist"), visits[0].order
    page = client.get(f"/orders/{order.public_id}/{act}/")
    assert [visit for visit, _ in page.context["rows"]] == visits
    client.post(f"/orders/{order.public_id}/{act}/", sent(visits, decision=decision))
    order.refresh_from_db()
    assert (order.status, states(visits)) == (expected[0], [expected[1]] * 2)


def test_nothing_is_decided_by_silence_or_over_visits_that_were_not_seen(client_for, visits):
    client, order = client_for("pharmacist"), visits[0].order
    before = everything_written()[:2]
    silent = client.post(f"/orders/{order.public_id}/stop/", sent(visits))
    assert silent.context["form"].errors["decision"] == ["Say what becomes of the visits."]
    unseen = client.post(f"/orders/{order.public_id}/stop/", sent(visits[:1], decision="cancel"))
    assert "changed meanwhile" in unseen.context["form"].non_field_errors()[0]
    order.refresh_from_db()
    assert (everything_written()[:2], order.status) == (before, "signed")


def test_the_visits_move_to_the_other_order_or_each_says_why_it_does_not(client_for, visits):
    client, old = client_for("pharmacist"), visits[0].order
    short = make_order(
        patient=old.patient, infusion_minutes=180, valid_until=clock.now().date() + dt.timedelta(days=20)
    )
    refused = client.post(f"/orders/{old.public_id}/stop/", sent(visits, decision="move", other=short.public_id))
    assert [[problem.code for problem in found] for _, found in refused.context["rows"]] == [[], ["order-expired"]]
    assert InfusionOrder.objects.get(pk=old.pk).status == "signed"
    new = make_order(patient=old.patient, infusion_minutes=180)
    client.post(f"/orders/{old.public_id}/stop/", sent(visits, decision="move", other=new.public_id))
    assert list(new.appointments.order_by("start")) == visits
    assert InfusionOrder.objects.get(pk=old.pk).status == "stopped"


def test_a_new_order_offers_to_give_what_is_booked_by_the_old_one(client_for, visits):
    client = client_for("scheduler")
    new = make_order(patient=visits[0].patient, infusion_minutes=180)
    assert client.get(f"/orders/{new.public_id}/").context["elsewhere"] == visits
    client.post(f"/orders/{new.public_id}/visits/", {"visit": [visits[1].public_id]})
    assert [Appointment.objects.get(pk=one.pk).order for one in visits] == [visits[0].order, new]


def test_the_order_page_flags_visits_that_the_order_does_not_cover(client_for, visits):
    client, order = client_for("scheduler"), visits[0].order
    client_for("pharmacist").post(f"/orders/{order.public_id}/hold/", sent(visits, decision="keep"))
    found = client.get(f"/orders/{order.public_id}/").context["ahead"]
    assert [(one.visit, [problem.code for problem in one.problems]) for one in found] == [
        (visits[0], ["order-held"]),
        (visits[1], ["order-held"]),
    ]
