"""The running page: the step with its vital signs in one form, and acts of a tap or two."""

import pytest
from django.urls import reverse

from infusions.facility.models import Nurse
from infusions.scheduling.states import State
from tests.factories.doses import make_dose_record, make_rate, make_vital_signs
from tests.factories.facility import make_nurse
from tests.factories.orders import make_order
from tests.infusions.doses.conftest import at


@pytest.fixture
def nurse(nurse_user, site) -> Nurse:
    return make_nurse(user=nurse_user, site=site)


@pytest.fixture
def running(make_visit, nurse):
    return make_dose_record(make_visit(order=make_order(), nurse=nurse, state=State.IN_PROGRESS))


@pytest.fixture
def client(client_for):
    return client_for("nurse")


def url(name, visit) -> str:
    return reverse(f"doses:{name}", args=[visit.public_id])


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_step_is_offered_when_due_and_vital_signs_come_first(client, running, morning):
    morning.move_to(at(45))
    assert client.get(url("dose-detail", running.appointment)).context["act"] == "vital-signs"
    morning.move_to(at(60))
    page = text_of(client.get(url("dose-detail", running.appointment)))
    assert ("Vital signs, then 42 mL/h" in page, "step up to 42 mL/h" in page) == (True, True)
    make_vital_signs(running, "during", at(59))
    page = text_of(client.get(url("dose-detail", running.appointment)))
    assert ("Vital signs are fresh." in page, "Step up to 42 mL/h</button>" in page) == (True, True)


def test_vital_signs_that_hold_are_kept_and_the_step_asks_for_a_reason(client, running, morning):
    morning.move_to(at(60))
    typed = {"rate_ml_per_h": "42", "systolic": "85", "pulse": "72"}
    response = client.post(url("step-up", running.appointment), typed, follow=True)
    page = text_of(response)
    assert ("The rate was not raised" in page, "Why all the same" in page) == (True, True)
    assert [rate.kind for rate in running.rates.all()] == ["start"]
    assert running.vital_signs.filter(phase="during").count() == 1
    client.post(url("step-up", running.appointment), {"rate_ml_per_h": "42", "chip": "Prescriber agrees"})
    assert [(rate.kind, rate.reason) for rate in running.rates.all()] == [("start", ""), ("step", "Prescriber agrees")]


def test_staying_going_back_and_stopping_take_a_tap_with_its_reason(client, running, morning):
    visit = running.appointment
    make_rate(running, "step", at(40), 42, step=2)
    morning.move_to(at(45))
    client.post(url("rate-stay", visit), {"chip": "Headache or flushing"})
    client.post(url("rate-change", visit), {"rate_ml_per_h": "21"})
    client.post(url("infusion-end", visit), {"chip": "Line lost", "stop_reason": "right arm"})
    rates = [(rate.kind, rate.rate_ml_per_h, rate.reason) for rate in running.rates.order_by("pk")]
    assert rates[2:] == [
        ("hold", 42, "Headache or flushing"),
        ("change", 21, ""),
        ("stop", 0, "Line lost; right arm"),
    ]


def test_the_page_offers_one_step_back_and_slower_rates(client, running, morning):
    make_rate(running, "step", at(40), 84, step=3)
    morning.move_to(at(45))
    response = client.get(url("dose-detail", running.appointment) + "?do=rate")
    assert (response.context["rate_back"], response.context["slower_rates"]) == (42, [42, 21])
    assert "Back to 42" in text_of(response)
