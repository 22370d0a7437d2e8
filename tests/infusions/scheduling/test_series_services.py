import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Closure, Setting
from infusions.scheduling.booking import book_appointment
from infusions.scheduling.courses import book_course, course_visits, plan_course
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment, Claim, Series
from infusions.scheduling.series_queries import place_in_series, visits_ahead
from infusions.scheduling.series_services import SeriesRefused, book_series, cancel_following, move_following
from infusions.scheduling.states import State
from tests.factories.accounts import make_staff
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import NOW
from tests.infusions.scheduling.series_support import TUESDAY, monthly_order, plan, staffed_center
from tests.infusions.scheduling.support import everything_written

pytestmark = pytest.mark.django_db
NINE = dt.time(9)


@pytest.fixture
def center(db):
    return staffed_center()


def days(number: int) -> dt.timedelta:
    return dt.timedelta(days=number)


def planned(center, order, count=3, **wishes):
    wishes = {"first_on": TUESDAY, "count": count, "weekday": 1, "local_time": NINE} | wishes
    return plan(center, order, **wishes).lines


def book(center, order, lines, **more):
    more = {"by": center.scheduler, "site": center.site, "setting": Setting.FACILITY} | more
    return book_series(order=order, lines=lines, **more)


def booked(center, count=3, **fields):
    order = monthly_order(**fields)
    book(center, order, planned(center, order, count))
    return list(order.appointments.order_by("start"))


def walls(visits):
    return [f"{dt.datetime.fromisoformat(visit.local_start):%a %d %b %H:%M}" for visit in visits]


def refused(call, *args, **kwargs):
    """The refusal of a call that wrote nothing at all."""
    before = everything_written(), list(Series.objects.values())
    with pytest.raises(RuleViolation) as refusal:
        call(*args, **kwargs)
    assert (everything_written(), list(Series.objects.values())) == before
    assert claim_violations() == []
    return refusal.value


def by_line(violation):
    return {number: [problem.code for problem in found] for number, found in violation.by_line.items()}


# Booking


def test_a_series_is_booked_as_rows_of_their_own_with_its_rhythm(center):
    order = monthly_order()
    lines = planned(center, order)
    series = book(center, order, lines)
    visits = list(series.appointments.order_by("start"))
    assert [(visit.start, visit.end, visit.chair, visit.nurse) for visit in visits] == [
        (one.start, one.end, one.chair, one.nurse) for line in lines for one in line.visits
    ]
    assert (series.weekday, series.local_time, series.booked_by) == (1, NINE, center.scheduler)
    assert walls(visits) == ["Tue 03 Mar 09:00", "Tue 31 Mar 09:00", "Tue 28 Apr 09:00"]
    assert [place_in_series(visit).number for visit in visits] == [1, 2, 3]
    actions = AuditEvent.objects.exclude(action="chart.opened").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["appointment.booked"] * 3 + ["series.booked"]
    assert claim_violations() == []


def test_a_series_with_a_lost_line_books_nothing_and_names_every_lost_line(center):
    order = monthly_order()
    lines = planned(center, order, 4)
    for number in (28, 84):
        for chair, nurse in zip(center.chairs, center.nurses, strict=True):
            make_appointment(chair=chair, nurse=nurse, start=center.at("08:00", TUESDAY + days(number)), minutes=300)
    violation = refused(book, center, order, lines)
    assert isinstance(violation, SeriesRefused)
    assert by_line(violation) == {
        2: ["chairs-taken", "nurse-hands-busy"],
        4: ["chairs-taken", "nurse-hands-busy"],
    }


def test_the_same_form_sent_twice_books_once(center):
    order = monthly_order()
    lines = planned(center, order)
    first, second = (book(center, order, lines, token="one-form") for _ in range(2))
    assert first == second
    assert Appointment.objects.count() == 3
    other = monthly_order()
    assert refused(book, center, other, planned(center, other), token="one-form").codes == {"token-reused"}


def test_authorized_visits_are_not_overdrawn_by_a_plan_made_before(center):
    order = monthly_order(visits_authorized=3)
    lines = planned(center, order)
    book_appointment(
        order=order,
        start=center.at("09:00", TUESDAY + days(84)),
        setting="facility",
        site=center.site,
        by=center.scheduler,
    )
    assert by_line(refused(book, center, order, lines)) == {3: ["visits-used-up"]}


def test_an_early_line_is_for_a_nurse_with_a_reason(center):
    order = monthly_order()
    first, second, _ = planned(center, order)
    early = [first, type(second)(**vars(second) | {"visits": (early_visit(second, -6),)})]
    assert by_line(refused(book, center, order, early)) == {2: ["dose-too-early"]}
    nurse = make_staff(role="nurse", site=center.site)
    series = book(center, order, early, by=nurse, override_reason="Symptoms came back")
    assert list(series.appointments.order_by("start").values_list("overridden", flat=True)) == [[], ["dose-too-early"]]


def early_visit(line, by_days):
    visit = line.visits[0]
    return type(visit)(**vars(visit) | {"start": visit.start + days(by_days), "end": visit.end + days(by_days)})


# Moving


def test_this_and_the_following_move_by_the_same_days_to_the_same_wall_time(center):
    visits = booked(center, 4)
    moved = move_following(appointment=visits[1], start=center.at("10:30", TUESDAY + days(30)), by=center.scheduler)
    again = list(Appointment.objects.order_by("start"))
    # Clocks go forward between the first and the second, and the wall time holds.
    assert walls(again) == ["Tue 03 Mar 09:00", "Thu 02 Apr 10:30", "Thu 30 Apr 10:30", "Thu 28 May 10:30"]
    assert [visit.version for visit in again] == [1, 2, 2, 2]
    assert moved == again[1:]
    assert claim_violations() == []
    series = Series.objects.get()
    assert (series.weekday, series.local_time) == (3, dt.time(10, 30))


@pytest.mark.parametrize("by_days", [-1, 1])
def test_a_tail_may_take_the_days_that_it_leaves(center, by_days):
    """A series every day or two moves into its own places."""
    order = monthly_order(interval_days=1, tolerance_days=0)
    lines = plan(center, order, first_on=TUESDAY, count=3, local_time=NINE, weekday=None).lines
    book(center, order, lines)
    visits = list(order.appointments.order_by("start"))
    start = center.at("09:00", clock.local_date(visits[0].start, "America/New_York") + days(by_days))
    nurse = make_staff(role="nurse", site=center.site)
    move_following(appointment=visits[0], start=start, by=nurse, override_reason="Agreed")
    assert [clock.local_date(visit.start, "America/New_York") for visit in order.appointments.order_by("start")] == [
        clock.local_date(visit.start, "America/New_York") + days(by_days) for visit in visits
    ]
    assert claim_violations() == []


def test_a_tail_of_which_one_visit_does_not_fit_stays_as_it_is(center):
    visits = booked(center, 4)
    Closure.objects.create(site=center.site, starts_on="2026-04-29", ends_on="2026-04-29", reason="Inventory")
    start = center.at("09:00", TUESDAY + days(29))
    violation = refused(move_following, appointment=visits[1], start=start, by=center.scheduler)
    assert by_line(violation) == {2: ["closed"]}
    other = {visits[2].public_id: center.at("09:00", TUESDAY + days(58))}
    move_following(appointment=visits[1], start=start, by=center.scheduler, starts=other)
    assert walls(Appointment.objects.order_by("start"))[1:] == [
        "Wed 01 Apr 09:00",
        "Thu 30 Apr 09:00",
        "Wed 27 May 09:00",
    ]


def test_a_tail_changed_by_somebody_else_is_not_moved(center):
    visits = booked(center)
    seen = {visit.public_id: visit.version for visit in visits}
    start = center.at("10:00", TUESDAY)
    Appointment.objects.filter(pk=visits[2].pk).update(version=2)
    call = {"appointment": visits[0], "start": start, "by": center.scheduler, "versions": seen}
    assert refused(move_following, **call).codes == {"changed-meanwhile"}
    assert refused(move_following, **call | {"versions": None, "version": 7}).codes == {"changed-meanwhile"}


# Cancelling


def test_the_rest_is_cancelled_with_one_reason_and_the_first_stay(center):
    visits = booked(center, 4)
    cancelled = cancel_following(appointment=visits[2], reason="Moved away", by=center.scheduler)
    assert [visit.state for visit in Appointment.objects.order_by("start")] == [
        State.EXPECTED,
        State.EXPECTED,
        State.CANCELLED,
        State.CANCELLED,
    ]
    assert [(visit.cancel_reason, visit.version) for visit in cancelled] == [("Moved away", 2)] * 2
    assert set(Claim.objects.values_list("appointment", flat=True)) == {visits[0].pk, visits[1].pk}
    assert refused(cancel_following, appointment=visits[2], reason="Again", by=center.scheduler).codes == {
        "wrong-state"
    }
    assert refused(cancel_following, appointment=visits[0], reason=" ", by=center.scheduler).codes == {"reason-missing"}


# Courses


def course_order(**fields):
    return monthly_order(**{"days": 3, "visits_authorized": 40} | fields)


def test_a_course_is_booked_as_a_unit_or_not_at_all(center):
    order = course_order()
    line = plan_course(order=order, start=center.at("09:00"), site=center.site, setting="facility")
    common = {"order": order, "setting": "facility", "by": center.scheduler, "site": center.site}
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(chair=chair, nurse=nurse, start=center.at("09:00", TUESDAY + days(2)), minutes=540)
    assert refused(book_course, starts=line.starts, **common).codes == {"chairs-taken", "nurse-hands-busy"}
    Appointment.objects.all().update(state=State.CANCELLED, cancelled_at=NOW)
    Claim.objects.all().delete()
    visits = book_course(starts=line.starts, token="course", **common)
    assert [(visit.course_day, visit.course_start) for visit in visits] == [
        (1, None),
        (2, visits[0]),
        (3, visits[0]),
    ]
    assert course_visits(visits[1]) == visits
    assert book_course(starts=line.starts, token="course", **common) == visits


def test_a_series_of_courses_moves_and_is_cancelled_by_whole_courses(center):
    order = course_order()
    book(center, order, planned(center, order, 2))
    visits = list(order.appointments.order_by("start"))
    assert [visit.course_day for visit in visits] == [1, 2, 3, 1, 2, 3]
    # Asked for the second day: its course begins a day later, the next course as well.
    move_following(appointment=visits[1], start=center.at("09:00", TUESDAY + days(2)), by=center.scheduler)
    assert walls(order.appointments.order_by("start")) == [
        "Wed 04 Mar 09:00",
        "Thu 05 Mar 09:00",
        "Fri 06 Mar 09:00",
        "Wed 01 Apr 09:00",
        "Thu 02 Apr 09:00",
        "Fri 03 Apr 09:00",
    ]
    cancel_following(appointment=visits[4], reason="Moved away", by=center.scheduler)
    assert [visit.state for visit in order.appointments.order_by("start")] == [State.EXPECTED] * 3 + [
        State.CANCELLED
    ] * 3


# Looking ahead


def test_visits_ahead_tell_which_lie_beyond_the_order_or_its_authorization(center):
    visits = booked(center, 4, visits_authorized=4)
    order = visits[0].order
    order.valid_until, order.visits_authorized = TUESDAY + days(60), 2
    # As signed, it cannot be changed; what is given besides uses authorized visits up.
    found = visits_ahead(order, NOW)
    assert [ahead.visit for ahead in found] == visits
    assert [[problem.code for problem in ahead.problems] for ahead in found] == [
        [],
        [],
        ["visits-used-up"],
        ["order-expired", "visits-used-up"],
    ]


def test_only_the_first_of_a_new_series_is_watched_for_an_hour_and_a_later_first_is_found_too_short(center):
    visits = booked(center, 3, is_first_dose=True)
    assert [visit.observation_minutes for visit in visits] == [60, 30, 30]
    visits[0].claims.all().delete()
    Appointment.objects.filter(pk=visits[0].pk).update(state=State.CANCELLED, cancelled_at=NOW)
    found = visits_ahead(make_order_again(visits[0].order), NOW)
    assert [[problem.code for problem in ahead.problems] for ahead in found] == [["visit-too-short"], []]


def make_order_again(order):
    return type(order).objects.select_related("patient", "product").get(pk=order.pk)
