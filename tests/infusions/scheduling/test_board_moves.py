"""Moving on the board: what the preview says, that it writes nothing, and the move that comes back to the board."""

import datetime as dt
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from infusion_center.core import clock
from infusions.scheduling import attendance
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.services import set_contact_consent
from tests.factories.accounts import make_staff
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, make_center, signed_in
from tests.infusions.scheduling.support import book, everything_written, url

BOARD = reverse("scheduling:board")


@pytest.fixture
def visit(center):
    patient = make_patient(family_name="Ash", given_name="Ida", email="ida@example.org")
    set_contact_consent(patient=patient, channel="email", consents=True, by=center.scheduler)
    order = make_order(patient=patient, infusion_minutes=180)
    booked = book(center, "09:00", order=order, chair=center.chairs[0], nurse=center.nurses[0])
    attendance.confirm(appointment=booked, by=center.scheduler)
    booked.refresh_from_db()
    return booked


def spot(center, at, chair=None, nurse=None, **fields):
    quarter = clock.quarter_of(center.at(at))
    chosen = {"chair": chair, "nurse": nurse}
    return {"quarter": quarter, "view": "chairs", **{k: v.public_id for k, v in chosen.items() if v}, **fields}


def preview(desk, visit, data):
    return desk.get(url("move-preview", visit), data).context["preview"]


def test_preview_says_what_a_move_means_and_writes_nothing(center, desk, visit):
    before = everything_written()
    found = preview(desk, visit, spot(center, "10:15", center.chairs[1]))
    assert (found.fits, found.words, found.means) == (
        True,
        "fits",
        [
            "Ash, Ida confirmed the old time and must confirm again.",
            "The patient is told by mail.",
            f"The chair changes from {center.chairs[0].name} to {center.chairs[1].name}.",
        ],
    )
    assert everything_written() == before


def test_preview_tells_that_the_patient_hears_nothing_of_another_nurse(center, desk, visit):
    found = preview(desk, visit, spot(center, "09:00", nurse=center.nurses[1]))
    names = [nurse.user.full_name for nurse in center.nurses]
    assert found.means == [
        "The time stays, so the patient is told nothing.",
        f"The nurse changes from {names[0]} to {names[1]}.",
    ]


def test_preview_gives_every_reason_and_the_nearest_starts(center, desk, visit):
    make_appointment(site=center.site, chair=center.chairs[1], nurse=center.nurses[1], day=DAY, at="10:00")
    found = preview(desk, visit, spot(center, "15:00", center.chairs[1]))
    assert (found.fits, {problem.code for problem in found.problems}) == (False, {"outside-hours", "no-shift"})
    assert len(found.nearest) == 5
    taken = preview(desk, visit, spot(center, "10:00", center.chairs[1]))
    assert {problem.code for problem in taken.problems} == {"chair-taken"}
    on_the_way = preview(desk, visit, spot(center, "10:00", center.chairs[1], brief="1"))
    assert (on_the_way.fits, on_the_way.nearest) == (False, [])


def test_preview_finds_what_fits_on_the_day_of_a_visit_that_others_follow(center, desk, visit):
    later = {"order": visit.order, "site": center.site, "day": DAY + dt.timedelta(days=28)}
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], **later)
    make_appointment(site=center.site, chair=center.chairs[1], nurse=center.nurses[1], day=DAY, at="10:00")
    found = preview(desk, visit, spot(center, "11:00", center.chairs[1]))
    days = {clock.local_date(option.start, center.site.time_zone) for option in found.nearest}
    assert (found.fits, DAY in days) == (False, True)


def test_move_on_the_board_comes_back_with_the_way_to_undo_it(center, desk, visit):
    data = spot(center, "10:15", center.chairs[1], version=visit.version)
    answer = desk.post(url("move-preview", visit), data, follow=True)
    visit.refresh_from_db()
    assert (visit.start, visit.chair, visit.state) == (center.at("10:15"), center.chairs[1], State.EXPECTED)
    assert answer.redirect_chain[0][0].startswith(f"{BOARD}?day={DAY.isoformat()}&view=chairs&moved={visit.public_id}")
    undo = answer.context["undo"]
    desk.post(reverse("scheduling:move-preview", args=[undo["appointment_id"]]), undo["fields"])
    visit.refresh_from_db()
    assert (visit.start, visit.chair, visit.nurse) == (center.at("09:00"), center.chairs[0], center.nurses[0])


def test_move_of_what_somebody_else_changed_tells_it_and_overwrites_nothing(center, desk, visit):
    seen = desk.get(url("move-preview", visit), spot(center, "10:15")).context["seen"]
    other = signed_in(make_staff(role="manager", site=center.site, full_name="Other Manager"))
    other.post(url("move-preview", visit), spot(center, "13:00", version=visit.version))
    before = everything_written()
    answer = desk.post(url("move-preview", visit), spot(center, "10:15", version=visit.version, seen=seen))
    assert [problem.code for problem in answer.context["refused"]] == ["changed-meanwhile"]
    assert "Other Manager moved it" in answer.content.decode()
    assert everything_written() == before


def test_moving_is_for_those_who_book_and_for_visits_of_their_site(center, visit):
    data = spot(center, "10:15")
    pharmacist = signed_in(make_staff(role="pharmacist", site=center.site))
    elsewhere = signed_in(make_center().scheduler)
    before = everything_written()
    there = url("move-preview", visit)
    asked = [(client.get(there, data), client.post(there, data)) for client in (pharmacist, elsewhere)]
    assert [(got.status_code, posted.status_code) for got, posted in asked] == [(403, 403), (404, 404)]
    assert everything_written() == before
    board = pharmacist.get(BOARD, {"day": DAY.isoformat()}).content.decode()
    assert ("data-move=" in board, "data-seat=" in board) == (False, False)


@pytest.mark.parametrize("data", [{}, {"quarter": "x"}, {"quarter": "1"}, {"quarter": "1976000", "chair": "nope"}])
def test_no_such_place_is_not_found(desk, visit, data):
    assert desk.get(url("move-preview", visit), data).status_code == 404


def test_a_visit_that_has_begun_stays_where_it_is(center, desk, visit):
    Appointment.objects.filter(pk=visit.pk).update(state=State.IN_PROGRESS)
    found = preview(desk, visit, spot(center, "10:15"))
    assert [problem.code for problem in found.problems] == ["wrong-state"]


def search(desk, **asked):
    return desk.post(f"{reverse('scheduling:walk-in')}?{urlencode(asked)}", {"q": "heron"}, follow=True)


def walk_ins(desk, **asked):
    """The only patient found: what the page knows of him, and the starts with their forms."""
    page = search(desk, **asked)
    ((one, _, rows),) = page.context["found"]
    return one, [row for row, _ in rows]


def test_walk_in_is_offered_what_fits_and_booked_by_one_press(center, desk):
    order = make_order(patient=make_patient(family_name="Heron", given_name="Uma"), infusion_minutes=180)
    _, rows = walk_ins(desk, day=DAY.isoformat())
    assert [row.option.start for row in rows[:2]] == [center.at("08:00"), center.at("08:15")]
    sent = {"start": rows[1].instant, "setting": "facility", "token": rows[1].token}
    desk.post(reverse("scheduling:appointment-book", args=[order.public_id]), sent)
    assert [visit.start for visit in Appointment.objects.all()] == [center.at("08:15")]


def test_walk_in_who_is_booked_later_may_have_that_visit_moved_here(center, desk):
    order = make_order(patient=make_patient(family_name="Heron", given_name="Uma"), infusion_minutes=180)
    later = book(center, "09:00", order=order, day=DAY + dt.timedelta(days=1))
    one, rows = walk_ins(desk, day=DAY.isoformat())
    assert (one.later, one.only_moving, rows[0].option.start) == (later, True, center.at("08:00"))


def test_walk_in_without_an_order_in_force_is_sent_to_enter_one(center, desk):
    make_patient(family_name="Heron", given_name="Uma")
    assert "No order in force" in search(desk).content.decode()


def test_walk_in_pointed_at_a_place_is_told_whether_it_fits_there(center, desk):
    patient = make_patient(family_name="Heron", given_name="Uma")
    make_appointment(site=center.site, chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="09:00")
    make_order(patient=patient, infusion_minutes=180)
    there = {"quarter": clock.quarter_of(center.at("10:00")), "chair": center.chairs[0].public_id}
    one, _ = walk_ins(desk, **there)
    assert {problem.code for problem in one.at_spot.problems} == {"chair-taken"}
    there["chair"] = center.chairs[1].public_id
    one, _ = walk_ins(desk, **there)
    assert not one.at_spot.is_blocked
