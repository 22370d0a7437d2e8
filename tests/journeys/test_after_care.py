"""From the patient's thumb to the nurse's list, in a real Chromium."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.urls import reverse

from infusion_center.core import clock
from infusions.reminders import links
from infusions.scheduling.states import State
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_emergency_is_told_above_the_fold_and_reaches_the_nurse(open_page, axe, site):
    cache.clear()
    start = clock.now() - dt.timedelta(hours=20)
    visit = make_appointment(site=site, start=start, state=State.COMPLETED, patient=make_patient(phone="+12025550143"))
    phone = open_page(width=390, height=844, has_touch=True, is_mobile=True)
    phone.goto(reverse("reminders:after-visit", args=[links.visit_token(visit, links.Purpose.AFTER)]))
    assert (phone.evaluate("document.documentElement.scrollWidth"), axe(phone)) == (390, [])
    assert not phone.locator("#stiff-neck-yes").is_visible()
    phone.locator("#headache-yes").tap()
    phone.locator("#stiff-neck-yes").tap()
    phone.locator("#chest-pain-yes").tap()
    small = phone.evaluate(
        "[...document.querySelectorAll('main label, main button, main .btn')]"
        ".filter(one => one.offsetHeight && one.offsetHeight < 44).map(one => one.innerText)"
    )
    assert small == ["Anything else? (optional)"]  # the label above its field
    phone.get_by_role("button", name="Send").tap()
    number = phone.get_by_role("alert").get_by_role("link", name="Call 911")
    box = number.bounding_box()
    assert (number.get_attribute("href"), box["y"] + box["height"] < 844 / 2, box["height"] >= 64) == (
        "tel:911",
        True,
        True,
    )
    assert axe(phone) == []

    tablet = open_page("nurse", width=1024, height=768)
    tablet.goto(reverse("doses:my-patients"))
    tablet.get_by_role("link", name="1 emergency after a visit. Call now").click()
    row = tablet.get_by_role("row").filter(has_text=visit.patient.name)
    row.wait_for()
    assert row.get_by_role("listitem").all_inner_texts() == ["Chest pain", "Stiff neck", "Headache"]
    assert axe(tablet) == []
    row.get_by_role("link", name="Record the call").click()
    tablet.get_by_label("Spoke with the patient").check()
    tablet.get_by_label("Note").fill("Is in the emergency room")
    assert axe(tablet) == []
    tablet.get_by_role("button", name="Save the call").click()
    tablet.get_by_text("Nobody waits for a call").wait_for()
