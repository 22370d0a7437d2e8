import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.core import clock
from infusions.facility.models import ChairOutage, Closure, Setting, SiteMembership
from infusions.reports.scope import hours_of, share
from infusions.reports.utilization import ChairUse, NurseLoad, chair_use, merged, nurse_load, shared, visit_counts
from infusions.scheduling.states import State
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
MONDAY, TUESDAY, SUNDAY = dt.date(2026, 3, 16), dt.date(2026, 3, 17), dt.date(2026, 3, 22)
D = Decimal


@pytest.fixture
def order(db):
    return make_order()


def visit(site, order, day=MONDAY, **fields):
    return make_appointment(site=site, order=order, day=day, **fields)


def local(site, day, wall):
    return clock.from_local(day, dt.time.fromisoformat(wall), site.time_zone)


def test_share_is_of_a_hundred_to_a_tenth_and_of_nothing_none():
    assert [share(1, 3), share(2, 1), share(0, 7), share(3, 0)] == [D("33.3"), D("200.0"), D("0.0"), None]


def test_hours_of_a_length_are_to_a_tenth():
    assert [hours_of(dt.timedelta(minutes=m)) for m in (0, 95, 240)] == [D("0.0"), D("1.6"), D("4.0")]


def test_visit_counts_count_each_state_and_what_was_cancelled_late(site, order, scope_of):
    for number, state in enumerate([State.COMPLETED, State.COMPLETED, State.STOPPED_EARLY, State.NO_SHOW]):
        visit(site, order, day=MONDAY + dt.timedelta(days=number), state=state)
    visit(site, order, day=SUNDAY, state=State.CONFIRMED)
    start = local(site, TUESDAY, "14:00")
    for notice in (dt.timedelta(hours=24), dt.timedelta(hours=23, minutes=59), -dt.timedelta(hours=1)):
        visit(site, order, day=TUESDAY, at="14:00", state=State.CANCELLED, cancelled_at=start - notice)
    counts = visit_counts(scope_of(site))
    assert counts.rows == [
        (State.CONFIRMED, 1, D("12.5")),
        (State.COMPLETED, 2, D("25.0")),
        (State.STOPPED_EARLY, 1, D("12.5")),
        (State.CANCELLED, 3, D("37.5")),
        (State.NO_SHOW, 1, D("12.5")),
    ]
    assert (counts.total, counts.due, counts.late) == (8, 6, 2)
    assert (counts.no_show_percent, counts.late_percent) == (D("16.7"), D("33.3"))


def test_visit_counts_of_no_visits_have_no_rates(site, scope_of):
    counts = visit_counts(scope_of(site))
    assert (counts.rows, counts.total, counts.no_show_percent, counts.late_percent) == ([], 0, None, None)


def test_visit_counts_leave_out_sites_that_the_person_may_not_see(site, order, scope_of):
    visit(site, order)
    foreign = make_site()
    visit(foreign, order, day=TUESDAY)
    assert visit_counts(scope_of(site, foreign)).by_state == ((State.EXPECTED, 1),)


def test_visits_belong_to_the_local_day_of_their_own_site(manager, scope_of):
    """23:30 and 00:30 by the wall clock, in zones where the UTC day is already or still another one."""
    honolulu, auckland = make_site(time_zone="Pacific/Honolulu"), make_site(time_zone="Pacific/Auckland")
    for site in (honolulu, auckland):
        SiteMembership.objects.create(site=site, user=manager)
        for day, at in ((MONDAY, "00:30"), (SUNDAY, "23:30")):
            visit(site, make_order(), day=day, at=at, minutes=15)
        visit(site, make_order(), day=MONDAY - dt.timedelta(days=1), at="23:30", minutes=15)
        visit(site, make_order(), day=SUNDAY + dt.timedelta(days=1), at="00:30", minutes=15)
    assert sorted(scope_of(honolulu, auckland).visits().values_list("site", "local_start")) == sorted(
        (site.pk, local_start)
        for site in (honolulu, auckland)
        for local_start in ("2026-03-16T00:30", "2026-03-22T23:30")
    )


def test_chair_use_is_visit_hours_over_open_hours_by_weekday(site, order, scope_of):
    chair, other = make_chair(site=site), make_chair(site=site)
    visit(site, order, chair=chair, minutes=240, state=State.COMPLETED)
    visit(site, make_order(), chair=other, minutes=90)
    visit(site, order, day=TUESDAY, chair=chair, state=State.NO_SHOW)
    visit(site, make_order(), day=TUESDAY, chair=chair, state=State.CANCELLED)
    visit(site, make_order(), day=TUESDAY, setting=Setting.HOME)
    Closure.objects.create(site=site, starts_on=dt.date(2026, 3, 19), ends_on=dt.date(2026, 3, 30), reason="Floor")
    assert chair_use(scope_of(site)) == (
        [
            ChairUse("Monday", 2, D("5.5"), D("20.0")),
            ChairUse("Tuesday", 0, D("0.0"), D("20.0")),
            ChairUse("Wednesday", 0, D("0.0"), D("20.0")),
        ],
        ChairUse("All", 2, D("5.5"), D("60.0")),
    )
    assert chair_use(scope_of(site))[1].percent == D("9.2")


def test_chair_use_counts_time_out_of_service_once_and_chairs_given_up_since(site, order, scope_of):
    chair, gone, never = (make_chair(site=site, is_active=active) for active in (True, False, False))
    visit(site, order, chair=gone, minutes=60)
    for start, end in (("06:00", "10:00"), ("09:00", "11:00")):
        ChairOutage.objects.create(
            chair=chair, starts_at=local(site, MONDAY, start), ends_at=local(site, MONDAY, end), reason="Pump"
        )
    ChairOutage.objects.create(chair=chair, starts_at=local(site, TUESDAY, "17:00"), reason="Until further notice")
    ChairOutage.objects.create(chair=never, starts_at=local(site, MONDAY, "08:00"), reason="Broken")
    rows, _ = chair_use(scope_of(site))
    assert [(row.label, row.open_hours) for row in rows] == [
        ("Monday", D("17.0")),
        ("Tuesday", D("19.0")),
        ("Wednesday", D("10.0")),
        ("Thursday", D("10.0")),
        ("Friday", D("10.0")),
    ]


def test_chair_use_of_a_day_whose_clocks_go_forward_has_an_hour_less(manager, scope_of):
    site = make_site(weekdays=range(7), opens="00:00", closes="06:00")
    SiteMembership.objects.create(site=site, user=manager)
    make_chair(site=site)
    day = dt.date(2026, 3, 8)
    assert chair_use(scope_of(site, first=day, last=day)) == (
        [ChairUse("Sunday", 0, D("0.0"), D("5.0"))],
        ChairUse("All", 0, D("0.0"), D("5.0")),
    )


def test_merged_and_shared_count_no_moment_twice():
    at = [dt.datetime(2026, 3, 16, hour, tzinfo=dt.UTC) for hour in range(12)]
    spans = merged([(at[1], at[6]), (at[2], at[3]), (at[6], at[7]), (at[9], at[11])])
    assert spans == [(at[1], at[7]), (at[9], at[11])]
    assert [shared(spans, at[0], at[2]), shared(spans, at[5], at[10]), shared(spans, at[7], at[9])] == [
        dt.timedelta(hours=hours) for hours in (1, 3, 0)
    ]


def test_nurse_load_is_visit_hours_over_the_places_of_shifts(site, order, scope_of):
    busy, idle, stray = (make_nurse(site=site) for _ in range(3))
    for nurse, name in ((busy, "Ada Example"), (idle, "Bea Example"), (stray, "Cy Example")):
        nurse.user.full_name = name
        nurse.user.save()
    make_shift(nurse=busy, site=site, day=MONDAY, start="08:00", end="16:00", ratio=3)
    make_shift(nurse=busy, site=site, day=TUESDAY, start="08:00", end="12:00", ratio=2)
    make_shift(nurse=idle, site=site, day=TUESDAY, start="08:00", end="16:30", ratio=4)
    make_shift(nurse=idle, site=make_site(), day=MONDAY)
    make_shift(nurse=idle, site=site, day=SUNDAY + dt.timedelta(days=1))
    visit(site, order, nurse=busy, minutes=240)
    visit(site, make_order(), nurse=busy, at="13:00", minutes=180)
    visit(site, make_order(), nurse=busy, day=TUESDAY, state=State.NO_SHOW)
    visit(site, order, nurse=stray, day=TUESDAY, state=State.CANCELLED)
    stray.shifts.all().delete()
    rows = nurse_load(scope_of(site))
    assert rows == [
        NurseLoad("Ada Example", 2, D("7.0"), D("12.0"), D("32.0")),
        NurseLoad("Bea Example", 0, D("0.0"), D("8.5"), D("34.0")),
    ]
    assert [row.percent for row in rows] == [D("21.9"), D("0.0")]
