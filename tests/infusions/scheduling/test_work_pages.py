"""Readings out of date and patients whom no mail reached; the pages, the menu's counts, and what they cost."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from infusions.facility.models import Shift
from infusions.orders.models import InfusionOrder
from infusions.reminders.models import Kind, Reason, ReminderState
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from infusions.scheduling.work_lists import counts_of, lists_for
from patients.models import Weight
from tests.factories.accounts import make_staff
from tests.factories.checklists import make_passed_checklist
from tests.factories.facility import make_chair, make_nurse
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry
from tests.infusions.scheduling.conftest import DAY, NOW, signed_in
from tests.infusions.scheduling.work import ONE, TODAY, long_order, rows_of, visit_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered():
    cache.clear()


@pytest.fixture
def order():
    return long_order()


def weigh(patient, day):
    Weight.objects.filter(patient=patient).delete()
    Weight.objects.create(patient=patient, kg=70, measured_on=day, recorded_at=NOW, recorded_by=make_staff())


def stale(center):
    return [row[2] for row in rows_of("stale-readings", center)]


def test_stale_readings_asks_for_a_weight_when_the_last_is_too_old_at_the_visit(center, order):
    visit = visit_of(center, order, DAY + 7 * ONE)
    day, creatinine = DAY + 7 * ONE, "No creatinine in the last year"
    weigh(order.patient, day - 183 * ONE)
    assert stale(center) == [(creatinine,)]
    weigh(order.patient, day - 184 * ONE)
    assert stale(center) == [("Weight of 07-Sep-2025: 184 days old at the visit", creatinine)]
    Weight.objects.all().update(retracted_at=NOW, retracted_by=make_staff(), retract_reason="Wrong")
    assert stale(center) == [("No weight on record", creatinine)]
    type(order.patient).objects.filter(pk=order.patient_id).update(date_of_birth=DAY - 3000 * ONE)
    weigh(order.patient, day - 32 * ONE)
    assert stale(center) == [("Weight of 06-Feb-2026: 32 days old at the visit", creatinine)]
    Appointment.objects.filter(pk=visit.pk).update(start=NOW + 14 * ONE, end=NOW + 15 * ONE)
    assert stale(center) == []


def test_stale_readings_asks_for_creatinine_by_the_rule_of_the_check(center, order):
    held = visit_of(center, order, DAY - 28 * ONE)
    make_passed_checklist(held, now=held.start, creatinine_on=(DAY - 36 * ONE).isoformat())
    Appointment.objects.filter(pk=held.pk).update(state=State.COMPLETED)
    visit_of(center, order)
    weigh(order.patient, DAY - ONE)
    assert stale(center) == []
    InfusionOrder.objects.filter(pk=order.pk).update(at_risk=True)
    assert stale(center) == [("Creatinine of 26-Jan-2026: 36 days old at the visit, 35 allowed",)]
    first = long_order(patient=make_patient(), is_first_dose=True)
    visit_of(center, first, DAY + ONE)
    assert stale(center)[1:] == [("No creatinine before the first dose",)]


def unreached(center):
    return [row[2][:1] for row in rows_of("failed-reminders", center)]  # the second line tells of a missing number


def test_failed_reminders_holds_whom_no_mail_has_reached(center, order):
    visit = visit_of(center, order)
    make_reminder(appointment=visit, state=ReminderState.SKIPPED, reason=Reason.TOLD_RECENTLY, kind=Kind.DAYS_3)
    assert unreached(center) == []
    failed = make_reminder(appointment=visit, state=ReminderState.FAILED, reason=Reason.ADDRESS_REFUSED)
    assert unreached(center) == [("Confirmation: The mail server refused the message for good",)]
    again = make_reminder(appointment=visit, resend_no=1)
    assert unreached(center) == []
    again.state, again.settled_at = ReminderState.SENT, NOW + ONE / 24
    again.save()
    assert unreached(center) == []
    late = make_reminder(appointment=visit, kind=Kind.DAYS_1, state=ReminderState.SKIPPED, reason=Reason.NO_CONSENT)
    assert unreached(center) == []  # skipped before the other one went
    type(late).objects.filter(pk=late.pk).update(settled_at=NOW + ONE)
    assert unreached(center) == [("1 day before: The patient does not want mail",)]
    Appointment.objects.filter(pk=visit.pk).update(state=State.CONFIRMED)
    assert (unreached(center), failed.pk > 0) == ([], True)


def test_failed_reminders_leaves_out_overtaken_messages_later_visits_and_other_sites(center, order):
    moved = visit_of(center, order, version=2)
    make_reminder(appointment=moved, appointment_version=1, state=ReminderState.FAILED)
    far = visit_of(center, order, DAY + 21 * ONE)
    make_reminder(appointment=far, state=ReminderState.FAILED)
    make_reminder(appointment=make_appointment(day=DAY), state=ReminderState.FAILED)
    assert unreached(center) == []


def test_every_page_opens_says_that_all_is_well_and_shows_its_acts(center, desk):
    for one in lists_for(center.scheduler.permissions):
        page = desk.get(one.url)
        assert (page.status_code, "All is well" in page.content.decode()) == (200, one.rows is not None)
    visit = visit_of(center, make_order(infusion_minutes=60))
    page = desk.get("/to-do/unconfirmed/").content.decode()
    assert f"/appointments/{visit.public_id}/move/" in page
    answer = desk.post(f"/appointments/{visit.public_id}/confirm/", {"next": "/to-do/unconfirmed/"})
    visit.refresh_from_db()
    assert (answer.url, visit.state) == ("/to-do/unconfirmed/", State.CONFIRMED)
    for elsewhere in ("https://elsewhere.example/", "word"):
        away = desk.post(f"/appointments/{visit.public_id}/confirm/", {"next": elsewhere})
        assert away.url == f"/appointments/{visit.public_id}/"
    assert desk.get("/to-do/nonsense/").status_code == 404


def test_only_who_may_record_a_weight_is_offered_it(center, order):
    visit_of(center, order)
    Weight.objects.all().delete()
    seen = {}
    for user in (center.scheduler, center.nurses[0].user):
        seen[user.roles and sorted(user.roles)[0]] = (
            "Record weight" in signed_in(user).get("/to-do/stale-readings/").content.decode()
        )
    assert seen == {"scheduler": False, "nurse": True}


def fill(center, number):
    for _ in range(number):
        patient = make_patient()
        order = make_order(patient=patient, infusion_minutes=60, starts_on=TODAY - 300 * ONE, valid_until=TODAY)
        visit = visit_of(
            center, order, chair=make_chair(site=center.site), nurse=make_nurse(site=center.site), minutes=15
        )
        make_reminder(appointment=visit, state=ReminderState.FAILED, reason=Reason.GAVE_UP)
        lapsed = make_order(infusion_minutes=60, starts_on=TODAY - 300 * ONE)
        visit_of(
            center, lapsed, dt.date(2026, 1, 5), chair=visit.chair, nurse=visit.nurse, minutes=15, state=State.COMPLETED
        )
    Shift.objects.all().delete()
    Weight.objects.all().delete()


def costs(center, desk):
    seen = {}
    for one in lists_for(center.scheduler.permissions):
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(one.url).status_code == 200
        seen[one.slug] = len(queries)
    cache.clear()
    for name in ("counts", "counts again"):
        with CaptureQueriesContext(connection) as queries:
            counts_of(center.site, NOW)
        seen[name] = len(queries)
    return seen


def test_pages_and_counts_cost_the_same_for_three_rows_as_for_thirty(center, desk):
    fill(center, 3)
    few = costs(center, desk)
    assert counts_of(center.site, NOW) == {
        "after-care": 0,
        "unwell": 0,
        "uncovered": 3,
        "unconfirmed": 3,
        "due-not-booked": 3,
        "ends-before-visit": 3,
        "stale-readings": 3,
        "waitlist-matches": 0,
        "failed-reminders": 3,
    }
    fill(center, 27)
    assert costs(center, desk) == few
    assert (few["counts"] <= 19, few["counts again"]) == (True, 0)  # none: the tests remember in memory


def test_the_menu_shows_the_total_and_red_when_a_visit_is_uncovered(center, desk):
    assert desk.get("/to-do/counts/").content.decode().strip() == ""
    visit_of(center, make_order(infusion_minutes=60))
    cache.clear()
    calm = desk.get("/to-do/counts/").content.decode()
    Shift.objects.all().delete()
    red = desk.get("/to-do/counts/?fresh=1").content.decode()
    assert ("is-red" in calm, "2<" in calm, "is-red" in red, "3<" in red, "1 visit uncovered" in red) == (
        False,
        True,
        True,
        True,
        True,
    )
    assert 'hx-get="/to-do/counts/"' in desk.get("/board/").content.decode()
    outsider = signed_in(make_staff(role="scheduler"))
    assert outsider.get("/to-do/counts/").status_code == 204
    pharmacist = signed_in(make_staff(role="pharmacist", site=center.site))
    assert (pharmacist.get("/to-do/counts/").status_code, "/to-do/" in pharmacist.get("/board/").content.decode()) == (
        403,
        False,
    )


def test_counts_are_remembered_until_something_is_done(center, desk):
    assert desk.get("/to-do/counts/").content.decode().strip() == ""
    visit = visit_of(center, make_order(infusion_minutes=60))
    assert desk.get("/to-do/counts/").content.decode().strip() == ""
    assert 'hx-get="/to-do/counts/"' in desk.get("/to-do/").content.decode()
    desk.post(f"/appointments/{visit.public_id}/confirm/", {"next": "/to-do/unconfirmed/"})
    after = desk.get("/to-do/unconfirmed/").content.decode()
    assert ('hx-get="/to-do/counts/?fresh=1"' in after, "is confirmed." in after) == (True, True)
    Shift.objects.all().delete()
    assert "1 visit uncovered" in desk.get("/to-do/counts/?fresh=1").content.decode()
    assert "1 visit uncovered" in desk.get("/to-do/counts/").content.decode()


def test_freed_hours_that_somebody_waits_for_lead_to_who_fits(center, desk):
    visit = visit_of(center, make_order(infusion_minutes=60), DAY + ONE)
    make_entry(site=center.site, order=make_order(infusion_minutes=60))
    assert rows_of("waitlist-matches", center) == []
    cancel_appointment(appointment=visit, reason="Ill", by=center.scheduler)
    assert rows_of("waitlist-matches", center) == [
        (visit.patient_id, "Wed 4 Mar, 09:00", ("1 on the waitlist may want it",))
    ]
    assert f"/appointments/{visit.public_id}/freed/" in desk.get("/to-do/waitlist-matches/").content.decode()
