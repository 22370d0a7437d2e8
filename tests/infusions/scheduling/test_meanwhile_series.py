"""Two people at one series: who moves or cancels what follows is told what was done to any of it meanwhile."""

import datetime as dt

import pytest
from django.urls import reverse

from infusion_center.core.rules import RuleViolation
from infusions.scheduling.booking import cancel_appointment, move_appointment
from infusions.scheduling.models import Appointment
from infusions.scheduling.order_visits import end_order
from infusions.scheduling.reseat_services import apply_changes
from infusions.scheduling.reseating import SeatChange
from infusions.scheduling.series_planning import plan_series
from infusions.scheduling.series_services import book_series, move_following
from tests.factories.accounts import make_staff
from tests.infusions.scheduling.clumsy import Fields
from tests.infusions.scheduling.conftest import signed_in
from tests.infusions.scheduling.series_support import TUESDAY, monthly_order, staffed_center
from tests.infusions.scheduling.support import errors, everything_written, refusal

pytestmark = pytest.mark.django_db
TOLD = "Tue 31 Mar 2026 13:00: Ann Example moved it from Tue 31 Mar 2026 09:00 to Tue 31 Mar 2026 13:00 (today 07:00)."


@pytest.fixture
def center(db):
    return staffed_center()


@pytest.fixture
def colleague(center):
    return make_staff(role="scheduler", site=center.site, full_name="Ann Example")


@pytest.fixture
def visits(center):
    order, where = monthly_order(), {"site": center.site, "setting": "facility"}
    plan = plan_series(order=order, **where, first_on=TUESDAY, count=3, weekday=1, local_time=dt.time(9))
    book_series(order=order, **where, lines=plan.bookable, by=center.scheduler)
    return list(order.appointments.order_by("start"))


def sent_by(page, **typed) -> dict:
    """The page's form, the hidden list of visits included."""
    found = {name: value for name, value in Fields(page.content.decode()).found.items() if name != "scope"}
    tail = [f"{one.public_id}:{one.version}" for one in page.context["tail"]]
    return {**found, "tail": tail, **typed}


def test_who_cancels_the_rest_is_told_which_of_it_was_moved_and_then_may(center, visits, colleague):
    desk, url = signed_in(center.scheduler), reverse("scheduling:series-cancel", args=[visits[0].public_id])
    sent = sent_by(desk.get(url), scope="rest", reason="Moves away")
    move_appointment(appointment=visits[1], start=center.at("13:00", TUESDAY + dt.timedelta(days=28)), by=colleague)
    before = everything_written()[:2]
    page = desk.post(url, sent)
    assert everything_written()[:2] == before
    assert TOLD in errors(page)[0]
    desk.post(url, sent_by(page, scope="rest", reason="Moves away"))
    assert set(Appointment.objects.values_list("state", flat=True)) == {"cancelled"}


def test_who_cancels_one_visit_of_a_series_is_told_that_it_was_moved(center, visits, colleague):
    desk, url = signed_in(center.scheduler), reverse("scheduling:series-cancel", args=[visits[1].public_id])
    sent = sent_by(desk.get(url), scope="one", reason="Has a fever")
    move_appointment(appointment=visits[1], start=center.at("13:00", TUESDAY + dt.timedelta(days=28)), by=colleague)
    page = desk.post(url, sent)
    assert "Ann Example moved it from Tue 31 Mar 2026 09:00" in errors(page)[0]
    desk.post(url, sent_by(page, scope="one", reason="Has a fever"))
    assert list(Appointment.objects.order_by("pk").values_list("state", flat=True)) == [
        "expected",
        "cancelled",
        "expected",
    ]


def test_who_moves_the_rest_is_told_that_one_of_it_was_cancelled(center, visits, colleague):
    seen = {visit.public_id: 1 for visit in visits}
    cancel_appointment(appointment=visits[2], reason="Has a fever", by=colleague)
    call = {"appointment": visits[0], "start": center.at("10:00", TUESDAY), "by": center.scheduler, "versions": seen}
    with pytest.raises(RuleViolation, match="Tue 28 Apr 2026 09:00: Ann Example cancelled it"):
        move_following(**call)
    assert refusal(move_following, **call) == {"changed-meanwhile"}


def test_who_ends_an_order_is_told_what_became_of_its_visits(center, visits, colleague):
    seen = {visit.public_id: 1 for visit in visits}
    move_appointment(appointment=visits[1], start=center.at("13:00", TUESDAY + dt.timedelta(days=28)), by=colleague)
    pharmacist = make_staff(role="pharmacist", site=center.site)
    call = {"order": visits[0].order, "ending": "hold", "reason": "Reaction", "by": pharmacist, "decision": "cancel"}
    assert refusal(end_order, versions=seen, **call) == {"changed-meanwhile"}


def test_who_applies_a_plan_of_seats_is_told_who_changed_one_of_its_visits(center, visits, colleague):
    change = SeatChange(Appointment.objects.get(pk=visits[0].pk), center.chairs[1], visits[0].nurse, 0)
    move_appointment(appointment=visits[0], start=visits[0].start, chair=center.chairs[1], by=colleague)
    call = {"changes": [change], "by": center.scheduler}
    with pytest.raises(RuleViolation, match=r"Ann Example changed its place from .* to .* \(today 07:00\)"):
        apply_changes(**call)
    assert refusal(apply_changes, **call) == {"changed-meanwhile"}
