import datetime as dt
import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from infusion_center.core import clock
from infusion_center.core.rules import Severity
from infusions.facility.models import ChairOutage, Closure, Setting
from infusions.orders.models import InfusionOrder
from infusions.scheduling.booking import book_appointment
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment
from infusions.scheduling.rules import booking_problems
from infusions.scheduling.slots import find_slots
from infusions.scheduling.states import State
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW, make_center

pytestmark = pytest.mark.django_db


def search(center, order=None, **wishes):
    wishes = {"setting": Setting.FACILITY, "site": center.site, "earliest": DAY, "latest": DAY, "limit": None} | wishes
    return find_slots(order or make_order(infusion_minutes=180), **wishes)


def walls(found, zone="America/New_York"):
    return sorted(f"{clock.to_local(option.start, zone):%H:%M}" for option in found.options)


def quarters(first, last):
    """08:00, 08:15 ... last."""
    at, end = (dt.datetime.combine(DAY, dt.time.fromisoformat(wall)) for wall in (first, last))
    return [f"{at + dt.timedelta(minutes=15 * n):%H:%M}" for n in range(int((end - at).total_seconds()) // 900 + 1)]


def codes(found):
    return [problem.code for problem in found.refusals]


# What fits


def test_an_empty_day_offers_every_quarter_from_opening_until_the_visit_would_outlast_it(center):
    found = search(center)
    assert walls(found) == quarters("08:00", "14:00")
    best = found.options[0]
    assert (best.site, best.chair, best.nurse) == (center.site, center.chairs[0], center.nurses[0])
    assert (best.start, best.end) == (center.at("08:00"), center.at("12:00"))
    assert best.start.tzinfo is not None
    assert len({option.start for option in found.options}) == len(found.options)


def test_every_start_offered_can_be_booked_and_every_other_is_refused():
    """The search and the rules of booking agree about each quarter, on busy days drawn at random.

    The first is asked about all its hours; the others, from an hour before the site opens to an hour after it closes.
    """
    dice = random.Random(20260303)
    for round_number in range(6):
        center = make_center(chairs=dice.randint(1, 3), nurses=dice.randint(1, 2), days=2, ratio=dice.randint(1, 3))
        if round_number % 2:
            out = center.at("10:00"), center.at("11:07")
            ChairOutage.objects.create(chair=center.chairs[0], starts_at=out[0], ends_at=out[1], reason="Broken")
        for _ in range(5):
            length = make_order(infusion_minutes=dice.choice([15, 60, 120]))
            if options := search(center, length).options:
                chosen = dice.choice(options)
                wishes = {"order": length, "setting": "facility", "site": center.site, "by": center.scheduler}
                book_appointment(start=chosen.start, chair=chosen.chair, nurse=chosen.nurse, **wishes)
        order = make_order(infusion_minutes=dice.choice([30, 105]))
        offered = {option.start for option in search(center, order).options}
        hours = center.at("07:00"), center.at("19:00")
        first, following = hours if round_number else clock.day_bounds(DAY, center.site.time_zone)
        for quarter in range(int((following - first).total_seconds()) // 900):
            start = first + quarter * clock.QUARTER
            found = booking_problems(order=order, site=center.site, setting="facility", start=start, now=NOW)
            assert (start in offered) == (not found), (round_number, start, found)
        assert claim_violations() == []


def test_nothing_before_now_is_offered(center):
    found = search(center, earliest=None, latest=None, now=center.at("10:05"), limit=None)
    assert min(option.start for option in found.options) == center.at("10:15")


def test_an_instant_limits_the_start_and_a_day_the_whole_day(center):
    assert walls(search(center, earliest=center.at("09:30"), latest=center.at("10:00"))) == quarters("09:30", "10:00")


def test_a_cancelled_visit_stands_in_nobodys_way_and_a_no_show_does():
    center = make_center(chairs=1, nurses=1)
    for state, free in ((State.CANCELLED, True), (State.NO_SHOW, False)):
        make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="08:00", minutes=600, state=state)
        assert bool(search(center).options) == free


def test_the_visit_that_is_moved_does_not_stand_in_its_own_way():
    center = make_center(chairs=1, nurses=1)
    visit = make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="08:00", minutes=600)
    starts = {option.start for option in search(center, visit.order, moving=visit).options}
    assert center.at("09:00") in starts
    assert visit.start not in starts  # it has that one already
    assert not search(center).options


def test_a_chair_out_of_service_is_not_offered():
    center = make_center(chairs=1)
    ChairOutage.objects.create(chair=center.chairs[0], starts_at=center.at("09:00"), ends_at=None, reason="Broken")
    assert codes(search(center)) == ["chairs-taken"]


def test_a_patient_with_a_visit_elsewhere_is_not_offered_the_same_time(center):
    order = make_order(infusion_minutes=180)
    make_appointment(site=make_site(), patient=order.patient, day=DAY, at="12:00", minutes=120)
    assert walls(search(center, order)) == ["08:00", "14:00"]


def test_a_nurse_who_is_busy_at_another_site_is_not_offered():
    center = make_center(nurses=1)
    make_appointment(site=make_site(), nurse=center.nurses[0], setting=Setting.HOME, day=DAY, at="12:00", minutes=60)
    assert walls(search(center, make_order(infusion_minutes=60))) == quarters("08:00", "09:30") + quarters(
        "13:30", "16:00"
    )


def test_the_ratio_of_the_shift_limits_how_many_patients_a_nurse_has_at_once():
    center = make_center(chairs=5, nurses=1, ratio=2)
    for wall in ("08:00", "09:00"):
        make_appointment(chair=make_chair(site=center.site), nurse=center.nurses[0], day=DAY, at=wall, minutes=540)
    assert codes(search(center, make_order(infusion_minutes=30))) == ["ratio-full"]


def test_home_starts_leave_the_nurse_time_to_travel_within_her_shift(center):
    road = make_nurse(site=center.site, visits_homes=True)
    make_shift(nurse=road, site=center.site, day=DAY, start="07:00", end="15:00", setting=Setting.HOME)
    order = make_order(infusion_minutes=180, home_allowed=True)
    found = search(center, order, setting=Setting.HOME)
    assert walls(found) == quarters("07:30", "10:30")
    assert {(option.chair, option.nurse) for option in found.options} == {(None, road)}


# The default window and the order of the options


def test_without_days_the_window_is_where_the_interval_is_kept(center):
    order = make_order(infusion_minutes=180, last_dose_on=DAY - dt.timedelta(days=28), doses_given=4)
    found = search(center, order, earliest=None, latest=None)
    days = sorted({clock.local_date(option.start, center.site.time_zone) for option in found.options})
    assert (days[0], days[-1]) == (dt.date(2026, 3, 2), dt.date(2026, 3, 6))
    assert clock.local_date(found.options[0].start, center.site.time_zone) == DAY
    assert not any(option.needs_approval for option in found.options)


def test_the_next_visit_is_counted_from_the_last_one_booked(center):
    order = make_order(infusion_minutes=180, last_dose_on=DAY - dt.timedelta(days=28), doses_given=4)
    make_appointment(order=order, site=center.site, day=DAY)
    assert search(center, order, earliest=None, latest=None).window.due_on == DAY + dt.timedelta(days=28)


def test_days_before_the_interval_are_offered_last_and_said_to_need_a_reason(center):
    order = make_order(infusion_minutes=180, last_dose_on=DAY - dt.timedelta(days=23), doses_given=4)
    found = search(center, order, earliest=DAY, latest=dt.date(2026, 3, 5))
    needing = [option.needs_approval for option in found.options]
    assert needing == sorted(needing)
    early = {clock.local_date(o.start, center.site.time_zone) for o in found.options if o.needs_approval}
    assert early == {DAY}
    assert "dose-too-early" in codes(found)


def test_the_nurse_of_the_last_visit_is_offered_first(center):
    order = make_order(infusion_minutes=180)
    make_appointment(order=order, nurse=center.nurses[1], site=center.site, day=dt.date(2026, 2, 3), at="09:00")
    best = search(center, order).options[0]
    assert (best.nurse, "same nurse as last time" in best.merits) == (center.nurses[1], True)


def test_the_limit_keeps_the_best(center):
    whole = search(center, earliest=None, latest=None)
    some = search(center, earliest=None, latest=None, limit=7)
    assert [option.start for option in some.options] == [option.start for option in whole.options[:7]]


# Why nothing fits


@pytest.mark.parametrize(
    ("fields", "setting", "expected"),
    [
        ({"status": "draft"}, "facility", ["order-unsigned"]),
        ({"status": "held"}, "facility", ["order-held"]),
        ({"visits_authorized": 2, "doses_given": 2}, "facility", ["visits-used-up"]),
        ({}, "home", ["home-not-allowed"]),
    ],
)
def test_an_order_that_may_not_be_booked_says_so_before_any_search(center, fields, setting, expected):
    found = search(center, make_order(infusion_minutes=180, **fields), setting=setting)
    assert (codes(found), found.options) == (expected, [])
    assert found.refusals[0].severity == Severity.BLOCKER


def test_an_order_whose_schedule_is_locked_has_no_length(center):
    order = make_order(infusion_minutes=180)
    InfusionOrder.objects.filter(pk=order.pk).update(infusion_minutes=0)
    order.refresh_from_db()
    assert codes(search(center, order)) == ["schedule-locked"]


def test_an_order_that_ends_before_the_visit_is_due_says_so(center):
    order = make_order(
        infusion_minutes=180, last_dose_on=NOW.date(), doses_given=1, valid_until=NOW.date() + dt.timedelta(days=10)
    )
    assert codes(search(center, order, earliest=None, latest=None)) == ["order-expired"]


def test_each_day_without_a_start_is_explained_by_what_binds_first():
    center = make_center(chairs=1, nurses=1, days=3)
    Closure.objects.create(site=center.site, starts_on=DAY, ends_on=DAY, reason="Staff day")
    wednesday = DAY + dt.timedelta(days=1)
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=wednesday, at="10:00", minutes=300)
    found = search(center, earliest=DAY, latest=DAY + dt.timedelta(days=2))
    assert found.options == []
    assert {problem.code: problem.message for problem in found.refusals} == {
        "closed": "The site is closed or not open long enough: Tue 3 Mar.",
        "no-shift": "No nurse is on shift for the whole visit: Thu 5 Mar.",
        "chairs-taken": "No chair is free for the whole visit: Wed 4 Mar.",
    }


def test_hands_that_are_taken_all_day_are_the_reason():
    center = make_center(chairs=2, nurses=1, ratio=6)
    for number in range(5):
        hands = {"start_hands_minutes": 60, "end_hands_minutes": 60}
        at = f"{8 + 2 * number:02d}:00"
        make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at=at, minutes=120, **hands)
    assert codes(search(center, make_order(infusion_minutes=60))) == ["nurse-hands-busy"]


# Local time


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham"])
def test_starts_keep_the_wall_clock_of_the_site_across_a_change_of_clocks(zone):
    site = make_site(time_zone=zone, weekdays=range(7))
    chair, nurse, order = make_chair(site=site), make_nurse(site=site), make_order(infusion_minutes=180)
    first = dt.date(2026, 3, 3)
    days = [first + dt.timedelta(days=number) for number in range(35)]  # both hemispheres change in these weeks
    for day in days:
        make_shift(nurse=nurse, site=site, day=day)
    found = find_slots(order, setting="facility", site=site, earliest=days[0], latest=days[-1], limit=None)
    by_day: dict = {}
    for option in found.options:
        local = clock.to_local(option.start, zone)
        by_day.setdefault(local.date(), []).append(f"{local:%H:%M}")
        assert option.chair == chair
    assert list(map(sorted, (by_day[day] for day in days))) == [quarters("08:00", "14:00")] * len(days)


# What it costs


def test_the_search_costs_the_same_queries_however_much_is_booked(center):
    pk = make_order(infusion_minutes=60).pk

    def cost(days):
        order = InfusionOrder.objects.select_related("patient", "product").get(pk=pk)
        with CaptureQueriesContext(connection) as queries:
            found = search(center, order, earliest=DAY, latest=DAY + dt.timedelta(days=days))
        assert found.options
        return len(queries)

    few = cost(1)
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        for number in range(4):
            day = DAY + dt.timedelta(days=number)
            for at in ("08:00", "11:00"):
                make_appointment(chair=chair, nurse=nurse, day=day, at=at, minutes=120)
    assert Appointment.objects.count() == 16
    assert (few, cost(60)) == (6, 6)


def test_a_nurse_is_spared_from_the_center_for_a_visit_at_home_where_a_colleague_takes_her_patient():
    center = make_center(nurses=1)
    road = make_nurse(site=center.site, visits_homes=True)
    make_shift(nurse=road, site=center.site, day=DAY, setting=Setting.HOME)
    patient_of_hers = make_appointment(chair=center.chairs[0], nurse=road, day=DAY, at="10:00", minutes=300)
    order = make_order(infusion_minutes=180, home_allowed=True)
    found = search(center, order, setting=Setting.HOME, limit=20, reseating=True)
    changed = {change.appointment for option in found.options for change in option.changes}
    assert changed <= {patient_of_hers}
    assert found.options
