"""A course over consecutive days is searched for and booked as one."""

import datetime as dt

import pytest

from infusions.facility.models import Closure
from infusions.scheduling.models import Appointment
from infusions.scheduling.slots import find_slots
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import signed_in
from tests.infusions.scheduling.series_support import TUESDAY, monthly_order, staffed_center
from tests.infusions.scheduling.support import errors, everything_written, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def center(db):
    return staffed_center(days=20)


@pytest.fixture
def desk(center):
    return signed_in(center.scheduler)


def course_order(**fields):
    return monthly_order(**{"days": 3, "visits_authorized": 40} | fields)


def take_all(center, day, wall, minutes):
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(chair=chair, nurse=nurse, start=center.at(wall, day), minutes=minutes)


def options(page):
    return {f"{row.option.start:%d %H:%M}": row for group in page.context["days"] for row in group.rows}


def test_only_starts_are_offered_for_which_every_following_day_has_one(center, desk):
    Closure.objects.create(
        site=center.site, starts_on=TUESDAY + dt.timedelta(days=3), ends_on="2026-03-06", reason="Move"
    )
    take_all(center, TUESDAY + dt.timedelta(days=2), "08:00", 120)
    page = desk.get(url("slot-list", course_order()) + "?from=2026-03-02&to=2026-03-06")
    days = {row.option.start.date() for row in options(page).values()}
    # Wednesday would reach into the closed Friday, Thursday too.
    assert days == {dt.date(2026, 3, 2), dt.date(2026, 3, 3)}
    at_eight = options(page)["03 13:00"].option
    assert at_eight.merits[-1] == "day 2 Wed 08:00, day 3 Thu 10:00"


def test_one_press_books_every_day_of_the_course_and_a_second_press_nothing_more(center, desk):
    order = course_order()
    page = desk.get(url("slot-list", order) + "?from=2026-03-03&to=2026-03-03")
    row = options(page)["03 14:00"]
    sent = {"start": row.instant, "token": row.token, "setting": "facility"}
    first, second = (desk.post(page.context["post_url"], sent) for _ in range(2))
    assert first.url == second.url
    visits = list(Appointment.objects.order_by("start"))
    assert [(one.local_start, one.course_day) for one in visits] == [
        ("2026-03-03T09:00", 1),
        ("2026-03-04T09:00", 2),
        ("2026-03-05T09:00", 3),
    ]
    assert [one.course_start for one in visits] == [None, visits[0], visits[0]]
    detail = desk.get(first.url).content.decode()
    assert "Day 1 of 3" in detail
    assert "Move the whole course" in detail


def test_a_course_of_which_a_day_was_lost_is_not_booked_at_all(center, desk):
    order = course_order()
    page = desk.get(url("slot-list", order) + "?from=2026-03-03&to=2026-03-03")
    row = options(page)["03 14:00"]
    take_all(center, TUESDAY + dt.timedelta(days=1), "08:00", 600)
    before = everything_written()
    lost = desk.post(page.context["post_url"], {"start": row.instant, "token": row.token, "setting": "facility"})
    assert everything_written() == before
    assert errors(lost) == ["No chair is free for the whole visit: Wed 4 Mar."]


def test_the_next_course_is_due_an_interval_after_the_first_day_of_the_last(center):
    order = course_order()
    for number in range(3):
        make_appointment(
            order=order, chair=center.chairs[0], day=TUESDAY + dt.timedelta(days=number), course_day=number + 1
        )
    window = find_slots(order, setting="facility", site=center.site).window
    assert (window.due_on, window.first) == (TUESDAY + dt.timedelta(days=28), TUESDAY + dt.timedelta(days=24))
