import datetime as dt
import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infusions.facility.models import ChairOutage, Closure, SiteMembership
from infusions.scheduling import attendance
from infusions.scheduling.board_day import board_day
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.states import State
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_chair, make_nurse
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, make_center

BOARD = reverse("scheduling:board")
FRAGMENT = reverse("scheduling:board-fragment")


@pytest.fixture
def page(client, center):
    force_login(client, center.scheduler)
    return client


def book(center, at="09:00", family_name="Ash", **fields):
    patient = make_patient(family_name=family_name, given_name="Ida")
    values = {"chair": center.chairs[0], "nurse": center.nurses[0], "day": DAY} | fields
    return make_appointment(patient=patient, site=center.site, at=at, **values)


def shown(center, now=None) -> list[tuple]:
    board = board_day(center.site, DAY, now or center.at("08:00"))
    return [(card.visit.family_name, card.state, card.alerts) for card in board.cards]


def test_board_shows_the_visits_of_the_day_in_their_chairs(page, center):
    book(center, family_name="Ash")
    book(center, family_name="Elm", day=DAY + dt.timedelta(days=1))
    board = page.get(BOARD, {"day": DAY.isoformat()}).context["board"]
    seated = {row.name: [cell.card.visit.family_name for cell in row.cells if cell.card] for row in board.chairs}
    assert seated == {center.chairs[0].name: ["Ash"], center.chairs[1].name: []}


def test_board_shows_home_visits_by_nurse(page, center):
    nurse = make_nurse(site=center.site, visits_homes=True)
    book(center, family_name="Heron", setting="home", chair=None, nurse=nurse)
    board = page.get(BOARD, {"day": DAY.isoformat()}).context["board"]
    assert [row.name for row in board.homes] == [nurse.user.full_name]


def test_board_leaves_out_cancelled_visits_and_those_of_other_sites(page, center):
    cancel_appointment(appointment=book(center), reason="Cold", by=center.scheduler)
    elsewhere = make_center()
    book(elsewhere, family_name="Yew")
    assert page.get(BOARD, {"day": DAY.isoformat()}).context["board"].cards == []


def test_cards_say_who_is_late_and_who_asks_for_another_time(center):
    late, asking = book(center, "09:00", "Late"), book(center, "14:00", "Asks")
    attendance.request_move(appointment=asking, message="Afternoon?")
    attendance.confirm(appointment=late, by=None)
    assert shown(center, now=center.at("09:20")) == [
        ("Late", "confirmed", ["Not here yet"]),
        ("Asks", "expected", ["Asks for another time: Afternoon?", "Not confirmed"]),
    ]


def test_cards_tell_the_checklist_and_what_is_overdue(center):
    visit = book(center)
    attendance.check_in(appointment=visit, by=center.scheduler, now=center.at("09:00"))
    assert shown(center, now=center.at("09:40")) == [("Ash", "arrived", ["Overdue: Checklist"])]


@pytest.mark.parametrize("day", ["", "nonsense", "2026-02-31"])
def test_board_shows_today_where_the_day_is_no_date(page, center, day):
    assert page.get(BOARD, {"day": day}).context["board"].day == dt.date(2026, 3, 2)


def test_board_says_why_the_center_is_closed(page, center):
    Closure.objects.create(site=center.site, starts_on=DAY, ends_on=DAY, reason="Inventory")
    assert "Inventory" in page.get(BOARD, {"day": DAY.isoformat()}).content.decode()


def test_board_marks_a_chair_out_of_service(page, center):
    chair = center.chairs[0]
    ChairOutage.objects.create(chair=chair, starts_at=center.at("08:00"), ends_at=center.at("18:00"), reason="Broken")
    board = page.get(BOARD, {"day": DAY.isoformat()}).context["board"]
    assert [{cell.kind for cell in row.cells} for row in board.chairs] == [{"out"}, {"free"}]


def test_fragment_answers_nothing_while_nothing_changed(page, center):
    visit = book(center)
    seen = page.get(BOARD, {"day": DAY.isoformat()}).context["version"]
    assert page.get(FRAGMENT, {"day": DAY.isoformat(), "seen": seen}).status_code == 204
    with time_machine.travel(center.at("09:00"), tick=False):
        force_login(page, center.scheduler)
        attendance.check_in(appointment=visit, by=center.scheduler)
        changed = page.get(FRAGMENT, {"day": DAY.isoformat(), "seen": seen})
    assert changed.status_code == 200
    assert re.search(r'<div id="_board"', changed.content.decode())


def test_list_view_lets_the_desk_check_in(page, center):
    visit = book(center)
    with time_machine.travel(center.at("09:00"), tick=False):
        force_login(page, center.scheduler)
        content = page.get(BOARD, {"view": "list"}).content.decode()
        url = reverse("scheduling:appointment-check-in", args=[visit.public_id])
        assert f'action="{url}"' in content
        page.post(url)
    visit.refresh_from_db()
    assert visit.state == State.ARRIVED


def test_board_costs_the_same_for_many_visits_as_for_few(page, center):
    book(center, "09:00")
    few = queries_of(page)
    for _ in range(6):
        book(center, "09:00", chair=make_chair(site=center.site), nurse=make_nurse(site=center.site))
    assert queries_of(page) == few


def queries_of(page) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert page.get(BOARD, {"day": DAY.isoformat()}).status_code == 200
    return len(caught)


def test_board_of_somebody_without_a_site_says_what_to_do(client, db):
    force_login(client, make_staff(role="scheduler"))
    assert "You belong to no center yet" in client.get(BOARD).content.decode()
    assert client.get(FRAGMENT).status_code == 204


def test_board_shows_another_site_after_switching(client, center):
    other = make_center()
    SiteMembership.objects.create(site=other.site, user=center.scheduler)
    force_login(client, center.scheduler)
    session = client.session
    session["site"] = other.site.public_id
    session.save()
    assert client.get(BOARD).context["board"].site == other.site
