import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility.chair_services import (
    add_chair,
    amend_chair,
    move_chair,
    put_chair_back,
    reinstate_chair,
    retire_chair,
    take_chair_out,
)
from infusions.facility.models import Chair, ChairOutage
from infusions.facility.queries import active_chairs
from tests.factories.facility import make_chair
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def written():
    rows = Chair.objects.order_by("pk").values("name", "kind", "position", "is_active")
    return list(rows), list(ChairOutage.objects.order_by("pk").values()), AuditEvent.objects.count()


def refusal(service, **kwargs):
    before = written()
    with pytest.raises(RuleViolation) as refused:
        service(**kwargs)
    assert written() == before
    return refused.value.codes


def test_add_chair_puts_it_last(site, manager):
    first = add_chair(site=site, name=" Window ", by=manager)
    second = add_chair(site=site, name="Door", kind="bed", by=manager)
    assert [(chair.name, chair.kind, chair.position) for chair in (first, second)] == [
        ("Window", "recliner", 0),
        ("Door", "bed", 1),
    ]
    assert actions() == ["chair.added", "chair.added"]


@pytest.mark.parametrize(("name", "kind"), [("", "recliner"), ("Taken", "recliner"), ("New", "sofa")])
def test_add_chair_refuses_what_cannot_be(site, manager, name, kind):
    make_chair(site=site, name="Taken")
    assert refusal(add_chair, site=site, name=name, kind=kind, by=manager) == {"invalid"}


def test_amend_chair_changes_name_and_kind(site, manager):
    chair = amend_chair(chair=make_chair(site=site), name="Garden", kind="private_room", by=manager)
    chair.refresh_from_db()
    assert (chair.name, chair.kind, actions()) == ("Garden", "private_room", ["chair.amended"])


def test_move_chair_swaps_places_past_retired_ones(site, manager):
    first, retired, third = make_chair(site=site), make_chair(site=site, is_active=False), make_chair(site=site)
    move_chair(chair=third, up=True, by=manager)
    assert list(active_chairs(site)) == [third, first]
    move_chair(chair=third, up=False, by=manager)
    assert list(active_chairs(site)) == [first, third]
    retired.refresh_from_db()
    assert not retired.is_active


@pytest.mark.parametrize("up", [True, False])
def test_move_chair_at_the_edge_changes_nothing(site, manager, up):
    make_chair(site=site, is_active=False)
    chair = make_chair(site=site)
    before = written()
    move_chair(chair=chair, up=up, by=manager)
    assert written() == before


def test_take_chair_out_and_put_it_back(site, manager):
    chair, now = make_chair(site=site), clock.now()
    outage = take_chair_out(chair=chair, starts_at=now - HOUR, reason="Pump", by=manager)
    put_chair_back(outage=outage, by=manager, now=now)
    outage.refresh_from_db()
    assert (outage.ends_at, actions()) == (now, ["chair.taken_out", "chair.put_back"])
    put_chair_back(outage=outage, by=manager, now=now + HOUR)
    assert actions() == ["chair.taken_out", "chair.put_back"]


def test_an_outage_that_has_not_begun_is_called_off(site, manager):
    now = clock.now()
    outage = take_chair_out(chair=make_chair(site=site), starts_at=now + HOUR, reason="Pump", by=manager)
    put_chair_back(outage=outage, by=manager, now=now)
    assert ChairOutage.objects.count() == 0


def test_take_chair_out_refuses_what_cannot_be(site, manager):
    chair, now = make_chair(site=site), clock.now()
    backwards = {"starts_at": now, "ends_at": now, "reason": "Pump"}
    assert refusal(take_chair_out, chair=chair, by=manager, **backwards) == {"outage-backwards"}
    assert refusal(take_chair_out, chair=chair, by=manager, starts_at=now, reason=" ") == {"invalid"}


def test_take_chair_out_refuses_an_overlap(site, manager):
    chair, now = make_chair(site=site), clock.now()
    take_chair_out(chair=chair, starts_at=now, ends_at=now + HOUR, reason="Pump", by=manager)
    again = {"starts_at": now + HOUR / 2, "reason": "Light"}
    assert refusal(take_chair_out, chair=chair, by=manager, **again) == {"outage-overlaps"}
    take_chair_out(chair=chair, starts_at=now + HOUR, reason="Light", by=manager)


def test_take_chair_out_under_booked_visits_needs_a_reason(site, manager):
    visit = make_appointment(site=site)
    make_appointment(site=site, chair=visit.chair, day=visit.start.date(), at="15:00", state="cancelled")
    out = {"chair": visit.chair, "starts_at": visit.start + HOUR, "ends_at": visit.end, "reason": "Pump"}
    assert refusal(take_chair_out, by=manager, **out) == {"visits-uncovered"}
    take_chair_out(by=manager, override_reason="Patient sits elsewhere", **out)
    assert AuditEvent.objects.get().detail == {"overridden": ["visits-uncovered"]}


def test_an_outage_beside_booked_visits_needs_none(site, manager):
    visit = make_appointment(site=site)
    take_chair_out(chair=visit.chair, starts_at=clock.now(), ends_at=visit.start, reason="Until the visit", by=manager)
    take_chair_out(chair=visit.chair, starts_at=visit.end, reason="After it", by=manager)
    assert ChairOutage.objects.count() == 2


def test_retire_chair_needs_a_reason_under_booked_visits_and_can_be_undone(site, manager):
    chair = make_appointment(site=site).chair
    assert refusal(retire_chair, chair=chair, by=manager) == {"visits-uncovered"}
    retire_chair(chair=chair, by=manager, override_reason="Broken for good")
    assert list(active_chairs(site)) == []
    reinstate_chair(chair=chair, by=manager)
    assert (list(active_chairs(site)), actions()) == ([chair], ["chair.retired", "chair.reinstated"])
