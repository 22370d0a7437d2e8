"""A year of visits through the pages: planned, one line changed, booked, the tail moved, the order ended."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from infusion_center.accounts.roles import Role
from infusions.reminders.models import Reminder
from infusions.reminders.services import plan_reminders
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment
from tests.factories.accounts import make_staff
from tests.factories.patients import make_patient
from tests.infusions.scheduling.conftest import NOW, signed_in
from tests.infusions.scheduling.series_support import monthly_order, staffed_center
from tests.infusions.scheduling.test_series_pages import fields, move_fields

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _frozen_clock():
    with time_machine.travel(NOW, tick=False):
        yield


def walls(order):
    visits = order.appointments.exclude(state="cancelled").order_by("start")
    return [f"{dt.datetime.fromisoformat(one.local_start):%d %b %H:%M}" for one in visits]


def test_a_series_from_the_order_to_its_end():
    center = staffed_center(days=200)
    patient = make_patient(site=center.site)
    order, desk = monthly_order(patient=patient, visits_authorized=6), signed_in(center.scheduler)
    order_page = reverse("orders:order-detail", args=[order.public_id])
    plan_url = reverse("scheduling:series-plan", args=[order.public_id])
    assert plan_url in desk.get(order_page).content.decode()

    page = desk.get(plan_url + "?first_on=2026-03-03&weekday=1&time=09:00")
    assert page.context["asked"].cleaned_data["count"] is None
    sent = fields(page) | {"line-4-time": "11:30"}
    booked = desk.post(reverse("scheduling:series-book", args=[order.public_id]), sent, follow=True)
    assert [one.problems for one in booked.context["ahead"]] == [()] * 6
    dates = ["03 Mar 09:00", "31 Mar 09:00", "28 Apr 09:00", "26 May 11:30", "23 Jun 09:00", "21 Jul 09:00"]
    assert walls(order) == dates

    fifth = order.appointments.order_by("start")[4]
    move_url = reverse("scheduling:series-move", args=[fifth.public_id]) + "?day=2026-06-24&time=10:00"
    desk.post(move_url.replace("/move/", "/move/apply/"), move_fields(desk.get(move_url)))
    assert walls(order) == [*dates[:4], "24 Jun 10:00", "22 Jul 10:00"]

    third = order.appointments.order_by("start")[2]
    cancel_url = reverse("scheduling:series-cancel", args=[third.public_id])
    desk.post(cancel_url, {"version": third.version, "scope": "one", "reason": "On holiday"})
    assert walls(order) == [*dates[:2], dates[3], "24 Jun 10:00", "22 Jul 10:00"]

    plan_reminders(now=NOW)
    told = Reminder.objects.filter(appointment__order=order).values_list("appointment", flat=True).distinct()
    assert set(told) <= set(order.appointments.values_list("pk", flat=True))

    visits = [f"{one.public_id}:{one.version}" for one in order.appointments.exclude(state="cancelled")]
    stop = {"reason": "Remission", "decision": "cancel", "visit": visits}
    pharmacist = signed_in(make_staff(role=Role.PHARMACIST, site=center.site))
    pharmacist.post(reverse("orders:order-stop", args=[order.public_id]), stop)
    order.refresh_from_db()
    assert (order.status, set(Appointment.objects.values_list("state", flat=True))) == ("stopped", {"cancelled"})
    assert claim_violations() == []
