"""Six in the morning, a nurse is ill: her visits are listed and re-seated; what has no seat stays until it is moved."""

import pytest
from django.urls import reverse

from infusions.facility.models import Shift
from infusions.scheduling.models import Appointment
from tests.factories.facility import make_chair, make_nurse, make_shift
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.journeys import steps
from tests.journeys.reader import PageReader, Walker
from tests.journeys.steps import VISIT_DAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def center(time_machine):
    return steps.open_center(time_machine)


def visit_of(center, at: str, **fields) -> Appointment:
    place = {"chair": center.chair, "nurse": center.nurse} | fields
    return make_appointment(order=make_order(infusion_minutes=120), day=VISIT_DAY, at=at, minutes=180, **place)


def tags_of(walker: Walker) -> list[dict]:
    return PageReader(walker.page.content.decode()).tags


def test_a_call_out_is_solved_at_the_desk_until_the_list_is_empty(center):
    """The other nurse comes at noon and goes at four: one of the two visits finds a place with her."""
    morning, afternoon = visit_of(center, "08:30"), visit_of(center, "12:30", chair=make_chair(site=center.site))
    other = make_nurse(site=center.site)
    make_shift(nurse=other, site=center.site, day=VISIT_DAY, start="12:00", end="16:00")
    desk = center.walk("scheduler").open(reverse("facility:roster-week")).follow(f"Cannot come : {center.nurse}")
    desk.press("Take off the roster", {"first_day": VISIT_DAY.isoformat(), "reason": "Ill"})
    assert {shift.starts_at.date() for shift in Shift.objects.filter(nurse=center.nurse)}.isdisjoint({VISIT_DAY})

    # Listed at once, red on the board, counted in the menu; nothing was asked twice.
    assert "2 visits at Riverside Center cannot take place as booked" in desk.text
    assert desk.text.count(f"{center.nurse} is not on shift at that time.") == 2
    board = center.walk("nurse").open(f"{reverse('scheduling:board')}?day={VISIT_DAY}")
    assert "2 uncovered" in board.text
    assert "2 visits uncovered" in center.walk("nurse").open(reverse("scheduling:work-counts")).text

    # One press re-seats whom it can; the other stays.
    desk.follow("Propose").press("Apply what is chosen")
    assert "1 visit re-seated." in desk.text
    assert "1 visit at Riverside Center cannot take place as booked" in desk.text
    afternoon.refresh_from_db()
    assert (afternoon.nurse, afternoon.start, afternoon.version) == (other, center.at("12:30"), 1)

    # The patient on the telephone takes the first of the other times, and hears of it by mail too.
    desk.follow("Propose")
    name = f"to-{morning.public_id}"
    first = next(tag["value"] for tag in tags_of(desk) if tag.get("name") == name and tag["value"])
    desk.press("Apply what is chosen", {name: first})
    assert "Every visit is covered" in desk.text
    morning.refresh_from_db()
    assert (morning.start != center.at("08:30"), morning.version, morning.state) == (True, 2, "expected")
    assert steps.written_about(morning.patient)[-1] == "appointment.moved"
    assert "uncovered" not in center.walk("nurse").open(f"{reverse('scheduling:work-counts')}?fresh=1").text
