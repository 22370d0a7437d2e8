"""The plan beside the order form follows what is typed, however fast somebody types."""

import pytest
from playwright.sync_api import expect

from tests.factories.formulary import make_rate_schedule
from tests.factories.patients import make_patient

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# All three before the answer to the first comes back.
TYPE_FAST = """(fields) => {
  for (const [id, value] of Object.entries(fields)) {
    const field = document.getElementById(id);
    field.value = value;
    field.dispatchEvent(new Event("change", {bubbles: true}));
  }
}"""


def test_the_preview_shows_the_plan_of_what_was_typed_last(open_page):
    patient, schedule = make_patient(kg="70"), make_rate_schedule()
    page = open_page("scheduler")
    page.goto(f"/patients/{patient.public_id}/orders/new/")
    typed = {"id_indication": str(schedule.indication_id), "id_product": str(schedule.product_id)}
    page.evaluate(TYPE_FAST, typed | {"id_dose_mg_per_kg": "400"})
    preview = page.get_by_role("region", name="Plan and problems")
    expect(preview.get_by_text("336").first).to_be_visible()
    page.evaluate(TYPE_FAST, {"id_dose_mg_per_kg": "500"})
    expect(preview.get_by_text("35 g").first).to_be_visible()
    assert page.locator("#order_preview").count() == 1
