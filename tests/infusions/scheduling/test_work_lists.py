"""Who is not confirmed, who is due and not booked, whose order gives out: what each list holds and leaves out."""

import datetime as dt

import pytest
from django.core.cache import cache

from infusions.orders.models import InfusionOrder
from infusions.scheduling.due_orders import due_orders
from infusions.scheduling.ending_orders import ending_ids, ending_orders
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.facility import make_chair, make_site
from tests.factories.orders import make_order
from tests.factories.patients import link_site
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW
from tests.infusions.scheduling.work import ONE, TODAY, long_order, rows_of, visit_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered():
    cache.clear()


@pytest.fixture
def order():
    return long_order()


def hours(number):
    return NOW + dt.timedelta(hours=number)


def test_unconfirmed_holds_the_next_48_hours_and_who_asks_for_another_time(center):
    def visit(start, **fields):
        chair = make_chair(site=center.site)
        return make_appointment(
            site=center.site, chair=chair, nurse=center.nurses[0], start=start, minutes=15, **fields
        )

    soon, asks = visit(hours(1)), visit(hours(48), move_requested_at=NOW, patient_message="Rather at noon?")
    visit(hours(2), state=State.CONFIRMED)
    visit(hours(3), state=State.ARRIVED)
    visit(hours(4), state=State.CANCELLED)
    visit(hours(-1))
    visit(hours(48.25))
    later = visit(hours(24 * 30), move_requested_at=NOW)
    make_appointment(start=hours(5))
    assert rows_of("unconfirmed", center) == [
        (soon.patient_id, "Mon 2 Mar, 08:00", ("Has not confirmed",)),
        (asks.patient_id, "Wed 4 Mar, 07:00", ("Asks for another time: Rather at noon?",)),
        (later.patient_id, "Wed 1 Apr, 08:00", ("Asks for another time",)),
    ]


def due(center):
    return [(one.order.pk, one.window.first, one.window.last, one.last_held_on) for one in due_orders(center.site, NOW)]


def test_due_not_booked_holds_whose_window_begins_within_two_weeks(center, order):
    """28 days and 4 either way after a visit on 12 February: from 8 to 16 March."""
    held = visit_of(center, order, dt.date(2026, 2, 12), state=State.COMPLETED)
    expected = [(order.pk, dt.date(2026, 3, 8), dt.date(2026, 3, 16), dt.date(2026, 2, 12))]
    assert due(center) == expected
    assert rows_of("due-not-booked", center) == [(order.patient_id, "Due Thu 12 Mar", ("Last on Thu 12 Feb 2026",))]
    assert due_orders(make_site(), NOW) == []
    move_held_to(held, dt.date(2026, 2, 20))  # from 16 March: the last day that counts
    assert [one[1] for one in due(center)] == [dt.date(2026, 3, 16)]
    move_held_to(held, dt.date(2026, 2, 21))
    assert due(center) == []


def move_held_to(visit, day):
    start = visit.start + (day - visit.start.date()) * 1
    Appointment.objects.filter(pk=visit.pk).update(start=start, end=start + ONE / 24, local_start=f"{day}T09:00")


def test_due_not_booked_says_who_is_overdue_and_who_needs_a_new_order(center, order):
    visit_of(center, order, dt.date(2026, 1, 5), state=State.COMPLETED)
    assert rows_of("due-not-booked", center) == [
        (order.patient_id, "Due Mon 2 Feb", ("Last on Mon 5 Jan 2026, overdue",))
    ]
    InfusionOrder.objects.filter(pk=order.pk).update(doses_given=12)
    why = "All 12 authorized visits are used up: ask for a new authorization"
    assert [row[2] for row in rows_of("due-not-booked", center)] == [(why,)]


LEFT_OUT = {
    "a visit is booked ahead": lambda c, o: visit_of(c, o),
    "he sits in the chair": lambda c, o: visit_of(c, o, TODAY, state=State.IN_PROGRESS),
    "the order is held": lambda c, o: InfusionOrder.objects.filter(pk=o.pk).update(status="held"),
    "a visit of another order is booked": lambda c, o: visit_of(c, make_order(patient=o.patient, infusion_minutes=60)),
    "the record is closed": lambda c, o: type(o.patient).objects.filter(pk=o.patient_id).update(is_active=False),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_due_not_booked_leaves_out(center, order, case):
    visit_of(center, order, dt.date(2026, 2, 5), state=State.COMPLETED)
    assert len(due(center)) == 1
    LEFT_OUT[case](center, order)
    assert due(center) == []


def test_due_not_booked_keeps_whose_visit_came_to_nothing_and_tells_his_sites_of_a_new_patient(center, order):
    visit_of(center, order, dt.date(2026, 2, 5), state=State.COMPLETED)
    for state in (State.CANCELLED, State.NO_SHOW):
        visit_of(center, order, TODAY - ONE, state=state, chair=make_chair(site=center.site))
    visit_of(center, long_order(valid_until=TODAY - ONE), dt.date(2026, 2, 4), state=State.COMPLETED)
    new = make_order(infusion_minutes=60, starts_on=TODAY + 14 * ONE)
    make_order(infusion_minutes=60, starts_on=TODAY + 15 * ONE)
    make_order(infusion_minutes=60, starts_on=TODAY, status="draft")
    assert [one[0] for one in due(center)] == [order.pk, new.pk]
    other = make_site()
    assert due_orders(other, NOW) == []
    link_site(new.patient, other)
    assert [one.order.pk for one in due_orders(other, NOW)] == [new.pk]


def test_due_not_booked_holds_who_lost_a_visit_of_a_series_until_another_is_in_time(center, order):
    """Held on 12 February; of the visits of 12 March and 9 April the first was cancelled."""
    visit_of(center, order, dt.date(2026, 2, 12), state=State.COMPLETED)
    visit_of(center, order, dt.date(2026, 3, 12), state=State.CANCELLED, cancel_reason="By the patient: away.")
    visit_of(center, order, dt.date(2026, 4, 9))
    window = (dt.date(2026, 3, 8), dt.date(2026, 3, 16))
    assert due(center) == [(order.pk, *window, dt.date(2026, 2, 12))]
    why = ("Last on Thu 12 Feb 2026", "Last cancelled: By the patient: away.")
    assert [row[2] for row in rows_of("due-not-booked", center)] == [why]
    visit_of(center, order, dt.date(2026, 3, 13))
    assert due(center) == []


def test_due_not_booked_counts_what_was_given_today_as_given(center):
    weekly = long_order(interval_days=7, tolerance_days=1)
    visit_of(center, weekly, TODAY, at="06:00", state=State.COMPLETED)
    assert [one[1:] for one in due(center)] == [(TODAY + 6 * ONE, TODAY + 8 * ONE, TODAY)]


def test_due_not_booked_holds_who_was_given_elsewhere_and_cancelled_here(center):
    order = make_order(infusion_minutes=60, last_dose_on=dt.date(2026, 2, 5), doses_given=3)
    assert due(center) == []
    visit_of(center, order, TODAY + 3 * ONE, state=State.CANCELLED)
    assert [one[0] for one in due(center)] == [order.pk]


def ending(center):
    listed = ending_orders(center.site, NOW)
    assert set(ending_ids(center.site, NOW)) == {one.order.pk for one in listed}
    return [([visit.pk for visit in one.visits], one.reasons) for one in listed]


def test_ends_before_visit_looks_ahead_over_all_booked_visits(center):
    days = [DAY, dt.date(2026, 3, 31), dt.date(2026, 5, 5), dt.date(2026, 6, 2)]
    orders = [
        long_order(),
        long_order(valid_until=dt.date(2026, 5, 4)),
        long_order(visits_authorized=11, doses_given=9),
        long_order(visits_authorized=4),
    ]
    visits = [
        [visit_of(center, order, day, at, minutes=15) for day in days]
        for at, order in zip(("08:00", "09:00", "10:00", "11:00"), orders, strict=True)
    ]
    assert ending(center) == [
        ([visit.pk for visit in visits[1][2:]], ("The order ends on Mon 4 May 2026",)),
        ([visit.pk for visit in visits[2][2:]], ("11 visits authorized, 9 given",)),
    ]
    assert rows_of("ends-before-visit", center)[0] == (
        orders[1].patient_id,
        "Tue 5 May, 09:00 and 1 more",
        ("The order ends on Mon 4 May 2026",),
    )


def test_ends_before_visit_counts_visits_elsewhere_and_holds_only_this_site(center):
    order = long_order(visits_authorized=1)
    elsewhere = make_appointment(order=order, day=DAY, minutes=60)
    here = visit_of(center, order, dt.date(2026, 3, 31))
    assert ending(center) == [([here.pk], ("1 visit authorized, 0 given",))]
    assert ending_orders(elsewhere.site, NOW) == []


def test_ends_before_visit_holds_held_and_stopped_orders_and_no_past_visits(center, order):
    visit_of(center, order, TODAY - ONE)
    InfusionOrder.objects.filter(pk=order.pk).update(status="held", status_reason="Rash")
    assert ending(center) == []
    ahead = visit_of(center, order)
    assert ending(center) == [([ahead.pk], ("The order is on hold: Rash",))]
    InfusionOrder.objects.filter(pk=order.pk).update(status="stopped", status_reason="")
    assert ending(center) == [([ahead.pk], ("The order is stopped",))]
    Appointment.objects.filter(pk=ahead.pk).update(state=State.CANCELLED, cancelled_at=NOW)
    assert ending(center) == []
