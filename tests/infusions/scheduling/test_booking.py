import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusions.facility.models import Setting
from infusions.scheduling.booking import book_appointment, cancel_appointment
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.states import State
from tests.factories.facility import make_nurse, make_shift
from tests.factories.orders import make_order
from tests.infusions.scheduling.conftest import DAY, make_center
from tests.infusions.scheduling.support import book, everything_written, move, raise_integrity_error, refusal, steal

pytestmark = pytest.mark.django_db


# Booking


def test_book_appointment_writes_the_visit_with_its_length_its_claims_and_the_audit_row(center):
    order = make_order(infusion_minutes=173)
    booked = book(center, order=order, chair=center.chairs[1], nurse=center.nurses[1], token="form-1")
    stored = Appointment.objects.get()
    assert stored == booked
    assert {
        name: getattr(stored, name)
        for name in ("order", "patient", "site", "setting", "chair", "nurse", "state", "version", "booked_by")
    } == {
        "order": order,
        "patient": order.patient,
        "site": center.site,
        "setting": Setting.FACILITY,
        "chair": center.chairs[1],
        "nurse": center.nurses[1],
        "state": State.EXPECTED,
        "version": 1,
        "booked_by": center.scheduler,
    }
    # 30 minutes before, 173 of infusion, 30 after, rounded up to whole quarters.
    assert (stored.start, stored.end) == (center.at("09:00"), center.at("13:00"))
    assert stored.local_start == "2026-03-03T09:00"
    assert (stored.preparation_minutes, stored.infusion_minutes, stored.observation_minutes) == (30, 173, 30)
    assert claim_violations() == []
    assert Claim.objects.count() == 16 * 3 + 2 + 1
    event = AuditEvent.objects.get(action="appointment.booked")
    assert (event.target_id, event.actor_id) == (booked.public_id, center.scheduler.pk)
    assert event.patient_id == order.patient.public_id


def test_book_appointment_picks_a_free_chair_and_nurse(center):
    taken = book(center, chair=center.chairs[0], nurse=center.nurses[0])
    second = book(center)
    assert (second.chair, second.nurse) == (center.chairs[1], center.nurses[1])
    assert second.start == taken.start


def test_book_appointment_fills_the_places_of_one_nurse_but_never_her_hands_twice():
    center = make_center(chairs=4, nurses=1)
    visits = [book(center, start) for start in ("08:00", "08:30", "09:00", "09:30")]
    assert [visit.ratio_place for visit in visits] == [0, 1, 2, 3]
    assert claim_violations() == []


def test_a_home_visit_takes_the_nurse_with_her_travel_and_no_chair(center):
    nurse = make_nurse(site=center.site, visits_homes=True)
    make_shift(nurse=nurse, site=center.site, day=DAY, setting=Setting.HOME)
    visit = book(center, "09:00", order=make_order(infusion_minutes=180, home_allowed=True), setting=Setting.HOME)
    assert (visit.chair, visit.nurse, visit.travel_minutes) == (None, nurse, 30)
    other = make_order(infusion_minutes=60, home_allowed=True)
    assert refusal(book, center, "13:15", order=other, setting=Setting.HOME) == {"nurse-busy"}
    assert book(center, "14:00", order=other, setting=Setting.HOME).nurse == nurse


def test_the_same_token_books_once(center):
    order = make_order(infusion_minutes=180)
    first = book(center, order=order, token="form-1")
    assert book(center, order=order, token="form-1") == first
    assert Appointment.objects.count() == 1


def test_a_token_that_booked_something_else_is_refused(center):
    order = make_order(infusion_minutes=180)
    visit = book(center, order=order, token="form-1")
    assert refusal(book, center, token="form-1") == {"token-reused"}
    assert refusal(book, center, "13:00", order=order, token="form-1") == {"token-reused"}
    cancel_appointment(appointment=visit, reason="Has a fever", by=center.scheduler)
    assert refusal(book, center, order=order, token="form-1") == {"token-reused"}


def test_a_reason_lets_a_visit_pass_that_needs_approval_and_is_kept(center):
    order = make_order(infusion_minutes=180, last_dose_on=DAY - dt.timedelta(days=20), doses_given=3)
    wish = {"order": order, "start": center.at("09:00"), "setting": Setting.FACILITY, "site": center.site}
    nurse, reason = center.nurses[0].user, "Travels for two months; Dr. Example agreed"
    assert refusal(book_appointment, **wish, by=nurse) == {"dose-too-early"}
    # Whether a dose may come early is a clinical question: the desk's reason does not count.
    assert refusal(book_appointment, **wish, by=center.scheduler, override_reason=reason) == {"dose-too-early"}
    booked = book_appointment(**wish, by=nurse, override_reason=reason)
    assert (booked.override_reason, booked.overridden) == (reason, ["dose-too-early"])
    # Codes only: the reason is clinical text and stands with the visit.
    detail = AuditEvent.objects.get(action="appointment.booked").detail
    assert detail == {"version": 1, "overridden": ["dose-too-early"]}


def test_a_reason_does_not_let_a_blocker_pass_and_is_not_kept_without_need(center):
    taken = book(center, chair=center.chairs[0], override_reason="just because")
    assert taken.override_reason == ""
    assert refusal(book, center, "10:00", chair=center.chairs[0], override_reason="just because") == {"chair-taken"}


def test_authorized_visits_are_counted_with_those_booked(center):
    order = make_order(infusion_minutes=60, visits_authorized=3, doses_given=2, interval_days=1, tolerance_days=0)
    book(center, order=order)
    day_after = DAY + dt.timedelta(days=1)
    assert refusal(book, center, order=order, day=day_after) == {"visits-used-up"}


# Losing a seat to somebody else between looking and writing


@pytest.mark.django_db(transaction=True)
def test_a_lost_chair_is_replaced_by_another(monkeypatch):
    center = make_center()
    lost = []

    def take_its_chair(appointment):
        lost.append(appointment.chair)
        raise_integrity_error()

    steal(monkeypatch, [take_its_chair])
    booked = book(center)
    assert lost == [center.chairs[0]]
    assert Appointment.objects.get() == booked
    assert claim_violations() == []


@pytest.mark.django_db(transaction=True)
def test_a_start_that_is_lost_again_and_again_is_refused_and_nothing_is_written(monkeypatch):
    center = make_center()
    steal(monkeypatch, [raise_integrity_error] * 100)
    assert refusal(book, center) == {"slot-lost"}


# The audit row is part of it


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["book", "move", "cancel"])
def test_nothing_is_written_when_the_audit_row_cannot_be(monkeypatch, act):
    center = make_center()
    visit = book(center, "08:00")
    before = everything_written()

    def broken(*args, **kwargs):
        raise ValueError("no audit")

    monkeypatch.setattr("infusions.scheduling.booking.audit.record", broken)
    with pytest.raises(ValueError, match="no audit"):
        if act == "book":
            book(center, "13:00")
        elif act == "move":
            move(center, visit, "13:00")
        else:
            cancel_appointment(appointment=visit, reason="x", by=center.scheduler)
    assert everything_written() == before
