"""Who reported signs of infection or little urine before the visit, and when she leaves the nurses' list."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from infusions.checklists.models import PatientReport
from infusions.checklists.unwell import unwell_visits
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import UPCOMING, State
from infusions.scheduling.work_lists import BY_SLUG
from tests.factories.facility import make_chair, make_site
from tests.factories.patients import make_patient
from tests.infusions.scheduling.conftest import NOW, signed_in
from tests.infusions.scheduling.work import ONE, long_order, rows_of, visit_of

pytestmark = pytest.mark.django_db
ILL, WELL, DRY = {"infection": "yes"}, {"infection": "no"}, {"urine-normal": "no"}
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def visit(center):
    """Tomorrow at 09:00; it is 07:00 now."""
    return visit_of(center, long_order(patient=make_patient(phone="+12125550123")))


def said(visit, values, ago=HOUR, comment=""):
    PatientReport.objects.create(appointment=visit, values=values, comment=comment, reported_at=NOW - ago)


CASES = {
    "nothing": ([], ()),
    "well": ([(WELL,)], ()),
    "a new medicine and little to drink": ([({"new-drugs": "yes", "intake-day-before": "240"},)], ()),
    "ill": ([(ILL,)], ("Signs of infection, reported Mon 2 Mar, 06:00",)),
    "ill, well again": ([(ILL, 2 * HOUR), (WELL,)], ()),
    "well, then ill": ([(WELL, 2 * HOUR), (ILL,)], ("Signs of infection, reported Mon 2 Mar, 06:00",)),
    "ill, then about something else": (
        [
            (WELL, 4 * HOUR, "Old"),
            (ILL, 3 * HOUR, "39 °C"),
            ({"urine-normal": "yes"}, HOUR, "Call me"),
            ({}, HOUR, "39 °C"),
        ],
        ("Signs of infection, reported Mon 2 Mar, 04:00", "“39 °C”", "“Call me”"),
    ),
    "both": (
        [(ILL, 10 * HOUR), (DRY,)],
        ("Signs of infection, reported Sun 1 Mar, 21:00", "Little urine, reported Mon 2 Mar, 06:00"),
    ),
    "before it was moved here": ([(ILL, 2 * ONE)], ()),
}


@pytest.mark.parametrize("case", CASES)
def test_unwell_holds_whose_newest_answers_ask_for_a_call(center, visit, case):
    reports, why = CASES[case]
    for report in reports:
        said(visit, *report)
    expected = [(visit.patient_id, "Tue 3 Mar, 09:00", why)] if why else []
    assert rows_of("unwell", center) == expected


@pytest.mark.parametrize("state", State)
def test_unwell_leaves_out_who_came_or_does_not_come(center, visit, state):
    said(visit, ILL)
    Appointment.objects.filter(pk=visit.pk).update(state=state, cancelled_at=NOW if state == State.CANCELLED else None)
    assert len(unwell_visits(center.site, NOW)) == (state in UPCOMING)


@pytest.mark.parametrize(("hours", "is_soon"), [(49, [False]), (33, [True]), (1, [True]), (-1, [])])
def test_unwell_is_urgent_today_and_tomorrow_and_over_when_the_visit_begins(center, visit, hours, is_soon):
    """Reported early on Sunday for Tuesday; 33 hours before, Monday has just begun."""
    PatientReport.objects.create(appointment=visit, values=ILL, reported_at=visit.start - 50 * HOUR)
    assert [one.is_soon for one in unwell_visits(center.site, visit.start - hours * HOUR)] == is_soon


def test_unwell_is_of_the_site_by_time_and_one_statement(center, visit):
    early = visit_of(center, long_order(), at="08:00", chair=make_chair(site=center.site), nurse=center.nurses[1])
    for one in (visit, early):
        said(one, ILL)
    with CaptureQueriesContext(connection) as queries:
        rows = [BY_SLUG["unwell"].row(one) for one in unwell_visits(center.site, NOW)]
    assert ([row.patient.pk for row in rows], len(queries)) == ([early.patient_id, visit.patient_id], 1)
    assert unwell_visits(make_site(), NOW) == []


def test_a_visit_moved_to_another_day_leaves_the_list(center, visit):
    said(visit, ILL)
    Appointment.objects.filter(pk=visit.pk).update(start=visit.start + 7 * ONE, end=visit.end + 7 * ONE)
    assert unwell_visits(center.site, NOW) == []
    assert unwell_visits(center.site, NOW + 7 * ONE) == []


def test_nurses_see_and_count_it_and_the_front_desk_does_not(center, desk, visit):
    said(visit, ILL, comment="<b>39</b>")
    nurse = signed_in(center.nurses[0].user)
    page = nurse.get("/to-do/unwell/").content.decode()
    wanted = (
        "Signs of infection",
        "&lt;b&gt;39",
        'href="tel:+12125550123"',
        f'href="/appointments/{visit.public_id}/"',
    )
    assert [text for text in wanted if text not in page] == []
    assert desk.get("/to-do/unwell/").status_code == 403
    seen = [(client.get("/to-do/?").content.decode().count("/to-do/unwell/")) for client in (nurse, desk)]
    counts = [client.get("/to-do/counts/?fresh=1").content.decode() for client in (nurse, desk)]
    # The visit itself is not confirmed, and weight and creatinine may be old: the nurse counts one more.
    assert (seen, ["3<" in counts[0], "2<" in counts[1]]) == ([1, 0], [True, True])


def test_who_has_no_telephone_number_is_told_apart(center):
    said(visit_of(center, long_order()), DRY)
    why = ("Little urine, reported Mon 2 Mar, 06:00", "No telephone number: write, or ask who knows the patient")
    assert [row[2] for row in rows_of("unwell", center)] == [why]
