"""A series lies at one site, and nothing of another site moves or ends with a visit, or is listed beside it."""

import datetime as dt

import pytest

from infusions.scheduling.models import Series
from infusions.scheduling.order_visits import end_order
from infusions.scheduling.series_queries import following_visits, place_in_series, series_visits
from infusions.scheduling.series_services import book_series, cancel_following
from infusions.scheduling.states import State
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.series_support import TUESDAY, monthly_order, plan, staffed_center

pytestmark = pytest.mark.django_db


@pytest.fixture
def center(db):
    return staffed_center()


@pytest.fixture
def there(center):
    return staffed_center()


def book(center, order, first_on):
    lines = plan(center, order, first_on=first_on, count=2, weekday=1, local_time=dt.time(9)).lines
    return book_series(order=order, lines=lines, by=center.scheduler, site=center.site, setting="facility")


def sites_of_series() -> list[set]:
    return [set(one.appointments.values_list("site", flat=True)) for one in Series.objects.order_by("pk")]


def test_a_series_stays_at_one_site_when_its_visits_go_to_another_order(center, there):
    old = monthly_order()
    book(center, old, TUESDAY)
    book(there, old, TUESDAY + dt.timedelta(days=56))
    new = monthly_order(patient=old.patient)
    end_order(order=old, ending="stop", reason="New dose", by=center.scheduler, decision="move", other=new)
    assert sites_of_series() == [set(), set(), {center.site.pk}, {there.site.pk}]
    visits = list(new.appointments.order_by("start"))
    assert [following_visits(visits[0]), series_visits(visits[2])] == [visits[:2], visits[2:]]


def test_of_a_course_taken_up_elsewhere_only_the_days_here_go_together(center, there):
    order = monthly_order(days=3)
    days = [
        make_appointment(order=order, site=site.site, start=start, chair=site.chairs[0], nurse=site.nurses[0])
        for site, start in zip((center, center, there), (at(0), at(1), at(2)), strict=True)
    ]
    for number, visit in enumerate(days[1:], start=2):
        visit.course_start, visit.course_day = days[0], number
        visit.save()
    assert following_visits(days[1]) == days[:2]
    assert place_in_series(days[0]).visits == days[:2]
    assert place_in_series(days[2]) is None
    cancel_following(appointment=days[0], reason="Ill", by=center.scheduler)
    assert list(order.appointments.order_by("start").values_list("state", flat=True)) == [
        State.CANCELLED,
        State.CANCELLED,
        State.EXPECTED,
    ]


def at(day: int) -> dt.datetime:
    return dt.datetime(2026, 3, 3 + day, 14, 0, tzinfo=dt.UTC)
