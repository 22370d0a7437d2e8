"""What the board reads and lays out: nurses with their load, the week, uncovered and late visits, versions, queries."""

import datetime as dt

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infusion_center.core import clock
from infusions.facility.chair_services import take_chair_out
from infusions.facility.models import ChairOutage, Closure, Shift
from infusions.facility.roster_services import add_shift, remove_shift
from infusions.scheduling import attendance, board_late
from infusions.scheduling.board_day import board_day, version_of
from infusions.scheduling.board_week import board_week
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.cover import uncovered_ids
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.accounts import force_login
from tests.factories.facility import make_chair, make_nurse, make_shift
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW, make_center
from tests.infusions.scheduling.support import book, move

BOARD = reverse("scheduling:board")


def shown(center, view="nurses", day=DAY, now=NOW):
    return board_day(center.site, day, now, view=view)


def seat(center, at, number=0, minutes=120, **fields):
    values = {"chair": center.chairs[number], "nurse": center.nurses[0], "ratio_place": number, "day": DAY} | fields
    return make_appointment(site=center.site, at=at, minutes=minutes, start_hands_minutes=15, **values)


def cells(row) -> list[tuple]:
    return [(cell.kind, cell.span, cell.card.visit.pk if cell.card else None) for cell in row]


@pytest.fixture
def small(db):
    """One nurse, on shift 09:00 to 12:00 for two patients at once; open 08:00 to 12:00."""
    center = make_center(nurses=0, opens="08:00", closes="12:00")
    nurse = make_nurse(site=center.site)
    make_shift(nurse=nurse, site=center.site, day=DAY, start="09:00", end="12:00", ratio=2)
    center.nurses.append(nurse)
    return center


def test_nurse_rows_show_hours_load_and_places(small):
    first, second = seat(small, "09:00", 0), seat(small, "10:30", 1, 90)
    (nurse,) = shown(small).nurses
    assert (nurse.name, nurse.note) == (small.nurses[0].user.full_name, "09:00–12:00")
    assert [(load.span, load.taken, load.of) for load in nurse.load] == [(4, 0, 0), (4, 1, 2), (4, 2, 2), (4, 1, 2)]
    assert [cells(row) for row in nurse.places] == [
        [("closed", 4, None), ("visit", 8, first.pk), ("free", 4, None)],
        [("closed", 4, None), ("free", 6, None), ("visit", 6, second.pk)],
    ]


def test_a_nurse_without_a_shift_is_shown_while_she_has_a_visit(small):
    seat(small, "09:00")
    Shift.objects.all().delete()
    (nurse,) = shown(small).nurses
    assert (nurse.note, nurse.peak.taken, nurse.peak.of, nurse.peak.is_over) == ("Not on shift", 1, 0, True)


def test_a_nurse_on_the_road_is_away_from_leaving_until_she_is_back(center):
    nurse = make_nurse(site=center.site, visits_homes=True)
    visit = make_appointment(site=center.site, setting="home", nurse=nurse, day=DAY, at="10:00", minutes=60)
    (road,) = [one for one in shown(center).nurses if one.at_home]
    kinds = [cell for cell in cells(road.places[0]) if cell[0] != "free"]
    assert kinds == [("travel", 2, None), ("visit", 4, visit.pk), ("travel", 2, None)]


def test_week_gives_chairs_and_places_for_each_hour(small):
    seat(small, "09:00", 0)
    seat(small, "10:30", 1, 90)
    ChairOutage.objects.create(
        chair=small.chairs[0], starts_at=small.at("11:00"), ends_at=small.at("12:00"), reason="Broken"
    )
    wednesday = DAY + dt.timedelta(days=1)
    Closure.objects.create(site=small.site, starts_on=wednesday, ends_on=wednesday, reason="Fire")
    week = board_week(small.site, DAY, NOW)
    tuesday, wednesday = week.days[1:3]
    assert week.labels == ["08", "09", "10", "11"]
    assert [(*hour.chairs[1:], *hour.nurses[1:]) for hour in tuesday.hours] == [
        (0, 2, 0, 0),
        (1, 2, 1, 2),
        (2, 2, 2, 2),
        (1, 1, 1, 2),
    ]
    assert (tuesday.visits, tuesday.uncovered, wednesday.closure, wednesday.is_open) == (2, 0, "Fire", False)
    assert [hour.chairs for hour in wednesday.hours] == [None] * 4


@pytest.mark.parametrize(("day", "hours"), [(dt.date(2026, 3, 8), 23), (dt.date(2026, 11, 1), 25)])
def test_days_on_which_clocks_change_have_all_their_hours(db, day, hours):
    center = make_center(weekdays=range(7), opens="00:00", closes="23:59")
    nurse = center.nurses[0]
    visit = make_appointment(site=center.site, chair=center.chairs[0], nurse=nurse, day=day, at="00:30", minutes=180)
    board = shown(center, "chairs", day)
    assert (len(board.axis.columns), len(board.axis.hour_spans)) == (hours * 4, hours)
    assert cells(board.chairs[0].cells)[:2] == [("free", 2, None), ("visit", 12, visit.pk)]
    sunday = board_week(center.site, day, NOW).days[6]
    taken = [hour.chairs and hour.chairs.taken for hour in sunday.hours[:6]]
    assert taken == ([1, 1, None, 1, 1, 0] if hours == 23 else [1, 1, 1, 0, 0, 0])


CAUSES = {
    "no shift": lambda c, v: Shift.objects.filter(nurse=v.nurse).delete(),
    "shift too short": lambda c, v: v.nurse.shifts.filter(starts_at__lte=v.start, ends_at__gt=v.start).update(
        ends_at=v.start + clock.QUARTER
    ),
    "ratio too low": lambda c, v: (
        Appointment.objects.filter(pk=v.pk).update(ratio_place=1),
        Shift.objects.filter(nurse=v.nurse).update(ratio=1),
    ),
    "nurse left": lambda c, v: type(v.nurse).objects.filter(pk=v.nurse_id).update(is_active=False),
    "chair retired": lambda c, v: type(v.chair).objects.filter(pk=v.chair_id).update(is_active=False),
    "chair out": lambda c, v: ChairOutage.objects.create(chair=v.chair, starts_at=v.start, reason="Broken"),
    "closed": lambda c, v: Closure.objects.create(site=c.site, starts_on=DAY, ends_on=DAY, reason="Fire"),
    "begun": lambda c, v: (
        Shift.objects.filter(nurse=v.nurse).delete(),
        Appointment.objects.filter(pk=v.pk).update(state=State.IN_PROGRESS),
    ),
    "fine": lambda c, v: None,
}


@pytest.mark.parametrize("cause", CAUSES)
def test_board_and_work_list_agree_on_what_is_uncovered(center, cause):
    visit = make_appointment(site=center.site, chair=center.chairs[0], nurse=center.nurses[0], day=DAY, at="09:00")
    make_appointment(site=center.site, chair=center.chairs[1], nurse=center.nurses[1], day=DAY, at="09:00")
    CAUSES[cause](center, visit)
    red = {card.visit.pk for card in shown(center).uncovered}
    assert red == uncovered_ids(center.site, *clock.day_bounds(DAY, center.site.time_zone), now=NOW)
    assert bool(red) == (cause not in ("fine", "begun"))


def late_center(center):
    """The first visit, in progress in chair 1 until 11:00; then one after it in the chair, one with the same nurse."""
    late = seat(center, "09:00", 0, state=State.IN_PROGRESS)
    same_chair = seat(center, "11:00", 0, nurse=center.nurses[1], ratio_place=0)
    same_nurse = seat(center, "11:15", 1, ratio_place=1)
    later = seat(center, "13:30", 0, ratio_place=2)
    return late, same_chair, same_nurse, later


def test_a_visit_that_overruns_marks_those_it_hits(center):
    late, same_chair, same_nurse, _ = late_center(center)
    board = shown(center, "chairs", now=center.at("11:20"))
    cards = {card.visit.pk: card for card in board.cards}
    assert [card.visit.pk for card in board.late] == [late.pk]
    assert {card.visit.pk for card in board.hit} == {same_chair.pk, same_nurse.pk}
    assert cards[same_chair.pk].alerts[-1] == f"Hit by the delay of {late.patient.name}"
    assert cards[late.pk].hits == 2


def test_a_visit_is_late_only_after_some_minutes(center):
    late, *_ = late_center(center)
    assert [board_late.late_until(late, None, center.at(at)) for at in ("10:59", "11:05", "11:06")] == [
        None,
        None,
        center.at("11:06"),
    ]


CHANGES = {
    "booked": lambda c, v: book(c, "13:00"),
    "moved": lambda c, v: move(c, v, "10:15"),
    "re-seated": lambda c, v: move(c, v, "09:00", chair=c.chairs[1]),
    "cancelled": lambda c, v: cancel_appointment(appointment=v, reason="Ill", by=c.scheduler),
    "confirmed": lambda c, v: attendance.confirm(appointment=v, by=None),
    "asked to move": lambda c, v: attendance.request_move(appointment=v, message=""),
    "chair out": lambda c, v: take_chair_out(
        chair=c.chairs[1], starts_at=c.at("09:00"), ends_at=c.at("12:00"), reason="Broken", by=c.scheduler
    ),
    "shift added": lambda c, v: add_shift(
        nurse=make_nurse(site=c.site), site=c.site, starts_at=c.at("09:00"), ends_at=c.at("12:00"), by=c.scheduler
    ),
    "shift removed": lambda c, v: remove_shift(
        shift=c.nurses[1].shifts.order_by("pk").last(), by=c.scheduler, override_reason="Ill"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_version_changes_with_every_kind_of_change(center, change):
    visit = book(center, "09:00", chair=center.chairs[0], nurse=center.nurses[0])
    before = version_of(center.site, DAY, NOW)
    assert version_of(center.site, DAY, NOW) == before
    CHANGES[change](center, visit)
    assert version_of(center.site, DAY, NOW) != before


def test_version_of_another_site_stays(center):
    before = version_of(center.site, DAY, NOW)
    book(make_center(), "09:00")
    assert version_of(center.site, DAY, NOW) == before


def test_version_moves_with_the_minutes_of_its_own_day_only(center):
    soon = NOW + dt.timedelta(minutes=1)
    today = clock.local_date(NOW, center.site.time_zone)
    assert version_of(center.site, DAY, NOW) == version_of(center.site, DAY, soon)
    assert version_of(center.site, today, NOW) != version_of(center.site, today, soon)


@pytest.mark.parametrize(("view", "most"), [("chairs", 10), ("nurses", 10), ("list", 10), ("week", 9)])
def test_a_full_board_costs_as_many_queries_as_an_empty_one(client, center, view, most):
    force_login(client, center.scheduler)
    with time_machine.travel(center.at("09:30"), tick=False):
        force_login(client, center.scheduler)
        counts = []
        for number in (1, 12):
            for _ in range(number):
                seat(center, "09:00", 0, chair=make_chair(site=center.site), nurse=make_nurse(site=center.site))
            Appointment.objects.update(state=State.ARRIVED, arrived_at=center.at("09:00"))
            with CaptureQueriesContext(connection) as caught:
                assert client.get(BOARD, {"view": view}).status_code == 200
            counts.append(len(caught))
    assert counts == [most, most]


def test_an_unchanged_board_costs_one_query_beside_those_of_every_page(client, center):
    force_login(client, center.scheduler)
    seen = version_of(center.site, DAY, NOW)
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(reverse("scheduling:board-fragment"), {"day": DAY.isoformat(), "seen": seen})
    assert (answer.status_code, answer.content, len(caught)) == (204, b"", 5)
