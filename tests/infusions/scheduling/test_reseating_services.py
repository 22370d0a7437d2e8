"""Booking by re-seating others: what is written, what is refused, and that nothing else changes."""

import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusions.facility.models import Setting, Shift
from infusions.orders.services import hold_order
from infusions.scheduling.booking import move_appointment
from infusions.scheduling.models import Appointment
from infusions.scheduling.reseat_services import (
    apply_changes,
    book_with_reseating,
    move_with_reseating,
    plan_key,
    set_pinned,
)
from infusions.scheduling.reseating import SeatChange, reseat_day
from infusions.scheduling.states import State
from tests.factories.facility import make_chair, make_nurse
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW
from tests.infusions.scheduling.reseating_center import all_is_sound, order_of_four_hours, plan_for
from tests.infusions.scheduling.support import book, everything_written, refusal


def book_crossing(center, order, shown, *, start="10:00", **more):
    return book_with_reseating(
        order=order,
        start=center.at(start),
        setting=Setting.FACILITY,
        site=center.site,
        by=center.scheduler,
        shown=shown,
        **more,
    )


def differences(before, after):
    """By row number the columns that changed, other than when the row was written."""
    return {
        old["id"]: {name: (old[name], new[name]) for name in old if old[name] != new[name] and name != "updated_at"}
        for old, new in zip(before, after, strict=True)
        if old != new
    }


def visit_rows(visits):
    return list(Appointment.objects.filter(pk__in=[visit.pk for visit in visits]).order_by("pk").values())


def test_a_start_that_no_single_chair_has_fits_after_one_visit_changes_its_chair(crossed):
    center, _ = crossed
    plan = plan_for(center, order_of_four_hours())
    (change,) = plan.changes
    old_chair = change.appointment.chair_id
    assert {old_chair, change.chair.pk} == {chair.pk for chair in center.chairs}
    assert (change.nurse, change.place) == (change.appointment.nurse, change.appointment.ratio_place)
    assert (plan.seat.chair_id, plan.unseated) == (old_chair, ())


def test_booking_with_reseating_writes_both_visits_their_claims_and_two_audit_events(crossed):
    center, visits = crossed
    order = order_of_four_hours()
    plan = plan_for(center, order)
    (change,) = plan.changes
    before, stamps = visit_rows(visits), {visit.pk: visit.updated_at for visit in visits}
    booked = book_crossing(center, order, plan_key(plan))
    assert differences(before, visit_rows(visits)) == {
        change.appointment.pk: {"chair_id": (change.appointment.chair_id, change.chair.pk)}
    }
    changed = Appointment.objects.get(pk=change.appointment.pk)
    assert changed.updated_at >= stamps[changed.pk]
    assert (booked.start, booked.chair_id, booked.nurse_id) == (
        center.at("10:00"),
        plan.seat.chair_id,
        plan.seat.nurse_id,
    )
    events = AuditEvent.objects.order_by("pk").values_list("action", "target_id", "patient_id", "actor_id")
    assert list(events)[-2:] == [
        ("appointment.reseated", changed.public_id, changed.patient.public_id, center.scheduler.pk),
        ("appointment.booked", booked.public_id, order.patient.public_id, center.scheduler.pk),
    ]
    detail = AuditEvent.objects.get(action="appointment.reseated").detail
    assert detail == {
        "version": 1,
        "seat_before": f"{change.appointment.chair} with {changed.nurse}",
        "seat_after": f"{change.chair} with {changed.nurse}",
        "to_seat_order": order.public_id,
    }
    assert all_is_sound()


def test_the_same_form_sent_twice_books_once(crossed):
    center, _ = crossed
    order = order_of_four_hours()
    shown = plan_key(plan_for(center, order))
    first = book_crossing(center, order, shown, token="twice")
    before = everything_written()
    assert book_crossing(center, order, shown, token="twice") == first
    assert everything_written() == before


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("begun", {"state": State.IN_PROGRESS, "started_at": NOW}),
        ("pinned", {"is_pinned": True}),
    ],
)
def test_a_plan_is_refused_when_a_visit_of_it_has_meanwhile(crossed, what, change):
    center, visits = crossed
    order = order_of_four_hours()
    plan = plan_for(center, order)
    Appointment.objects.filter(pk=plan.changes[0].appointment.pk).update(**change)
    assert refusal(book_crossing, center, order, plan_key(plan)) == {"plan-changed"}
    Appointment.objects.filter(pk__in=[visit.pk for visit in visits]).update(**change)
    assert refusal(book_crossing, center, order, plan_key(plan)) == {"plan-changed"}


def test_a_plan_that_has_become_another_is_refused_and_the_new_one_can_be_booked(crossed):
    center, _ = crossed
    order = order_of_four_hours()
    plan = plan_for(center, order)
    other = next(chair for chair in center.chairs if chair.pk != plan.seat.chair_id)
    Appointment.objects.filter(pk=plan.changes[0].appointment.pk).update(is_pinned=True)
    assert refusal(book_crossing, center, order, plan_key(plan)) == {"plan-changed"}
    booked = book_crossing(center, order, plan_key(plan_for(center, order)))
    assert booked.chair == other
    assert all_is_sound()


def test_a_plan_that_is_not_needed_any_more_changes_nobody(crossed):
    center, visits = crossed
    order = order_of_four_hours()
    shown = plan_key(plan_for(center, order))
    before = visit_rows(visits)
    new_chair = make_chair(site=center.site)
    assert book_crossing(center, order, shown).chair == new_chair
    assert visit_rows(visits) == before


def test_a_forged_plan_is_answered_with_the_real_one(crossed):
    center, _ = crossed
    assert refusal(book_crossing, center, order_of_four_hours(), "[1,2,3]") == {"plan-changed"}


def test_what_stands_against_the_visit_itself_refuses_it_before_anybody_is_reseated(crossed):
    center, _ = crossed
    order = order_of_four_hours()
    shown = plan_key(plan_for(center, order))
    hold_order(order=order, reason="Asked by the clinic", by=center.scheduler)
    assert refusal(book_crossing, center, order, shown) == {"order-held"}


def test_a_visit_may_move_to_a_start_at_which_another_makes_room(crossed):
    center, visits = crossed
    chair = make_chair(site=center.site)
    order = order_of_four_hours()
    moving = book(center, "09:00", order=order, chair=chair)
    chair.is_active = False
    chair.save()
    plan = plan_for(center, order, moving=moving)
    before = visit_rows(visits)
    moved = move_with_reseating(
        appointment=moving, start=center.at("10:00"), by=center.scheduler, shown=plan_key(plan), version=1, now=NOW
    )
    assert (moved.pk, moved.start, moved.version, moved.chair_id) == (
        moving.pk,
        center.at("10:00"),
        2,
        plan.seat.chair_id,
    )
    assert list(differences(before, visit_rows(visits))) == [plan.changes[0].appointment.pk]
    assert all_is_sound()


def test_changes_of_a_plan_are_applied_together_or_not_at_all(crossed):
    center, visits = crossed
    first, second = visits
    swap = [
        SeatChange(first, second.chair, second.nurse, 0),
        SeatChange(second, first.chair, first.nurse, 0),
    ]
    before = visit_rows(visits)
    apply_changes(changes=swap, by=center.scheduler, reason="Nurse called out", now=NOW)
    assert differences(before, visit_rows(visits)) == {
        first.pk: {"chair_id": (first.chair_id, second.chair_id), "nurse_id": (first.nurse_id, second.nurse_id)},
        second.pk: {"chair_id": (second.chair_id, first.chair_id), "nurse_id": (second.nurse_id, first.nurse_id)},
    }
    assert all_is_sound()
    assert refusal(apply_changes, changes=swap, by=center.scheduler, now=NOW) == {"changed-meanwhile"}


def test_changes_are_refused_once_a_visit_was_moved(crossed):
    center, _ = crossed
    plan = plan_for(center, order_of_four_hours())
    moved = plan.changes[0].appointment
    later = center.at("09:00", DAY + dt.timedelta(days=1))
    move_appointment(appointment=moved, start=later, by=center.scheduler, now=NOW)
    assert refusal(apply_changes, changes=plan.changes, by=center.scheduler, now=NOW) == {"changed-meanwhile"}


def test_changes_to_a_chair_or_nurse_that_cannot_be_used_are_refused(crossed):
    center, (first, second) = crossed
    bed = make_chair(site=center.site, kind="bed")
    idle = make_nurse(site=center.site)
    for chair, nurse in [(bed, first.nurse), (first.chair, idle), (second.chair, first.nurse)]:
        lawful = chair == second.chair
        changes = [SeatChange(first, chair, nurse, 0)]
        if lawful:
            apply_changes(changes=changes, by=center.scheduler, now=NOW)
        else:
            assert refusal(apply_changes, changes=changes, by=center.scheduler, now=NOW) == {"plan-outdated"}
    assert all_is_sound()


def test_an_uncovered_visit_gets_another_nurse_and_who_cannot_is_named(crossed):
    center, (first, second) = crossed
    Shift.objects.filter(nurse=first.nurse).delete()
    plan = reseat_day(site=center.site, day=DAY, uncovered=[first], now=NOW)
    assert [(change.appointment, change.nurse) for change in plan.changes] == [(first, second.nurse)]
    assert plan.unseated == ()
    Shift.objects.all().delete()
    plan = reseat_day(site=center.site, day=DAY, uncovered=[first, second], now=NOW)
    assert (plan.changes, plan.unseated) == ((), (first, second))


def test_pinning_is_kept_recorded_and_said_once(crossed):
    center, (first, _) = crossed
    before = visit_rows([first])
    set_pinned(appointment=first, pinned=True, by=center.scheduler)
    set_pinned(appointment=first, pinned=True, by=center.scheduler)
    assert differences(before, visit_rows([first])) == {first.pk: {"is_pinned": (False, True)}}
    set_pinned(appointment=first, pinned=False, by=center.scheduler)
    assert differences(before, visit_rows([first])) == {}
    actions = AuditEvent.objects.filter(target_id=first.public_id).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["appointment.pinned", "appointment.unpinned"]


def test_a_visit_that_overruns_pushes_the_next_one_to_another_chair(crossed):
    center, (first, second) = crossed
    next_one = make_appointment(chair=first.chair, nurse=first.nurse, day=DAY, at="12:00", minutes=60)
    Appointment.objects.filter(pk=first.pk).update(state=State.IN_PROGRESS, started_at=center.at("08:30"))
    now = center.at("11:30")
    plan = reseat_day(site=center.site, day=DAY, now=now, longer={first.pk: center.at("12:45")})
    assert [(c.appointment, c.chair) for c in plan.changes if c.changes_chair] == [(next_one, second.chair)]
    assert plan.unseated == ()
    plan = reseat_day(site=center.site, day=DAY, now=center.at("12:15"), longer={first.pk: center.at("12:45")})
    assert plan.unseated == (next_one,)  # it should have begun: nobody moves it unasked
