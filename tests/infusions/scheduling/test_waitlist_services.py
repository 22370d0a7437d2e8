"""Putting an order on the waitlist, changing and closing the entry, booking from it."""

import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting
from infusions.orders.models import OrderStatus
from infusions.scheduling.booking import cancel_appointment, move_appointment
from infusions.scheduling.models import Appointment, OfferState, WaitlistEntry, WaitlistOffer, WaitlistState
from infusions.scheduling.waitlist_services import add_to_waitlist, amend_entry, book_from_waitlist, close_entry
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.factories.waitlist import make_entry, make_offer
from tests.infusions.scheduling.conftest import DAY
from tests.infusions.scheduling.support import refusal

pytestmark = pytest.mark.django_db
WEEK = dt.timedelta(days=7)


def add(center, order=None, **wishes):
    wishes = {"first_on": DAY, "last_on": DAY + WEEK, "setting": Setting.FACILITY, "site": center.site, **wishes}
    return add_to_waitlist(order=order or make_order(infusion_minutes=180), by=center.scheduler, **wishes)


def test_an_entry_keeps_what_was_asked_for_and_is_audited(center):
    entry = add(center, weekdays=[4, 1, 4], earliest=dt.time(9), latest=dt.time(12), notice_hours=48, note=" By phone ")
    entry.refresh_from_db()
    assert (entry.state, entry.weekdays, entry.earliest, entry.latest, entry.notice_hours, entry.note) == (
        WaitlistState.WAITING,
        [1, 4],
        dt.time(9),
        dt.time(12),
        48,
        "By phone",
    )
    event = AuditEvent.objects.get(action="waitlist.added")
    assert (event.target_id, event.patient_id) == (entry.public_id, entry.patient.public_id)


@pytest.mark.parametrize(
    ("order_fields", "wishes", "code"),
    [
        ({"status": OrderStatus.DRAFT}, {}, "order-unsigned"),
        ({"status": OrderStatus.HELD}, {}, "order-held"),
        ({"status": OrderStatus.STOPPED}, {}, "order-stopped"),
        ({"visits_authorized": 1, "doses_given": 1}, {}, "visits-used-up"),
        ({"valid_until": DAY + dt.timedelta(days=3)}, {}, "outside-order"),
        ({"starts_on": DAY + dt.timedelta(days=1)}, {}, "outside-order"),
        ({}, {"first_on": DAY + WEEK, "last_on": DAY}, "days-backward"),
        ({}, {"first_on": DAY - WEEK, "last_on": DAY - dt.timedelta(days=2)}, "in-the-past"),
        ({}, {"earliest": dt.time(12), "latest": dt.time(9)}, "hours-backward"),
        ({}, {"last_on": DAY, "weekdays": [6]}, "no-such-day"),
        ({}, {"setting": Setting.HOME}, "home-not-allowed"),
        ({"days": 2}, {}, "course-waiting"),
        ({"last_dose_on": DAY - dt.timedelta(days=2), "doses_given": 1}, {}, "dose-too-early"),
    ],
)
def test_what_could_never_be_offered_a_start_is_refused(center, order_fields, wishes, code):
    order = make_order(**{"infusion_minutes": 180, "home_allowed": False, **order_fields})
    assert code in refusal(add, center, order, **wishes)
    assert not WaitlistEntry.objects.exists()


def test_an_order_waits_only_once(center):
    order = make_order(infusion_minutes=180)
    first = add(center, order)
    assert refusal(add, center, order) == {"already-waiting"}
    close_entry(entry=first, reason="Found a time", by=center.scheduler)
    assert add(center, order).state == WaitlistState.WAITING


def test_only_a_visit_of_this_order_that_can_still_move_may_come_earlier(center):
    order = make_order(infusion_minutes=180)
    visit = make_appointment(order=order, site=center.site, day=DAY + WEEK)
    other = make_appointment(site=center.site, day=DAY + WEEK)
    assert refusal(add, center, order, instead_of=other) == {"visit-of-another"}
    later = {"first_on": DAY + 2 * WEEK, "last_on": DAY + 3 * WEEK}
    assert refusal(add, center, order, instead_of=visit, **later) == {"nothing-earlier"}
    assert add(center, order, instead_of=visit).instead_of == visit
    cancel_appointment(appointment=visit, reason="Ill", by=center.scheduler)
    assert "visit-not-movable" in refusal(add, center, order, instead_of=visit)


def test_an_entry_changed_by_two_tells_the_second_what_changed(center):
    entry = add(center)
    amended = amend_entry(entry=entry, version=1, by=center.scheduler, notice_hours=4, weekdays=[0])
    assert (amended.version, amended.notice_hours, amended.weekdays) == (2, 4, [0])
    with pytest.raises(RuleViolation) as refused:
        amend_entry(entry=entry, version=1, by=center.scheduler, notice_hours=72)
    (problem,) = refused.value.problems
    assert problem.code == "changed-meanwhile"
    assert problem.message == f"{center.scheduler.full_name} changed this entry meanwhile: notice hours, weekdays."
    entry.refresh_from_db()
    assert entry.notice_hours == 4


def test_closing_needs_a_reason_and_withdraws_what_was_offered(center):
    entry = make_entry(site=center.site, by=center.scheduler)
    offer = make_offer(entry=entry, start=center.at("09:00"))
    assert refusal(close_entry, entry=entry, reason=" ", by=center.scheduler) == {"reason-missing"}
    close_entry(entry=entry, reason="Moved away", by=center.scheduler)
    entry.refresh_from_db()
    offer.refresh_from_db()
    assert (entry.state, entry.close_reason, offer.state) == ("closed", "Moved away", OfferState.WITHDRAWN)
    assert refusal(close_entry, entry=entry, reason="Again", by=center.scheduler) == {"not-waiting"}
    assert refusal(amend_entry, entry=entry, version=2, by=center.scheduler, note="x") == {"not-waiting"}


def test_booking_from_the_waitlist_books_settles_and_withdraws_once(center):
    entry = add(center)
    offer = make_offer(entry=entry, start=center.at("13:00"))
    first = book_from_waitlist(entry=entry, start=center.at("09:00"), by=center.scheduler)
    again = book_from_waitlist(entry=entry, start=center.at("09:00"), by=center.scheduler)
    entry.refresh_from_db()
    assert (first, entry.state, entry.appointment) == (again, WaitlistState.BOOKED, first)
    assert list(Appointment.objects.all()) == [first]
    assert WaitlistOffer.objects.get().state == OfferState.WITHDRAWN
    assert offer.pk == WaitlistOffer.objects.get().pk
    assert refusal(book_from_waitlist, entry=entry, start=center.at("10:00"), by=center.scheduler) == {"not-waiting"}


def test_a_visit_that_wanted_to_come_earlier_moves_instead_of_being_doubled(center):
    order = make_order(infusion_minutes=180)
    visit = make_appointment(order=order, site=center.site, chair=center.chairs[0], day=DAY + WEEK)
    entry = add(center, order, instead_of=visit)
    booked = book_from_waitlist(entry=entry, start=center.at("09:00"), by=center.scheduler)
    assert (booked, booked.start, booked.version) == (visit, center.at("09:00"), 2)
    assert list(Appointment.objects.all()) == [visit]


def test_a_visit_that_came_earlier_by_itself_is_not_moved_back(center):
    order = make_order(infusion_minutes=180)
    visit = make_appointment(order=order, site=center.site, chair=center.chairs[0], day=DAY + WEEK)
    entry = add(center, order, instead_of=visit)
    move_appointment(appointment=visit, start=center.at("09:00"), by=center.scheduler)
    later = center.at("10:00")
    assert refusal(book_from_waitlist, entry=entry, start=later, by=center.scheduler) == {"nothing-earlier"}
    entry.refresh_from_db()
    assert entry.state == WaitlistState.WAITING


def test_a_start_that_somebody_else_took_leaves_the_entry_waiting(center):
    entry = add(center)
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(site=center.site, chair=chair, nurse=nurse, day=DAY)
    assert refusal(book_from_waitlist, entry=entry, start=center.at("09:00"), by=center.scheduler) >= {"chairs-taken"}
    entry.refresh_from_db()
    assert (entry.state, entry.version) == (WaitlistState.WAITING, 1)
