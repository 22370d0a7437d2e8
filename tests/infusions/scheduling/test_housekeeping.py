"""Claims of visits that are over are let go; nobody else's are."""

import datetime as dt

import pytest
from django.core.management import call_command

from infusions.scheduling.housekeeping import trim_claims
from infusions.scheduling.invariants import claim_violations, shared_lanes
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.states import State
from tests.factories.scheduling import make_appointment, write_claims
from tests.infusions.scheduling.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def visit_that_ended(ago: dt.timedelta, state: str, **fields):
    return make_appointment(start=NOW - ago - 4 * HOUR, minutes=240, state=state, **fields)


@pytest.mark.parametrize("state", [State.COMPLETED, State.STOPPED_EARLY, State.NO_SHOW])
def test_visits_over_for_two_days_give_back_their_claims(state):
    over, fresh = visit_that_ended(49 * HOUR, state), visit_that_ended(47 * HOUR, state)
    held = over.claims.count()
    assert trim_claims(now=NOW) == held > 0
    assert set(Claim.objects.values_list("appointment_id", flat=True)) == {fresh.pk}
    assert claim_violations() == []


@pytest.mark.parametrize("state", [State.EXPECTED, State.CONFIRMED, State.ARRIVED, State.IN_PROGRESS])
def test_visits_that_nobody_settled_keep_their_claims(state):
    visit = visit_that_ended(1000 * HOUR, state)
    before = visit.claims.count()
    assert trim_claims(now=NOW) == 0
    assert visit.claims.count() == before > 0


def test_trimming_twice_changes_nothing_more():
    visit_that_ended(80 * HOUR, State.COMPLETED)
    make_appointment(start=NOW + 30 * HOUR)
    trim_claims(now=NOW)
    left = list(Claim.objects.order_by("pk").values())
    assert trim_claims(now=NOW) == 0
    assert list(Claim.objects.order_by("pk").values()) == left


def test_trimming_goes_on_batch_after_batch(monkeypatch):
    monkeypatch.setattr("infusions.scheduling.housekeeping.VISITS_AT_ONCE", 2)
    for number in range(5):
        visit_that_ended((60 + number * 24) * HOUR, State.COMPLETED)
    call_command("trim_claims", verbosity=0)
    assert Claim.objects.count() == 0


def test_claims_missing_from_a_visit_ahead_are_still_found():
    visit = make_appointment(start=NOW + 30 * HOUR, state=State.COMPLETED)
    visit.claims.all().delete()
    assert {violation.kind for violation in claim_violations()} == {"missing"}


def test_a_wrong_claim_of_a_visit_long_over_is_still_found():
    visit = visit_that_ended(80 * HOUR, State.COMPLETED)
    trim_claims(now=NOW)
    Claim.objects.create(lane=3, quarter=5, appointment=visit)
    assert "extra" in {violation.kind for violation in claim_violations()}


def test_visits_over_that_shared_a_lane_are_still_found():
    first = visit_that_ended(80 * HOUR, State.COMPLETED)
    trim_claims(now=NOW)
    second = Appointment.objects.get(pk=first.pk)
    second.pk, second.public_id = None, "xxxxxxxxxxxxxx"
    second.save()
    write_claims(second)
    trim_claims(now=NOW)
    assert claim_violations() == []
    assert {tuple(visits) for *_, visits in shared_lanes()} == {(first.pk, second.pk)}
