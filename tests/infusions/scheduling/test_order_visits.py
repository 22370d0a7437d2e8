import datetime as dt

import pytest

from infusion_center.core.rules import RuleViolation
from infusions.orders.models import InfusionOrder, OrderEvent, OrderStatus
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment, Series
from infusions.scheduling.order_visits import VisitsDecision, end_order, reattach_visits
from infusions.scheduling.series_services import SeriesRefused, book_series
from infusions.scheduling.states import State
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.series_support import TUESDAY, monthly_order, plan, staffed_center
from tests.infusions.scheduling.support import everything_written

pytestmark = pytest.mark.django_db


@pytest.fixture
def center(db):
    return staffed_center()


@pytest.fixture
def visits(center):
    order = monthly_order()
    lines = plan(center, order, first_on=TUESDAY, count=3, weekday=1, local_time=dt.time(9)).lines
    book_series(order=order, lines=lines, by=center.scheduler, site=center.site, setting="facility")
    return list(order.appointments.order_by("start"))


def successor(visits, **fields):
    return monthly_order(patient=visits[0].patient, **fields)


def everything():
    return everything_written(), list(Series.objects.values()), list(InfusionOrder.objects.order_by("pk").values())


def refused(call, **arguments):
    before = everything(), OrderEvent.objects.count()
    with pytest.raises(RuleViolation) as refusal:
        call(**arguments)
    assert (everything(), OrderEvent.objects.count()) == before
    assert claim_violations() == []
    return refusal.value


def states(visits):
    return list(
        Appointment.objects.filter(pk__in=[one.pk for one in visits]).order_by("start").values_list("state", flat=True)
    )


@pytest.mark.parametrize(
    ("ending", "decision", "status", "state"),
    [
        ("stop", VisitsDecision.KEEP, OrderStatus.STOPPED, State.EXPECTED),
        ("stop", VisitsDecision.CANCEL, OrderStatus.STOPPED, State.CANCELLED),
        ("hold", VisitsDecision.KEEP, OrderStatus.HELD, State.EXPECTED),
        ("hold", VisitsDecision.CANCEL, OrderStatus.HELD, State.CANCELLED),
    ],
)
def test_an_order_ends_with_what_was_decided_about_its_visits(center, visits, ending, decision, status, state):
    order = end_order(
        order=visits[0].order, ending=ending, reason="Grade 3 reaction", by=center.scheduler, decision=decision
    )
    assert (order.status, states(visits)) == (status, [state] * 3)
    assert claim_violations() == []


def test_visits_go_to_another_order_in_the_same_transaction_as_the_stop(center, visits):
    new = successor(visits)
    end_order(order=visits[0].order, ending="stop", reason="New dose", by=center.scheduler, decision="move", other=new)
    moved = list(new.appointments.order_by("start"))
    assert [(one.pk, one.start, one.chair, one.version) for one in moved] == [
        (one.pk, one.start, one.chair, 1) for one in visits
    ]
    assert {one.series.order for one in moved} == {new}


def test_a_stop_is_refused_with_its_visits_where_one_does_not_fit_the_other_order(center, visits):
    short = successor(visits, valid_until=TUESDAY + dt.timedelta(days=40))
    call = {
        "order": visits[0].order,
        "ending": "stop",
        "reason": "New dose",
        "by": center.scheduler,
        "decision": "move",
    }
    violation = refused(end_order, other=short, **call)
    assert isinstance(violation, SeriesRefused)
    assert {number: [one.code for one in found] for number, found in violation.by_line.items()} == {
        3: ["order-expired"]
    }
    assert refused(end_order, **call).codes == {"no-other-order"}
    stale = {one.public_id: 1 for one in visits[:2]}
    assert refused(end_order, other=short, versions=stale, **call).codes == {"changed-meanwhile"}


def test_a_visit_that_takes_longer_by_the_new_order_is_seated_anew_at_its_start(center, visits):
    blocked, other = visits[0].chair, next(one for one in center.chairs if one != visits[0].chair)
    make_appointment(chair=blocked, nurse=center.nurses[1], start=visits[0].end, minutes=60)
    new = successor(visits, infusion_minutes=240)
    reattach_visits(appointments=visits[:1], order=new, by=center.scheduler)
    moved = Appointment.objects.get(pk=visits[0].pk)
    assert (moved.order, moved.start, moved.minutes, moved.chair) == (new, visits[0].start, 300, other)
    assert claim_violations() == []


def test_a_visit_that_cannot_take_longer_keeps_its_order(center, visits):
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(chair=chair, nurse=nurse, start=visits[1].end, minutes=60)
    new = successor(visits, infusion_minutes=240)
    violation = refused(reattach_visits, appointments=visits, order=new, by=center.scheduler)
    assert {number: [one.code for one in found] for number, found in violation.by_line.items()} == {
        2: ["chairs-taken", "nurse-hands-busy"]
    }


def test_the_patient_who_waits_today_is_given_the_new_order_past_his_start(center, visits):
    Appointment.objects.filter(pk=visits[0].pk).update(state=State.ARRIVED, arrived_at=visits[0].start)
    new = successor(visits)
    waiting = Appointment.objects.get(pk=visits[0].pk)
    reattach_visits(
        appointments=[waiting], order=new, by=center.scheduler, now=waiting.start + dt.timedelta(minutes=40)
    )
    moved = Appointment.objects.get(pk=visits[0].pk)
    assert (moved.order, moved.state, moved.start) == (new, State.ARRIVED, visits[0].start)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"state": State.IN_PROGRESS}, "wrong-state"), ({"patient": "other"}, "another-patient")],
)
def test_a_visit_of_another_patient_or_one_begun_is_not_taken(center, visits, change, code):
    new = successor(visits)
    if "state" in change:
        Appointment.objects.filter(pk=visits[0].pk).update(state=State.IN_PROGRESS)
    else:
        new = monthly_order(patient=make_patient())
    assert refused(reattach_visits, appointments=visits[:1], order=new, by=center.scheduler).codes == {code}
