"""The bigger demo tiers, at a size that tests can bear: lawful in every row."""

import datetime as dt
from collections import Counter

import pytest
from django.db import transaction

from infusion_center.core import clock
from infusions.demo_tiers import Tier, build_tier
from infusions.facility.models import Chair, Nurse, Site
from infusions.orders.models import InfusionOrder, Signature
from infusions.orders.rules import order_problems
from infusions.orders.signing import is_intact
from infusions.scheduling.housekeeping import let_go_before
from infusions.scheduling.invariants import claim_violations, shared_lanes, unstaffed_visits
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.slots import find_slots
from patients.models import Patient
from patients.queries import search_patients
from patients.site_models import PatientSite

pytestmark = pytest.mark.django_db
TINY = Tier(sites=2, chairs=4, nurses=3, home_nurses=1, patients=90, years=0.06, days_ahead=20)


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    """Built once; the tests below only look."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_tier(TINY, seed=3)
        transaction.set_rollback(True)


def test_a_tier_has_the_promised_size(built):
    counts = (Site.objects.count(), Chair.objects.count(), Nurse.objects.count(), Patient.objects.count())
    assert counts == (2, 8, 8, 180)
    assert Appointment.objects.count() == built.visits


def test_each_patient_belongs_to_the_site_that_treats_him(built):
    belongs = set(PatientSite.objects.values_list("patient", "site"))
    assert belongs == set(Appointment.objects.values_list("patient", "site")) | belongs
    assert PatientSite.objects.count() == Patient.objects.count()


def test_a_tier_breaks_no_invariant(built):
    assert claim_violations() == []
    assert shared_lanes() == []
    assert unstaffed_visits() == []


def test_a_tier_claims_for_what_is_ahead_and_not_for_what_is_long_over(built):
    let_go = let_go_before(clock.now())
    claimed = set(Claim.objects.values_list("appointment_id", flat=True))
    assert claimed == set(Appointment.objects.filter(end__gte=let_go).values_list("pk", flat=True))
    assert Appointment.objects.filter(end__lt=let_go).exists()


def test_a_tier_keeps_intervals_and_orders(built):
    days: dict = {}
    for visit in Appointment.objects.select_related("order").order_by("start", "pk"):
        day = dt.date.fromisoformat(visit.local_start[:10])
        assert visit.order.starts_on <= day <= visit.order.valid_until
        if visit.patient_id in days:
            assert (day - days[visit.patient_id]).days >= visit.order.interval_days - visit.order.tolerance_days
        days[visit.patient_id] = day


def test_a_tiers_orders_could_have_been_signed(built):
    problems = Counter(
        problem.code
        for order in InfusionOrder.objects.signed().filter(valid_until__gte=built.today).order_by("pk")[:40]
        for problem in order_problems(order)
        if problem.severity == "blocker"
    )
    assert problems == Counter()
    assert all(is_intact(signature) for signature in Signature.objects.all())


def test_a_tiers_patients_are_found_and_booked(built):
    order = InfusionOrder.objects.signed().filter(patient__appointments__isnull=False).order_by("pk").first()
    assert order.patient in search_patients(order.patient.mrn)
    visit = Appointment.objects.filter(order__status="signed", setting="facility").order_by("-start").first()
    assert find_slots(visit.order, setting="facility", site=visit.site).window is not None


def test_a_tiers_sites_lie_in_zones_of_their_own(built):
    zones = list(Site.objects.order_by("pk").values_list("time_zone", flat=True))
    assert zones == ["America/New_York", "America/Chicago"]
    assert {visit.local_start[14:] for visit in Appointment.objects.all()} <= {"00", "15", "30", "45"}
