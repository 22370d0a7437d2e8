"""Runs the booking machine: a short fixed run always, longer and random ones by MACHINE_EXAMPLES and MACHINE_STEPS."""

import datetime as dt
import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from infusion_center.core import clock
from infusions.scheduling import booking
from tests.factories.accounts import make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.infusions.scheduling.conftest import Center
from tests.infusions.scheduling.machine import DAYS, FIRST_NOW
from tests.infusions.scheduling.machine_more import WholeDesk

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "12"))
STEPS = int(os.environ.get("MACHINE_STEPS", "20"))
OFTEN = {"book", "move", "check_in", "begin", "finish"}
IS_LONG = "MACHINE_EXAMPLES" in os.environ
PROFILE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=not IS_LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


@pytest.fixture
def desk(db):
    """Two chairs; two nurses in the house and one on the road; visits of 90 to 210 minutes in a day of seven hours."""
    site = make_site(weekdays=range(7), opens="08:00", closes="15:00")
    nurses = [make_nurse(site=site, visits_homes=number == 2) for number in range(3)]
    for day in DAYS:
        for nurse in nurses:
            setting = "home" if nurse.visits_homes else "facility"
            make_shift(nurse=nurse, site=site, day=day, start="08:00", end="15:00", ratio=2, setting=setting)
    scheduler = make_staff(role="scheduler", site=site)

    class Machine(WholeDesk):
        center = Center(site, [make_chair(site=site) for _ in range(2)], nurses, scheduler)
        orders = make_orders()
        outcomes = Counter()

    return Machine


def make_orders():
    """Six orders of five patients, one of them to be given at home, one with two visits left."""
    with clock.pretend(FIRST_NOW):
        patients = [make_patient() for _ in range(5)]
        often = {"interval_days": 1, "tolerance_days": 0, "starts_on": dt.date(2026, 3, 1)}
        return [
            make_order(patient=patients[0], infusion_minutes=30, **often),
            make_order(patient=patients[0], infusion_minutes=60, **often),
            make_order(patient=patients[1], infusion_minutes=90, **often),
            make_order(patient=patients[2], infusion_minutes=150, interval_days=7, starts_on=dt.date(2026, 3, 1)),
            make_order(patient=patients[3], infusion_minutes=45, visits_authorized=2, **often),
            make_order(patient=patients[4], infusion_minutes=45, home_allowed=True, **often),
        ]


def test_whatever_the_desk_does_claims_follow_from_visits_and_no_lane_holds_two(desk):
    run_state_machine_as_test(desk, settings=PROFILE)
    done = {act for act, outcome in desk.outcomes if outcome == "done"}
    if os.environ.get("MACHINE_TELL"):
        print(sorted(desk.outcomes.items()), sum(desk.outcomes.values()))  # noqa: T201  asked for
    assert done >= OFTEN, "steps that never once succeeded prove nothing"


def test_the_machine_finds_a_move_that_keeps_what_it_had_claimed(desk, monkeypatch):
    """The proof of the proof: broken on purpose, it fails."""
    claim = booking.claim

    def claim_less(appointment):
        claim(appointment)
        if appointment.version > 1:
            appointment.claims.order_by("pk").last().delete()

    monkeypatch.setattr(booking, "claim", claim_less)
    found_fast = settings(PROFILE, phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises(AssertionError, match="claims_follow_from_the_visits"):
        run_state_machine_as_test(desk, settings=found_fast)
