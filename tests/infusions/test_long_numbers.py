"""A number of thousands of digits, which Python refuses to read, is no number: the page says so or passes over it."""

import pytest
from django.urls import reverse

from infusions.checklists.template_services import start_draft
from infusions.doses.models import DoseState
from infusions.scheduling.states import State
from tests.factories.checklists import make_template
from tests.factories.doses import make_dose_record
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
LONG = "9" * 5000


def test_the_place_of_a_question(client_for, pharmacist):
    make_template()
    draft = start_draft(by=pharmacist)
    code = draft.items.order_by("position").values_list("code", flat=True)[1]
    address = reverse("checklists:item-move", args=[draft.public_id, code])
    assert client_for("pharmacist").post(address, {"position": LONG, "to": "up"}).status_code == 302


def test_the_tile_of_a_medicine(client_for, site):
    record = make_dose_record(make_appointment(site=site, state=State.IN_PROGRESS), state=DoseState.INFUSING)
    address = reverse("doses:dose-detail", args=[record.appointment.public_id])
    assert client_for("nurse").get(address, {"do": "medication", "preset": LONG}).status_code == 200


def test_the_version_of_a_visit_that_ends_with_its_order(client_for, site):
    visit = make_appointment(site=site)
    address = reverse("orders:order-stop", args=[visit.order.public_id])
    typed = {"reason": "Asked", "decision": "cancel", "visit": f"{visit.public_id}:{LONG}"}
    assert client_for("pharmacist").post(address, typed).status_code == 302
