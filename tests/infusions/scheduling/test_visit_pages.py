import pytest
import time_machine

from infusions.scheduling.booking import book_appointment, cancel_appointment, move_appointment
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, signed_in
from tests.infusions.scheduling.support import errors, url

pytestmark = pytest.mark.django_db


def visit_of(center, **fields):
    return make_appointment(site=center.site, nurse=center.nurses[0], chair=center.chairs[0], day=DAY, **fields)


def test_the_page_of_a_visit_shows_when_where_with_whom_and_what_happened(center, desk):
    visit = book_appointment(
        order=make_order(infusion_minutes=180),
        start=center.at("09:00"),
        setting="facility",
        site=center.site,
        by=center.scheduler,
    )
    page = desk.get(url("appointment-detail", visit))
    text = page.content.decode()
    for shown in ("Tue 3 Mar 2026, 09:00", "13:00 EST", visit.chair.name, visit.nurse.user.full_name, "4 h"):
        assert shown in text
    assert [(line.text, line.actor) for line in page.context["timeline"]] == [
        ("booked the visit", center.scheduler.full_name)
    ]


ACTS = {
    State.EXPECTED: {"confirm", "move", "cancel", "pin"},
    State.CONFIRMED: {"move", "cancel", "pin"},
    State.ARRIVED: {"undo_check_in", "cancel"},
    State.IN_PROGRESS: set(),
    State.COMPLETED: set(),
    State.STOPPED_EARLY: set(),
    State.CANCELLED: set(),
    State.NO_SHOW: set(),
}


@pytest.mark.parametrize("state", State.values)
def test_only_what_the_state_allows_is_offered_the_day_before(center, desk, state):
    page = desk.get(url("appointment-detail", visit_of(center, state=state)))
    assert {name for name, offered in vars(page.context["acts"]).items() if offered} == ACTS[state]


def test_a_reader_is_offered_nothing_to_change(center):
    pharmacist = make_staff(role="pharmacist", site=center.site)
    page = signed_in(pharmacist).get(url("appointment-detail", visit_of(center)))
    assert not any(vars(page.context["acts"]).values())


def on_the_day(center, wall):
    return time_machine.travel(center.at(wall), tick=False)


def test_check_in_undo_and_no_show_go_by_one_press_each(center, desk):
    visit = visit_of(center)
    states = []
    with on_the_day(center, "09:30"):
        client = signed_in(center.scheduler)
        for step in ("check-in", "undo-check-in", "no-show", "check-in"):
            response = client.post(url(f"appointment-{step}", visit))
            assert response["Location"] == url("appointment-detail", visit)
            states.append(Appointment.objects.get().state)
    assert states == [State.ARRIVED, State.EXPECTED, State.NO_SHOW, State.ARRIVED]


def test_a_refused_press_says_why_and_changes_nothing(center, desk):
    visit = visit_of(center)
    page = desk.post(url("appointment-check-in", visit), follow=True)
    assert "The visit is on Tue 03 Mar 2026, not today." in page.content.decode()
    assert Appointment.objects.get().state == State.EXPECTED


@pytest.mark.parametrize("step", ["check-in", "undo-check-in", "no-show", "confirm"])
def test_looking_at_an_address_changes_nothing(center, desk, step):
    assert desk.get(url(f"appointment-{step}", visit_of(center))).status_code == 405


def test_moving_shows_starts_without_the_visit_in_its_own_way_and_moves_to_the_one_pressed(center, desk):
    visit = visit_of(center)
    page = desk.get(url("appointment-move", visit) + "?from=2026-03-03&to=2026-03-03&more=1")
    offered = {row.option.start: row for group in page.context["days"] for row in group.rows}
    assert center.at("09:00") not in offered
    desk.post(page.context["post_url"], {"start": offered[center.at("10:00")].instant, "version": 1})
    visit.refresh_from_db()
    assert (visit.start, visit.chair, visit.version) == (center.at("10:00"), center.chairs[0], 2)
    assert claim_violations() == []


def test_moving_a_visit_that_somebody_else_moved_says_what_it_is_now(center, desk):
    visit = visit_of(center)
    move_appointment(appointment=visit, start=center.at("13:00"), by=center.scheduler)
    sent = {"day": "2026-03-03", "time": "10:00", "version": 1}
    told = errors(desk.post(url("appointment-move", visit), sent))
    assert told == [
        f"The visit was changed meanwhile. {center.scheduler} moved it from Tue 3 Mar 2026 09:00 "
        "to Tue 3 Mar 2026 13:00 (today 07:00). It is now expected, Tue 3 Mar 2026 13:00. "
        "Look at it again before you go on; what you entered is kept."
    ]
    visit.refresh_from_db()
    assert visit.start == center.at("13:00")


def test_a_visit_that_cannot_be_moved_leads_back_to_its_page(center, desk):
    visit = visit_of(center, state=State.ARRIVED)
    page = desk.get(url("appointment-move", visit), follow=True)
    assert "is arrived and cannot be moved" in page.content.decode()


def test_cancelling_says_what_will_happen_and_keeps_the_reason(center, desk):
    visit = visit_of(center)
    asked = desk.get(url("appointment-cancel", visit)).content.decode()
    assert f"The visit of {visit.patient.name} is taken off the board" in asked
    desk.post(url("appointment-cancel", visit), {"reason": "Has a fever", "version": 1})
    visit.refresh_from_db()
    assert (visit.state, visit.cancel_reason) == (State.CANCELLED, "Has a fever")


def test_a_cancellation_without_reason_asks_for_one(center, desk):
    visit = visit_of(center)
    assert errors(desk.post(url("appointment-cancel", visit), {"version": 1})) == ["This field is required."]
    visit.refresh_from_db()
    assert visit.state == State.EXPECTED


def test_a_patients_visits_are_listed_latest_first(center, desk):
    order = make_order(infusion_minutes=60)
    early = visit_of(center, order=order, at="08:00", minutes=120)
    late = visit_of(center, order=order, at="14:00", minutes=120)
    cancel_appointment(appointment=early, reason="x", by=center.scheduler)
    page = desk.get(url("appointment-list", order.patient))
    assert list(page.context["page"]) == [late, early]


def test_a_visit_of_another_site_does_not_exist_for_this_person(center):
    visit = visit_of(center)
    stranger = signed_in(make_staff(role="scheduler", site=make_site()))
    for name in ("appointment-detail", "appointment-move", "appointment-cancel"):
        assert stranger.get(url(name, visit)).status_code == 404
    assert stranger.post(url("appointment-check-in", visit)).status_code == 404
