"""Which visits have lost what they were booked on: each cause, each way out, and nothing besides."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from infusion_center.core import clock
from infusions.facility.models import Chair, ChairOutage, Closure, Nurse, OpeningHours, Setting, Shift
from infusions.scheduling.board_day import board_day
from infusions.scheduling.cover import uncovered_ids, uncovered_visits
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW

pytestmark = pytest.mark.django_db
WEEK = dt.timedelta(days=7)


def make_visit(center, at="09:00", *, day=DAY, **fields):
    fields = {"chair": center.chairs[0], "nurse": center.nurses[0]} | fields
    return make_appointment(site=center.site, day=day, at=at, **fields)


def found(site, start=NOW, end=NOW + WEEK):
    """Every uncovered visit with its codes and words; the cheap way must agree."""
    listed = uncovered_visits(site, start, end)
    assert uncovered_ids(site, start, end) == {one.appointment.pk for one in listed}
    return [(one.appointment.pk, [(p.code, p.message) for p in one.problems]) for one in listed]


def take_shift(center, **changed):
    """Change the nurse's shift of DAY."""
    start, end = clock.day_bounds(DAY, center.site.time_zone)
    Shift.objects.filter(nurse=center.nurses[0], starts_at__gte=start, starts_at__lt=end).update(**changed)


def close_site(center, first=DAY, last=DAY):
    Closure.objects.create(site=center.site, starts_on=first, ends_on=last, reason="Storm")


def break_chair(center, start, end):
    ends_at = end and center.at(end)
    ChairOutage.objects.create(chair=center.chairs[0], starts_at=center.at(start), ends_at=ends_at, reason="Broken")


CAUSES = {
    "no shift": (
        lambda c: Shift.objects.filter(nurse=c.nurses[0]).delete(),
        [("no-shift", "Nurse is not on shift at that time.")],
    ),
    "a shift that ends before": (
        lambda c: take_shift(c, ends_at=c.at("12:00"), starts_at=c.at("08:00")),
        [("no-shift", "Nurse works only from 08:00 to 12:00.")],
    ),
    "a shift that begins after": (
        lambda c: take_shift(c, starts_at=c.at("10:00"), ends_at=c.at("18:00")),
        [("no-shift", "Nurse works only from 10:00 to 18:00.")],
    ),
    "a shift with a gap": (
        lambda c: (
            Shift.objects.filter(nurse=c.nurses[0]).delete(),
            make_shift(nurse=c.nurses[0], site=c.site, day=DAY, start="08:00", end="10:00"),
            make_shift(nurse=c.nurses[0], site=c.site, day=DAY, start="10:15", end="18:00"),
        ),
        [("no-shift", "Nurse works only from 08:00 to 10:00 and 10:15 to 18:00.")],
    ),
    "only a shift on the road": (
        lambda c: take_shift(c, setting=Setting.HOME, ratio=1),
        [("no-shift", "Nurse is not on shift at that time.")],
    ),
    "only a shift at another site": (
        lambda c: take_shift(c, site=make_site()),
        [("no-shift", "Nurse is not on shift at that time.")],
    ),
    "the nurse left": (
        lambda c: Nurse.objects.filter(pk=c.nurses[0].pk).update(is_active=False),
        [("nurse-left", "Nurse no longer works as a nurse here.")],
    ),
    "the nurse's account is closed": (
        lambda c: type(c.nurses[0].user).objects.filter(pk=c.nurses[0].user_id).update(is_active=False),
        [("nurse-left", "Nurse no longer works as a nurse here.")],
    ),
    "the chair is retired": (
        lambda c: Chair.objects.filter(pk=c.chairs[0].pk).update(is_active=False),
        [("chair-retired", "Chair is retired.")],
    ),
    "the chair is out for a while": (
        lambda c: break_chair(c, "12:45", "14:00"),
        [("chair-out", "Chair is out of service until Tue 3 Mar 2026, 14:00: Broken.")],
    ),
    "the chair is out until further notice": (
        lambda c: break_chair(c, "07:00", None),
        [("chair-out", "Chair is out of service until further notice: Broken.")],
    ),
    "the site is closed": (
        lambda c: close_site(c),
        [("site-closed", "Center is closed on Tue 3 Mar 2026: Storm.")],
    ),
    "the site closes earlier": (
        lambda c: OpeningHours.objects.filter(site=c.site).update(closes=dt.time(12)),
        [("outside-hours", "Center is open from 08:00 to 12:00 that day.")],
    ),
    "the site no longer opens on the weekday": (
        lambda c: OpeningHours.objects.filter(site=c.site, weekday=1).delete(),
        [("outside-hours", "Center does not open on Tuesdays.")],
    ),
    "everything at once": (
        lambda c: (
            Shift.objects.filter(nurse=c.nurses[0]).delete(),
            break_chair(c, "07:00", None),
            close_site(c),
        ),
        [
            ("no-shift", "Nurse is not on shift at that time."),
            ("chair-out", "Chair is out of service until further notice: Broken."),
            ("site-closed", "Center is closed on Tue 3 Mar 2026: Storm."),
        ],
    ),
}


@pytest.fixture
def named(center):
    """The center with plain names, so that whole sentences can be compared."""
    center.site.name, center.chairs[0].name, center.nurses[0].user.full_name = "Center", "Chair", "Nurse"
    center.site.save(), center.chairs[0].save(), center.nurses[0].user.save()
    return center


def tried(act, center):
    """What is uncovered after the act, which is taken back."""
    with transaction.atomic():
        act(center)
        rows = found(center.site)
        transaction.set_rollback(True)
    return rows


def test_a_visit_is_uncovered_by_each_cause(named):
    visit = make_visit(named)
    other = make_visit(named, chair=named.chairs[1], nurse=named.nurses[1])  # loses nothing but the open site
    seen = {case: dict(tried(cause, named)) for case, (cause, _) in CAUSES.items()}
    expected = {}
    for case, (_, problems) in CAUSES.items():
        shared = [problem for problem in problems if problem[0] in ("site-closed", "outside-hours")]
        expected[case] = {visit.pk: problems} | ({other.pk: shared} if shared else {})
    assert seen == expected
    assert found(named.site) == []


HARMLESS = {
    "a shift of another nurse is gone": lambda c: Shift.objects.filter(nurse=c.nurses[1]).delete(),
    "another chair is out": lambda c: ChairOutage.objects.create(chair=c.chairs[1], starts_at=NOW, reason="Broken"),
    "the chair is out until the visit begins": lambda c: break_chair(c, "07:00", "09:00"),
    "the chair is out from its end": lambda c: break_chair(c, "13:00", None),
    "the next day is closed": lambda c: close_site(c, DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=1)),
    "the shift is just long enough": lambda c: take_shift(c, starts_at=c.at("09:00"), ends_at=c.at("13:00")),
    "two shifts adjoin": lambda c: (
        take_shift(c, starts_at=c.at("08:00"), ends_at=c.at("11:00")),
        make_shift(nurse=c.nurses[0], site=c.site, day=DAY, start="11:00", end="18:00"),
    ),
}


def test_a_visit_that_lost_nothing_is_covered(center):
    make_visit(center)
    assert {case: tried(act, center) for case, act in HARMLESS.items()} == {case: [] for case in HARMLESS}


def test_a_lower_ratio_uncovers_only_the_visits_beyond_it(center):
    chairs = [*center.chairs, make_chair(site=center.site)]
    visits = [
        make_visit(center, at, chair=chair) for at, chair in zip(("08:00", "09:00", "10:00"), chairs, strict=True)
    ]
    assert [visit.ratio_place for visit in visits] == [0, 1, 2]
    take_shift(center, ratio=2)
    who = center.nurses[0]
    assert found(center.site) == [
        (
            visits[2].pk,
            [("ratio-too-low", f"{who} looks after 2 patients at once in that shift, and this is one more.")],
        )
    ]


def test_only_visits_that_wait_are_uncovered(center):
    visit = make_visit(center)
    Shift.objects.all().delete()
    uncovered = set()
    for state in State:
        Appointment.objects.filter(pk=visit.pk).update(state=state, cancelled_at=NOW)
        if uncovered_ids(center.site, NOW) == {visit.pk}:
            uncovered.add(state)
    assert uncovered == {State.EXPECTED, State.CONFIRMED, State.ARRIVED}


def test_a_visit_at_home_needs_the_way_within_the_shift_and_no_open_site(center):
    nurse = make_nurse(site=center.site, visits_homes=True)
    make_shift(nurse=nurse, site=center.site, day=DAY, start="08:30", end="13:30", setting=Setting.HOME)
    visit = make_visit(center, nurse=nurse, chair=None, setting=Setting.HOME)
    close_site(center)
    assert found(center.site) == []
    Shift.objects.filter(nurse=nurse).update(ends_at=center.at("13:15"))
    message = f"{nurse} works only from 08:30 to 13:15, and the way there and back counts."
    assert found(center.site) == [(visit.pk, [("no-shift", message)])]
    Nurse.objects.filter(pk=nurse.pk).update(visits_homes=False)
    assert found(center.site) == [(visit.pk, [("nurse-not-on-road", f"{nurse} no longer visits homes.")])]


def test_past_visits_other_windows_and_other_sites_are_left_out(center):
    yesterday = make_visit(center, day=NOW.date() - dt.timedelta(days=1))
    today = make_visit(center, "08:00", day=NOW.date())
    later = make_visit(center, day=DAY + WEEK)
    elsewhere = make_appointment(day=DAY)
    Shift.objects.all().delete()
    assert uncovered_ids(center.site, NOW) == {today.pk, later.pk}
    assert uncovered_ids(center.site, NOW - 2 * WEEK, NOW + WEEK) == {today.pk}
    assert uncovered_ids(elsewhere.site, NOW) == {elsewhere.pk}
    assert yesterday.pk not in uncovered_ids(center.site, NOW - 2 * WEEK)


def test_hours_are_those_of_the_sites_clock_on_either_side_of_the_change(db):
    """New York goes forward on Sunday 8 March 2026: 17:00 to 18:00 is another hour in UTC on Monday."""
    site = make_site()
    chair, nurse = make_chair(site=site), make_nurse(site=site)
    days = [dt.date(2026, 3, 6), dt.date(2026, 3, 9)]
    visits = [make_appointment(site=site, chair=chair, nurse=nurse, day=day, at="16:00", minutes=120) for day in days]
    assert [clock.to_local(visit.end, site.time_zone).hour for visit in visits] == [18, 18]
    assert [visit.end.hour for visit in Appointment.objects.order_by("start")] == [23, 22]
    assert found(site, NOW, NOW + 2 * WEEK) == []
    OpeningHours.objects.update(closes=dt.time(17, 45))
    assert uncovered_ids(site, NOW) == {visit.pk for visit in visits}


def test_the_queries_are_as_many_for_one_visit_as_for_many(center):
    make_visit(center, "08:00", minutes=60)
    Shift.objects.all().delete()
    with CaptureQueriesContext(connection) as one:
        assert len(uncovered_visits(center.site, NOW)) == 1
    for day in range(1, 4):
        for at in ("08:00", "09:00", "10:00"):
            make_visit(center, at, minutes=60, day=DAY + dt.timedelta(days=day), chair=center.chairs[1])
    Shift.objects.all().delete()
    with CaptureQueriesContext(connection) as many:
        assert len(uncovered_visits(center.site, NOW)) == 10
    with CaptureQueriesContext(connection) as ids:
        assert len(uncovered_ids(center.site, NOW)) == 10
    assert (len(one), len(many), len(ids)) == (5, 5, 4)


def test_no_visits_cost_one_query(center):
    with CaptureQueriesContext(connection) as queries:
        assert uncovered_ids(center.site, NOW) == set()
    assert len(queries) == 1


def test_the_board_and_the_list_agree_on_who_is_uncovered(named):
    """Each reads its own ground, and for its own price: neither may know better."""
    visits = [make_visit(named), make_visit(named, "10:00", chair=named.chairs[1], ratio_place=1)]
    roamer = make_nurse(site=named.site, visits_homes=True)
    visits.append(make_visit(named, nurse=roamer, chair=None, setting=Setting.HOME))
    more = {
        "fewer at once": lambda c: take_shift(c, ratio=1),
        "no longer on the road": lambda c: Nurse.objects.filter(pk=roamer.pk).update(visits_homes=False),
        "nothing": lambda c: None,
    }
    seen, hit = {}, set()
    for case, cause in ({case: cause for case, (cause, _) in CAUSES.items()} | more).items():
        with transaction.atomic():
            cause(named)
            board = {card.visit.pk for card in board_day(named.site, DAY, NOW).cards if card.uncovered}
            seen[case] = board == uncovered_ids(named.site, NOW)
            hit |= board
            transaction.set_rollback(True)
    assert (seen, hit) == (dict.fromkeys(seen, True), {visit.pk for visit in visits})
