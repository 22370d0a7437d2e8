import datetime as dt

import pytest

from infusions.facility.models import ChairOutage, Closure, Setting
from infusions.scheduling.rules import booking_problems
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW, make_center

pytestmark = pytest.mark.django_db


def problems(center, wall="09:00", *, order=None, day=DAY, **wishes):
    wishes = {"setting": Setting.FACILITY, "site": center.site, "now": NOW} | wishes
    order = order or make_order(infusion_minutes=180)
    return booking_problems(order=order, start=center.at(wall, day), **wishes)


def told(found):
    """code -> message"""
    return {problem.code: problem.message for problem in found}


def test_a_lawful_visit_has_no_problems(center):
    assert problems(center) == []
    assert problems(center, chair=center.chairs[1], nurse=center.nurses[1]) == []


# The order


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "draft"}, {"order-unsigned"}),
        ({"status": "held"}, {"order-held"}),
        ({"status": "stopped"}, {"order-stopped"}),
        ({"starts_on": DAY + dt.timedelta(days=1)}, {"order-not-started"}),
        ({"starts_on": DAY - dt.timedelta(days=60), "valid_until": DAY - dt.timedelta(days=1)}, {"order-expired"}),
        ({"visits_authorized": 3, "doses_given": 3}, {"visits-used-up"}),
        ({"last_dose_on": DAY - dt.timedelta(days=23), "doses_given": 1}, {"dose-too-early"}),
        ({"last_dose_on": DAY - dt.timedelta(days=24), "doses_given": 1}, set()),
        ({"last_dose_on": DAY - dt.timedelta(days=32), "doses_given": 1}, set()),
        ({"last_dose_on": DAY - dt.timedelta(days=33), "doses_given": 1}, {"dose-late"}),
    ],
)
def test_the_order_decides_whether_it_may_be_booked(center, fields, expected):
    assert set(told(problems(center, order=make_order(infusion_minutes=180, **fields)))) == expected


@pytest.mark.parametrize(
    ("booked_after_days", "fields", "expected"),
    [
        (-10, {}, {"dose-too-early"}),
        (-24, {}, set()),
        (0, {}, {"visit-same-day"}),
        (10, {}, {"next-visit-too-early"}),
        (24, {}, set()),
        # The days of one course follow each other.
        (-1, {"days": 3}, set()),
        (2, {"days": 3}, set()),
        (-3, {"days": 3}, {"dose-too-early"}),
    ],
)
def test_a_visit_keeps_the_interval_to_those_booked_before_and_after(center, booked_after_days, fields, expected):
    order = make_order(infusion_minutes=60, starts_on=DAY - dt.timedelta(days=60), **fields)
    make_appointment(order=order, day=DAY + dt.timedelta(days=booked_after_days), at="15:00", minutes=60)
    assert set(told(problems(center, order=order))) == expected


def test_home_must_be_allowed_by_the_order(center):
    road = make_nurse(site=center.site, visits_homes=True)
    make_shift(nurse=road, site=center.site, day=DAY, setting=Setting.HOME)
    order = make_order(infusion_minutes=60, home_allowed=False)
    assert set(told(problems(center, order=order, setting=Setting.HOME))) == {"home-not-allowed"}


# The start


@pytest.mark.parametrize(
    ("day", "wall", "expected"),
    [
        (dt.date(2026, 3, 2), "06:45", {"in-the-past", "outside-hours", "no-shift"}),
        (DAY, "09:10", {"start-off-grid"}),
        (DAY, "07:45", {"outside-hours", "no-shift"}),
        (DAY, "14:00", set()),
        (DAY, "14:15", {"outside-hours", "no-shift"}),
        (dt.date(2026, 3, 7), "09:00", {"closed", "no-shift"}),
        (dt.date(2026, 3, 9), "09:00", {"no-shift"}),
    ],
)
def test_the_start_lies_ahead_on_the_grid_in_opening_hours_and_in_a_shift(center, day, wall, expected):
    assert set(told(problems(center, wall, day=day))) == expected


def test_a_closure_is_named(center):
    Closure.objects.create(site=center.site, starts_on=DAY, ends_on=DAY, reason="Staff day")
    assert told(problems(center)) == {"closed": f"{center.site.name} is closed on Tue 3 Mar 2026: Staff day."}


# The chair


def test_a_taken_chair_is_named_with_its_hours(center):
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="10:00", minutes=195)
    found = told(problems(center, "12:00", chair=center.chairs[0]))
    assert found == {"chair-taken": f"{center.chairs[0].name} is taken 10:00–13:15."}


def test_a_chair_is_free_from_the_quarter_at_which_the_visit_before_ends(center):
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="08:00", minutes=240)
    assert problems(center, "12:00", chair=center.chairs[0], nurse=center.nurses[1]) == []


@pytest.mark.parametrize(("from_wall", "to_wall", "blocks"), [("08:00", "09:05", True), ("08:00", "09:00", False)])
def test_a_chair_out_of_service_is_refused_while_it_is(center, from_wall, to_wall, blocks):
    chair = center.chairs[0]
    ChairOutage.objects.create(chair=chair, starts_at=center.at(from_wall), ends_at=center.at(to_wall), reason="Broken")
    message = f"{chair.name} is out of service during 09:00–13:00."
    assert told(problems(center, chair=chair)) == ({"chair-out-of-service": message} if blocks else {})


def test_a_chair_that_was_given_up_is_out_of_service(center):
    center.chairs[0].is_active = False
    center.chairs[0].save()
    assert set(told(problems(center, chair=center.chairs[0]))) == {"chair-out-of-service"}


def test_a_chair_of_another_site_is_refused(center):
    elsewhere = make_chair(site=make_site())
    assert set(told(problems(center, chair=elsewhere))) == {"chair-of-another-site"}


def test_a_visit_at_home_takes_no_chair(center):
    road = make_nurse(site=center.site, visits_homes=True)
    make_shift(nurse=road, site=center.site, day=DAY, setting=Setting.HOME)
    order = make_order(infusion_minutes=60, home_allowed=True)
    found = problems(center, order=order, setting=Setting.HOME, chair=center.chairs[0])
    assert set(told(found)) == {"chair-at-home"}


def test_when_no_chair_is_free_it_says_how_many_there_are(center):
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(chair=chair, nurse=nurse, day=DAY, at="08:00", minutes=120)
    found = told(problems(center, "09:00"))
    assert found == {"chairs-taken": "Every chair (2) is taken or out of service at some time during 09:00–13:00."}


# The patient and the nurse


def test_a_patient_with_another_visit_is_refused(center):
    order = make_order(infusion_minutes=180)
    make_appointment(patient=order.patient, day=DAY, at="11:00", minutes=60)
    assert told(problems(center, order=order)) == {"patient-busy": "The patient has another visit 11:00–12:00."}


def test_a_nurse_off_shift_is_refused(center):
    other = make_nurse(site=center.site)
    found = told(problems(center, nurse=other))
    assert found == {"no-shift": f"{other} is not on shift at {center.site.name} for the whole of 09:00–13:00."}


def test_a_shift_on_the_road_does_not_count_in_the_chair(center):
    road = make_nurse(site=center.site, visits_homes=True)
    make_shift(nurse=road, site=center.site, day=DAY, setting=Setting.HOME)
    assert set(told(problems(center, nurse=road))) == {"no-shift"}


@pytest.mark.parametrize(
    ("other_at", "minutes", "blocks"),
    [
        ("09:00", 60, True),  # both start
        ("08:45", 60, True),  # hands until 09:15
        ("08:30", 90, False),  # hands until 09:00, again from 09:45
        ("08:15", 60, True),  # ends at 09:15
        ("12:15", 60, False),  # begins while the other infuses
        ("12:30", 60, True),  # begins while this one is finished
    ],
)
def test_a_nurse_has_two_hands_for_one_start_or_finish_at_a_time(center, other_at, minutes, blocks):
    nurse = center.nurses[0]
    make_appointment(chair=center.chairs[0], nurse=nurse, day=DAY, at=other_at, minutes=minutes)
    found = problems(center, "09:00", nurse=nurse, chair=center.chairs[1])
    assert set(told(found)) == ({"nurse-hands-busy"} if blocks else set())


def test_busy_hands_are_named_with_their_hours(center):
    nurse = center.nurses[0]
    make_appointment(chair=center.chairs[0], nurse=nurse, day=DAY, at="08:45", minutes=180)
    assert told(problems(center, nurse=nurse)) == {
        "nurse-hands-busy": f"The hands of {nurse} are taken 08:45–09:15; "
        "the visit needs them 09:00–09:30 and 12:45–13:00."
    }


def test_a_nurse_with_as_many_patients_as_the_shift_allows_is_refused():
    center = make_center(chairs=3, nurses=1, ratio=2)
    for number, wall in enumerate(("08:00", "08:30")):
        make_appointment(chair=center.chairs[number], nurse=center.nurses[0], day=DAY, at=wall, minutes=330)
    found = told(problems(center, "09:00", nurse=center.nurses[0]))
    assert found == {"ratio-full": f"{center.nurses[0]} has no place for one more patient during 09:00–13:00."}


def test_a_nurse_at_a_patients_home_is_booked_with_her_travel(center):
    road = make_nurse(site=center.site, visits_homes=True)
    make_shift(nurse=road, site=center.site, day=DAY, setting=Setting.HOME)
    make_appointment(site=center.site, nurse=road, setting=Setting.HOME, day=DAY, at="09:00", minutes=120)
    order = make_order(infusion_minutes=60, home_allowed=True)
    found = told(problems(center, "11:30", order=order, setting=Setting.HOME, nurse=road))
    assert found == {"nurse-busy": f"{road} is booked 08:30–11:30; the visit and its travel take 11:00–14:00."}
    assert problems(center, "12:00", order=order, setting=Setting.HOME, nurse=road) == []


def test_times_are_told_in_the_manner_of_the_site():
    center = make_center(uses_24h_clock=False)
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="12:00", minutes=90)
    found = told(problems(center, "11:00", chair=center.chairs[0]))
    assert found == {"chair-taken": f"{center.chairs[0].name} is taken 12:00 PM–1:30 PM."}


def test_the_time_before_a_visit_that_ended_early_is_free_again(center):
    visit = make_appointment(
        chair=center.chairs[0],
        nurse=center.nurses[0],
        day=DAY,
        at="08:00",
        minutes=300,
        state="stopped_early",
        finished_at=center.at("09:50"),
    )
    assert problems(center, "10:00", chair=visit.chair, nurse=visit.nurse) == []
