"""The demo seed: what a newcomer finds."""

from collections import Counter

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from infusion_center.accounts.models import User
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.demo import DEMO_LOGINS, DEMO_PASSWORD
from infusions.doses.models import DoseRecord, VialUsed
from infusions.doses.reaction_models import Reaction
from infusions.facility.models import Chair, Nurse, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.cover import uncovered_visits
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment
from infusions.stock.models import StockMovement
from infusions.stock.queries import stock_violations
from patients.models import Patient

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker):
    """Built once; the tests below only look."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("seed_demo", verbosity=0)
        yield
        transaction.set_rollback(True)


def test_demo_has_the_promised_size(demo):
    counts = (Chair.objects.count(), Nurse.objects.filter(visits_homes=False).count(), Patient.objects.count())
    assert counts == (12, 5, 60)
    assert Nurse.objects.filter(visits_homes=True).count() == 2


def test_demo_logins_work(demo):
    people = User.objects.filter(email__in=DEMO_LOGINS.values())
    assert [person.check_password(DEMO_PASSWORD) for person in people] == [True] * len(DEMO_LOGINS)


def test_demo_tells_of_every_kind_of_day(demo):
    orders = Counter(InfusionOrder.objects.values_list("status", flat=True))
    states = set(Appointment.objects.values_list("state", flat=True))
    assert orders["draft"] >= 1
    assert {"completed", "stopped_early", "no_show", "expected", "confirmed", "cancelled"} <= states
    assert Reaction.objects.count() >= 3
    assert set(DoseRecord.objects.filter(signed_at=None).values_list("state", flat=True)) <= {
        "preparing", "infusing", "paused", "observing", "ended"
    }  # fmt: skip


def test_demo_leaves_a_nurse_ill_and_her_visits_to_re_seat(demo):
    site = Site.objects.get()
    uncovered = uncovered_visits(site, clock.now())
    assert 1 <= len(uncovered) <= 8
    ill = {one.appointment.nurse for one in uncovered if one.problems[0].code == "no-shift"}
    assert (len(ill), AuditEvent.objects.filter(action="shift.called_out").count()) == (1, 1)


def test_demo_claims_match_its_visits(demo):
    assert claim_violations() == []


def test_demo_gives_vials_from_its_stock(demo):
    assert stock_violations() == []
    assert not VialUsed.objects.filter(stock_item=None).exists()
    assert {"received", "to_room", "used", "quarantined", "discarded"} <= set(
        StockMovement.objects.values_list("kind", flat=True)
    )


def test_seed_demo_refuses_a_database_with_people(demo):
    with pytest.raises(CommandError, match="empty one only"):
        call_command("seed_demo", verbosity=0)
