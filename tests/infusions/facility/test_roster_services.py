import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Nurse, Setting, Shift
from infusions.facility.roster_services import (
    add_nurse,
    add_shift,
    add_shifts,
    amend_nurse,
    copy_week,
    remove_shift,
    wall_span,
)
from tests.factories.accounts import make_staff
from tests.factories.facility import make_nurse, make_shift, make_site
from tests.factories.scheduling import make_appointment, next_weekday

pytestmark = pytest.mark.django_db
MONDAY = dt.date(2027, 3, 1)
NINE, FIVE = dt.time(9), dt.time(17)


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def written():
    return (
        list(Shift.objects.order_by("pk").values()),
        list(Nurse.objects.order_by("pk").values()),
        AuditEvent.objects.count(),
    )


def refusal(service, **kwargs):
    before = written()
    with pytest.raises(RuleViolation) as refused:
        service(**kwargs)
    assert written() == before
    return refused.value.codes


@pytest.mark.parametrize(
    ("zone", "day", "starts", "ends", "expected"),
    [
        ("America/New_York", dt.date(2027, 1, 4), "09:00", "17:00", ("2027-01-04 14:00", "2027-01-04 22:00")),
        ("America/New_York", dt.date(2027, 1, 4), "22:00", "06:00", ("2027-01-05 03:00", "2027-01-05 11:00")),
        # The night on which clocks go forward is an hour shorter, back an hour longer, on Lord Howe by half of it.
        ("America/New_York", dt.date(2027, 3, 13), "22:00", "06:00", ("2027-03-14 03:00", "2027-03-14 10:00")),
        ("America/New_York", dt.date(2027, 11, 6), "22:00", "06:00", ("2027-11-07 02:00", "2027-11-07 11:00")),
        ("Australia/Lord_Howe", dt.date(2027, 10, 2), "22:00", "06:00", ("2027-10-02 11:30", "2027-10-02 19:00")),
        ("Asia/Kathmandu", dt.date(2027, 10, 2), "09:00", "17:00", ("2027-10-02 03:15", "2027-10-02 11:15")),
    ],
)
def test_wall_span_is_by_the_clock_of_the_site(zone, day, starts, ends, expected):
    site = make_site(time_zone=zone)
    span = wall_span(site, day, dt.time.fromisoformat(starts), dt.time.fromisoformat(ends))
    assert span == tuple(utc(text) for text in expected)


@pytest.mark.parametrize(("starts", "ends", "field"), [("02:30", "10:00", "starts"), ("00:30", "02:30", "ends")])
def test_wall_span_refuses_a_time_that_the_clocks_skip(starts, ends, field):
    with pytest.raises(RuleViolation) as refused:
        wall_span(make_site(), dt.date(2027, 3, 14), dt.time.fromisoformat(starts), dt.time.fromisoformat(ends))
    assert [(problem.code, problem.field) for problem in refused.value.problems] == [("time-skipped", field)]


def test_add_shift_takes_the_ratio_of_the_site(manager):
    site = make_site(default_ratio=3)
    shift = add_shift(
        nurse=make_nurse(site=site),
        site=site,
        starts_at=utc("2027-03-01 14:00"),
        ends_at=utc("2027-03-01 22:00"),
        by=manager,
    )
    assert (shift.ratio, shift.setting, actions()) == (3, "facility", ["shift.added"])


def test_a_home_shift_has_one_patient_at_a_time(site, manager):
    nurse = make_nurse(site=site, visits_homes=True)
    (shift,) = add_shifts(
        nurse=nurse, site=site, days=[MONDAY], starts=NINE, ends=FIVE, setting=Setting.HOME, ratio=4, by=manager
    )
    assert (shift.ratio, shift.setting) == (1, "home")


def test_add_shifts_adds_all_days_or_none(site, manager):
    nurse = make_nurse(site=site)
    make_shift(nurse=nurse, site=site, day=MONDAY + dt.timedelta(days=2))
    days = [MONDAY + dt.timedelta(days=number) for number in range(3)]
    hours = {"nurse": nurse, "site": site, "starts": NINE, "ends": FIVE, "by": manager}
    assert refusal(add_shifts, days=days, **hours) == {"shift-overlaps"}
    assert len(add_shifts(days=days[:2], **hours)) == 2


@pytest.mark.parametrize(
    ("start", "end", "fields", "code"),
    [
        ("14:00", "14:00", {}, "shift-backwards"),
        ("00:00", "16:01", {}, "shift-too-long"),
        ("14:00", "22:00", {"ratio": 7}, "shift-ratio"),
        ("14:00", "22:00", {"setting": "home"}, "nurse-no-home-visits"),
    ],
)
def test_add_shift_refuses_what_cannot_be(site, manager, start, end, fields, code):
    span = {"starts_at": utc(f"2027-03-01 {start}"), "ends_at": utc(f"2027-03-01 {end}")}
    assert refusal(add_shift, nurse=make_nurse(site=site), site=site, by=manager, **span, **fields) == {code}


def test_add_shift_refuses_an_overlap_at_any_site_and_takes_what_touches(site, manager):
    nurse, other = make_nurse(site=site), make_site()
    make_shift(nurse=nurse, site=other, day=MONDAY, start="08:00", end="12:00")
    hours = {"nurse": nurse, "site": site, "days": [MONDAY], "ends": FIVE, "by": manager}
    assert refusal(add_shifts, starts=dt.time(11, 59), **hours) == {"shift-overlaps"}
    add_shifts(starts=dt.time(12), **hours)


def test_add_shift_refuses_who_left_or_works_elsewhere(site, manager):
    stranger, gone = make_nurse(site=make_site()), make_nurse(site=site)
    gone.is_active = False
    gone.save()
    hours = {"site": site, "days": [MONDAY], "starts": NINE, "ends": FIVE, "by": manager}
    assert refusal(add_shifts, nurse=stranger, **hours) == {"nurse-not-member"}
    assert refusal(add_shifts, nurse=gone, **hours) == {"nurse-inactive"}


def test_remove_shift_needs_a_reason_under_booked_visits(site, manager):
    visit = make_appointment(site=site)
    shift = visit.nurse.shifts.get()
    assert refusal(remove_shift, shift=shift, by=manager) == {"visits-uncovered"}
    remove_shift(shift=shift, by=manager, override_reason="Ill; the board covers it")
    assert (Shift.objects.count(), AuditEvent.objects.get().detail["overridden"]) == (0, ["visits-uncovered"])


@pytest.mark.parametrize("state", ["cancelled", "completed", "stopped_early"])
def test_remove_shift_without_visits_that_need_it_needs_no_reason(site, manager, state):
    visit = make_appointment(site=site, state=state)
    remove_shift(shift=visit.nurse.shifts.get(), by=manager)
    assert (Shift.objects.count(), actions()) == (0, ["shift.removed"])


def test_remove_shift_looks_at_its_own_hours_only(site, manager):
    day = next_weekday(site)
    nurse = make_nurse(site=site)
    make_shift(nurse=nurse, site=site, day=day, start="08:00", end="13:00")
    evening = make_shift(nurse=nurse, site=site, day=day, start="13:00", end="18:00")
    make_appointment(site=site, nurse=nurse, day=day, at="09:00", minutes=240)
    remove_shift(shift=evening, by=manager)
    assert nurse.shifts.count() == 1


def test_copy_week_repeats_wall_times_across_the_change_of_clocks(manager):
    site = make_site()
    nurse = make_nurse(site=site)
    make_shift(nurse=nurse, site=site, day=dt.date(2027, 3, 8), start="09:00", end="17:00", ratio=2)
    assert copy_week(site=site, monday=dt.date(2027, 3, 15), by=manager) == (1, 0)
    copied = Shift.objects.latest("starts_at")
    assert (copied.starts_at, copied.ends_at, copied.ratio) == (utc("2027-03-15 13:00"), utc("2027-03-15 21:00"), 2)


def test_copy_week_leaves_out_what_no_longer_fits(site, manager):
    staying, leaving, busy = (make_nurse(site=site) for _ in range(3))
    for nurse in (staying, leaving, busy):
        make_shift(nurse=nurse, site=site, day=MONDAY - dt.timedelta(days=7))
    make_shift(nurse=busy, site=site, day=MONDAY, start="10:00", end="11:00")
    leaving.user.site_memberships.all().delete()
    assert copy_week(site=site, monday=MONDAY, by=manager) == (1, 2)
    assert copy_week(site=site, monday=MONDAY, by=manager) == (0, 3)
    assert staying.shifts.count() == 2


def test_copy_week_takes_night_shifts_once(site, manager):
    nurse = make_nurse(site=site)
    add_shifts(
        nurse=nurse, site=site, days=[MONDAY - dt.timedelta(days=8)], starts=dt.time(22), ends=dt.time(6), by=manager
    )
    assert copy_week(site=site, monday=MONDAY, by=manager) == (0, 0)


def test_add_nurse_makes_a_member_of_staff_a_nurse_once(manager):
    user = make_staff()
    nurse = add_nurse(user=user, visits_homes=True, by=manager)
    assert (nurse.user, nurse.visits_homes, actions()) == (user, True, ["nurse.added"])
    assert refusal(add_nurse, user=user, by=manager) == {"already-nurse"}


@pytest.mark.parametrize(
    "change", [{"visits_homes": True, "is_active": False}, {"visits_homes": False, "is_active": True}]
)
def test_amend_nurse_under_booked_home_visits_needs_a_reason(site, manager, change):
    nurse = make_appointment(site=site, setting=Setting.HOME).nurse
    assert refusal(amend_nurse, nurse=nurse, by=manager, **change) == {"visits-uncovered"}
    amend_nurse(nurse=nurse, by=manager, override_reason="Leaves the center", **change)
    nurse.refresh_from_db()
    assert {"visits_homes": nurse.visits_homes, "is_active": nurse.is_active} == change
