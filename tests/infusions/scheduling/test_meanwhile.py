"""Two people at one visit: the second is told what the first did, loses nothing he typed, and overwrites nothing."""

import datetime as dt

import pytest
import time_machine

from infusions.scheduling import attendance
from infusions.scheduling.booking import cancel_appointment, move_appointment
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.accounts import make_staff
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW, make_center, signed_in
from tests.infusions.scheduling.support import book, errors, everything_written, url

pytestmark = pytest.mark.django_db
ELEVEN = NOW + dt.timedelta(hours=4)


@pytest.fixture
def colleague(center):
    return make_staff(role="scheduler", site=center.site, full_name="Ann Example")


@pytest.fixture
def visit(center):
    return book(center, "08:00", chair=center.chairs[0], nurse=center.nurses[0], order=make_order(infusion_minutes=60))


def typed_into(page, **values):
    """The move form of an open page as it would be sent, with what was typed into it."""
    form = page.context["form"]
    sent = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in {**sent, **values}.items()}


def refused(client, name, visit, sent):
    """The page that comes back; asserts that the refusal wrote nothing."""
    before = everything_written()[:2]
    page = client.post(url(name, visit), sent)
    assert everything_written()[:2] == before
    assert page.status_code == 200
    return page


def test_who_moves_a_visit_that_was_moved_is_told_from_where_to_where_by_whom_and_when(center, desk, visit, colleague):
    page = desk.get(url("appointment-move", visit))
    with time_machine.travel(ELEVEN, tick=False):
        move_appointment(appointment=visit, start=center.at("13:00"), by=colleague)
    sent = typed_into(page, day="2026-03-03", time="10:00", nurse=center.nurses[1].public_id)
    told = refused(desk, "appointment-move", visit, sent)
    assert errors(told) == [
        "The visit was changed meanwhile. Ann Example moved it from Tue 3 Mar 2026 08:00 to Tue 3 Mar 2026 13:00 "
        "(today 11:00). It is now expected, Tue 3 Mar 2026 13:00. "
        "Look at it again before you go on; what you entered is kept."
    ]
    assert typed_into(told) == {**sent, "version": "2", "seen": str(told.context["seen"])}
    desk.post(url("appointment-move", visit), typed_into(told))
    visit.refresh_from_db()
    assert (visit.start, visit.nurse, visit.version) == (center.at("10:00"), center.nurses[1], 3)


def test_a_chair_that_was_changed_meanwhile_is_told_too(center, desk, visit, colleague):
    page = desk.get(url("appointment-move", visit))
    move_appointment(appointment=visit, start=visit.start, chair=center.chairs[1], by=colleague)
    told = errors(refused(desk, "appointment-move", visit, typed_into(page, day="2026-03-03", time="10:00")))
    before, after = (f"{chair.name} with {center.nurses[0]}" for chair in center.chairs)
    assert f"Ann Example changed its place from {before} to {after} (today 07:00)." in told[0]


def test_a_patient_who_asks_for_another_time_meanwhile_is_heard(center, desk, visit):
    page = desk.get(url("appointment-move", visit))
    attendance.request_move(appointment=visit, message="Rather in the evening")
    told = errors(refused(desk, "appointment-move", visit, typed_into(page, day="2026-03-03", time="10:00")))
    assert "Patient asked for another time (today 07:00)." in told[0]


def test_an_option_of_an_old_page_is_refused_as_well(center, desk, visit, colleague):
    page = desk.get(url("appointment-move", visit))
    row = page.context["days"][0].rows[0]
    move_appointment(appointment=visit, start=center.at("13:00"), by=colleague)
    sent = {"start": row.instant, "version": page.context["visit"].version, "seen": page.context["seen"]}
    assert "Ann Example moved it" in errors(refused(desk, "appointment-move", visit, sent))[0]


def test_of_many_changes_the_last_are_told(center, desk, visit, colleague):
    page = desk.get(url("appointment-move", visit))
    for wall in ("09:00", "10:00", "11:00", "12:00", "13:00"):
        move_appointment(appointment=visit, start=center.at(wall), by=colleague)
    told = errors(refused(desk, "appointment-move", visit, typed_into(page, day="2026-03-03", time="15:00")))[0]
    assert told.count("Ann Example moved it") == 3
    assert "There were 2 earlier changes." in told


def test_who_cancels_a_visit_that_was_moved_is_told_and_keeps_the_reason(center, desk, visit, colleague):
    page = desk.get(url("appointment-cancel", visit))
    move_appointment(appointment=visit, start=center.at("13:00"), by=colleague)
    told = refused(desk, "appointment-cancel", visit, typed_into(page, reason="Has a fever"))
    assert "Ann Example moved it from Tue 3 Mar 2026 08:00 to Tue 3 Mar 2026 13:00" in errors(told)[0]
    desk.post(url("appointment-cancel", visit), typed_into(told))
    visit.refresh_from_db()
    assert (visit.state, visit.cancel_reason) == (State.CANCELLED, "Has a fever")


@pytest.mark.parametrize("name", ["appointment-move", "appointment-cancel"])
def test_who_comes_too_late_to_move_or_cancel_is_told_who_cancelled(center, desk, visit, colleague, name):
    page = desk.get(url(name, visit))
    cancel_appointment(appointment=visit, reason="Has a fever", by=colleague)
    sent = typed_into(page, day="2026-03-03", time="10:00", reason="x")
    late = desk.post(url(name, visit), sent, follow=True)
    assert late.redirect_chain == [(url("appointment-detail", visit), 302)]
    assert "The visit is cancelled and cannot be" in late.content.decode()
    assert "Ann Example cancelled it (today 07:00)." in late.content.decode()


@pytest.mark.parametrize("act", ["confirm", "check-in", "no-show"])
def test_a_button_of_an_old_page_does_nothing_to_a_visit_that_was_moved(center, desk, visit, colleague, act):
    """The patient on the phone confirmed the old time, not the new one."""
    with time_machine.travel(center.at("07:30"), tick=False):
        move_appointment(appointment=visit, start=center.at("13:00"), by=colleague)
        before = everything_written()[0]
        page = signed_in(center.scheduler).post(url(f"appointment-{act}", visit), {"version": "1"}, follow=True)
        assert everything_written()[0] == before
    assert "Ann Example moved it from Tue 3 Mar 2026 08:00" in page.content.decode()


@pytest.mark.parametrize("version", ["2", "", "junk", "9" * 5000, "٣"])
def test_a_button_of_the_page_as_it_is_or_of_none_acts(center, desk, visit, colleague, version):
    move_appointment(appointment=visit, start=center.at("13:00"), by=colleague)
    desk.post(url("appointment-confirm", visit), {"version": version})
    visit.refresh_from_db()
    assert visit.state == State.CONFIRMED


def test_the_second_who_checks_in_is_told_who_did(center, desk, visit, colleague):
    with time_machine.travel(center.at("07:45"), tick=False):
        attendance.check_in(appointment=visit, by=colleague)
        page = signed_in(center.scheduler).post(url("appointment-check-in", visit), {"version": "1"}, follow=True)
    assert "The visit is arrived already." in page.content.decode()
    assert "Ann Example checked the patient in (today 07:45)." in page.content.decode()


# What was typed survives


def test_a_booking_that_loses_its_start_keeps_all_that_was_typed_and_the_filters(center, desk):
    """Two visits fill the chairs between the page and the press."""
    order = make_order(infusion_minutes=60)
    page = desk.get(url("slot-list", order) + "?from=2026-03-03&to=2026-03-04")
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(chair=chair, nurse=nurse, start=center.at("10:00"))
    kept = {"chair": center.chairs[1].public_id, "nurse": center.nurses[1].public_id, "override_reason": "Came far"}
    sent = typed_into(page, day="2026-03-03", time="10:00", **kept)
    lost = desk.post(page.context["post_url"], sent)
    assert errors(lost)
    assert typed_into(lost) == sent
    assert {group.day.isoformat() for group in lost.context["days"]} == {"2026-03-03", "2026-03-04"}
    assert lost.context["post_url"] == page.context["post_url"]
    desk.post(lost.context["post_url"], typed_into(lost, time="14:00"))
    assert Appointment.objects.get(order=order).start == center.at("14:00")


def test_a_move_that_loses_its_start_keeps_all_that_was_typed_and_the_filters(center, desk, visit):
    page = desk.get(url("appointment-move", visit) + "?from=2026-03-03&to=2026-03-04")
    taken = make_appointment(chair=center.chairs[1], nurse=center.nurses[1], start=center.at("10:00"))
    sent = typed_into(page, day="2026-03-03", time="10:00", chair=taken.chair.public_id, override_reason="Came far")
    lost = desk.post(page.context["post_url"], sent)
    assert [error for error in errors(lost) if f"{taken.chair.name} is taken" in error]
    assert typed_into(lost) == {name: str(value) for name, value in sent.items()}
    assert {group.day.isoformat() for group in lost.context["days"]} == {"2026-03-03", "2026-03-04"}


def test_back_and_once_more_books_once(center, desk):
    page = desk.get(url("slot-list", make_order(infusion_minutes=60)))
    sent = typed_into(page, day="2026-03-03", time="10:00")
    answers = [desk.post(page.context["post_url"], sent)["Location"] for _ in range(2)]
    assert answers == [url("appointment-detail", Appointment.objects.get())] * 2


def test_two_tabs_of_the_same_order_do_not_book_two_visits_of_one_day():
    center = make_center(chairs=4, nurses=4)
    client, order = signed_in(center.scheduler), make_order(infusion_minutes=60)
    tabs = [client.get(url("slot-list", order)) for _ in range(2)]
    first, second = (
        client.post(tab.context["post_url"], typed_into(tab, day="2026-03-03", time=wall))
        for tab, wall in zip(tabs, ("08:00", "14:00"), strict=True)
    )
    assert first.status_code == 302
    assert "The patient has a visit by this order on Tue 3 Mar 2026 already." in errors(second)[0]
    assert Appointment.objects.get().start == center.at("08:00", DAY)
