import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting
from infusions.scheduling.booking import book_appointment, cancel_appointment, move_appointment
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.states import State
from tests.factories.facility import make_nurse, make_shift
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW, make_center

pytestmark = pytest.mark.django_db


def book(center, start="09:00", *, order=None, day=DAY, **wishes):
    return book_appointment(
        order=order or make_order(infusion_minutes=180),
        start=center.at(start, day),
        setting=wishes.pop("setting", Setting.FACILITY),
        site=center.site,
        by=center.scheduler,
        **wishes,
    )


def move(center, appointment, start, *, day=DAY, **wishes):
    return move_appointment(appointment=appointment, start=center.at(start, day), by=center.scheduler, **wishes)


def refusal(call, *args, **kwargs) -> set[str]:
    """The codes by which the call is refused; asserts that it wrote nothing at all."""
    before = everything_written()
    with pytest.raises(RuleViolation) as refused:
        call(*args, **kwargs)
    assert everything_written() == before
    assert claim_violations() == []
    return refused.value.codes


def everything_written():
    return (
        list(Appointment.objects.order_by("pk").values()),
        list(Claim.objects.order_by("pk").values()),
        AuditEvent.objects.count(),
    )


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
    assert book(center, "14:00", order=order, token="form-1") == first
    assert Appointment.objects.count() == 1


def test_a_token_of_another_order_is_refused(center):
    book(center, token="form-1")
    assert refusal(book, center, "13:00", token="form-1") == {"token-reused"}


def test_a_reason_lets_a_visit_pass_that_needs_approval_and_is_kept(center):
    order = make_order(infusion_minutes=180, last_dose_on=DAY - dt.timedelta(days=20), doses_given=3)
    assert refusal(book, center, order=order) == {"dose-too-early"}
    booked = book(center, order=order, override_reason="Travels for two months; Dr. Example agreed")
    assert booked.override_reason == "Travels for two months; Dr. Example agreed"
    assert AuditEvent.objects.get(action="appointment.booked").detail["overridden"] == ["dose-too-early"]


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


def steal(monkeypatch, thefts):
    """Before each of the next writes another visit takes what the function says."""
    from infusions.scheduling import booking

    place = booking._place

    def place_after_theft(appointment, proposal, seat):
        place(appointment, proposal, seat)
        if thefts:
            thefts.pop(0)(appointment)

    monkeypatch.setattr(booking, "_place", place_after_theft)


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
    steal(monkeypatch, [lambda appointment: raise_integrity_error()] * 100)
    assert refusal(book, center) == {"slot-lost"}


def raise_integrity_error():
    from django.db import IntegrityError

    raise IntegrityError("claim_lane_quarter_once")


# Moving


def test_move_appointment_keeps_chair_and_nurse_and_frees_the_old_time(center):
    visit = book(center, chair=center.chairs[1], nurse=center.nurses[1])
    moved = move(center, visit, "13:00")
    assert (moved.chair, moved.nurse, moved.version) == (center.chairs[1], center.nurses[1], 2)
    assert (moved.start, moved.local_start) == (center.at("13:00"), "2026-03-03T13:00")
    assert claim_violations() == []
    detail = AuditEvent.objects.get(action="appointment.moved").detail
    assert (detail["before"], detail["after"]) == ("2026-03-03T09:00", "2026-03-03T13:00")


def test_a_visit_may_move_into_the_time_that_it_holds_itself():
    center = make_center(chairs=1, nurses=1)
    visit = book(center, "09:00")
    assert move(center, visit, "09:30").start == center.at("09:30")
    assert claim_violations() == []


def test_a_moved_visit_is_to_be_confirmed_again(center):
    visit = make_appointment(site=center.site, day=DAY, state=State.CONFIRMED)
    moved = move(center, visit, "11:00")
    assert (moved.state, moved.confirmed_at, moved.move_requested_at) == (State.EXPECTED, None, None)


def test_a_move_takes_another_chair_when_its_own_is_taken(center):
    visit = book(center, "09:00", chair=center.chairs[0])
    book(center, "13:00", chair=center.chairs[0])
    assert move(center, visit, "13:15").chair == center.chairs[1]


def test_a_move_onto_a_taken_chair_leaves_everything_as_it_was(center):
    visit = book(center, "08:00", chair=center.chairs[0])
    book(center, "13:00", chair=center.chairs[0])
    assert refusal(move, center, visit, "12:00", chair=center.chairs[0]) == {"chair-taken"}


def test_a_stale_version_is_told_what_changed(center):
    visit = book(center, "08:00")
    move(center, visit, "13:00")
    assert refusal(move, center, visit, "10:00", version=1) == {"changed-meanwhile"}
    with pytest.raises(RuleViolation, match="it is now expected, Tue 3 Mar 2026 13:00"):
        move(center, visit, "10:00", version=1)


@pytest.mark.parametrize("state", sorted(set(State) - {State.EXPECTED, State.CONFIRMED}))
def test_a_visit_that_began_or_ended_cannot_be_moved(center, state):
    visit = make_appointment(site=center.site, day=DAY, state=state)
    assert refusal(move, center, visit, "11:00") == {"wrong-state"}


def test_a_move_that_loses_its_seat_once_raises_the_version_once(center, monkeypatch):
    visit = book(center, "09:00")
    steal(monkeypatch, [lambda appointment: raise_integrity_error()])
    assert move(center, visit, "10:00").version == 2
    assert claim_violations() == []


# Cancelling


def test_cancel_appointment_frees_what_the_visit_held_and_keeps_the_row(center):
    visit = book(center)
    cancelled = cancel_appointment(appointment=visit, reason="Has a fever", by=center.scheduler)
    assert (cancelled.state, cancelled.cancel_reason, cancelled.cancelled_at) == (State.CANCELLED, "Has a fever", NOW)
    assert (cancelled.version, Claim.objects.count()) == (2, 0)
    assert AuditEvent.objects.get(action="appointment.cancelled").detail == {"before": "expected", "version": 2}
    assert book(center, chair=visit.chair, nurse=visit.nurse).start == visit.start


def test_the_patient_may_cancel_without_a_member_of_staff(center):
    cancel_appointment(appointment=book(center), reason="Asked by link", by=None)
    assert AuditEvent.objects.get(action="appointment.cancelled").actor_name == "Patient"


def test_cancelling_needs_a_reason(center):
    visit = book(center)
    assert refusal(cancel_appointment, appointment=visit, reason=" ", by=center.scheduler) == {"reason-missing"}


@pytest.mark.parametrize(
    "state", [State.IN_PROGRESS, State.COMPLETED, State.STOPPED_EARLY, State.CANCELLED, State.NO_SHOW]
)
def test_a_visit_that_began_or_ended_cannot_be_cancelled(center, state):
    visit = make_appointment(site=center.site, day=DAY, state=state)
    assert refusal(cancel_appointment, appointment=visit, reason="x", by=center.scheduler) == {"wrong-state"}


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
