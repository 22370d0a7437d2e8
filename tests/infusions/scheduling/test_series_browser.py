"""A series in a real Chromium, by keyboard: a line is changed in place, checked at once, and all are booked."""

import pytest
from django.test import Client
from django.urls import reverse

from infusions.scheduling.models import Appointment
from tests.factories.accounts import force_login
from tests.infusions.scheduling.series_support import monthly_order, staffed_center

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def center(transactional_db):
    return staffed_center(days=100)


def test_a_series_is_planned_changed_and_booked_by_keyboard(chromium, live_server, center, axe):
    order, client = monthly_order(), Client()
    force_login(client, center.scheduler)
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    plan = reverse("scheduling:series-plan", args=[order.public_id])
    page.goto(f"{live_server.url}{plan}?count=3&first_on=2026-03-03&weekday=1&time=09:00")
    faults = {"plan": axe(page)}
    start = page.get_by_label("Start of line 2")
    start.focus()
    start.fill("17:00")
    page.keyboard.press("Tab")
    page.get_by_text("the visit would take 17:00–21:00").wait_for()
    faults["lost"] = axe(page)
    page.get_by_role("button", name="Tue 31 Mar 2026, 14:00 for line 2").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Tuesday 14:00 as chosen").wait_for()
    page.get_by_role("button", name="Book 3 visits").focus()
    page.keyboard.press("Enter")
    page.get_by_text("3 visits of").wait_for()
    faults["order"] = axe(page)
    visit = Appointment.objects.order_by("start")[1]
    for name in ("appointment-detail", "series-move", "series-cancel"):
        page.goto(live_server.url + reverse(f"scheduling:{name}", args=[visit.public_id]))
        faults[name] = axe(page)
    page.goto(live_server.url + reverse("orders:order-hold", args=[order.public_id]))
    faults["hold"] = axe(page)
    assert faults == {name: [] for name in faults}
    starts = Appointment.objects.order_by("start").values_list("local_start", flat=True)
    assert list(starts) == ["2026-03-03T09:00", "2026-03-31T14:00", "2026-04-28T09:00"]
    context.close()
