"""The bigger demo tiers: their sizes, their command, and that the same seed tells the same story."""

import pytest
from django.core.management import call_command
from django.db import transaction

from infusions.demo_tiers import TIERS, Tier, build_tier
from infusions.facility.models import Site
from infusions.scheduling.lanes import claims_for
from infusions.scheduling.models import Appointment

pytestmark = pytest.mark.django_db
TINY = Tier(sites=1, chairs=2, nurses=2, home_nurses=1, patients=12, years=0.02, days_ahead=5)


def test_the_same_seed_builds_the_same_days():
    built = []
    for _ in range(2):
        with transaction.atomic():
            build_tier(TINY, seed=7)
            built.append(list(Appointment.objects.order_by("pk").values_list("public_id", "local_start", "end")))
            transaction.set_rollback(True)
    assert built[0] == built[1] != []


def test_the_tiers_have_the_sizes_of_the_design():
    sizes = {name: (tier.sites, tier.sites * tier.chairs, tier.sites * tier.patients) for name, tier in TIERS.items()}
    assert sizes == {"regional": (10, 150, 10_000), "large": (50, 1_000, 50_000)}


def test_seed_demo_builds_a_tier_by_its_name(monkeypatch):
    monkeypatch.setitem(TIERS, "regional", TINY)
    call_command("seed_demo", tier="regional", years=0.01, verbosity=0)
    assert Site.objects.get().time_zone == "America/New_York"
    visit = Appointment.objects.order_by("start", "pk").last()
    assert visit.claims.count() == len(claims_for(visit))
