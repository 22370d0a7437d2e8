"""Staff see the patients whom their sites treat: who is linked to which site, and by what."""

import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.scheduling.booking import book_appointment
from infusions.scheduling.waitlist_services import add_to_waitlist, amend_entry
from patients.models import Patient
from patients.services import note_site
from tests.factories.accounts import make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.patients import link_site, make_patient
from tests.factories.scheduling import next_weekday

pytestmark = pytest.mark.django_db


def sites_of(patient) -> list:
    return [link.site for link in patient.site_links.order_by("pk")]


def added() -> list[tuple]:
    events = AuditEvent.objects.filter(action="patient.site_added").order_by("pk")
    return [(event.patient_id, event.site_id, event.detail["why"], event.actor_id) for event in events]


def test_staff_see_each_patient_of_their_sites_once(site, nurse_user):
    other = make_site()
    make_patient(site=other)
    here, at_both = make_patient(site=site), make_patient(site=site)
    link_site(at_both, other)
    assert set(Patient.objects.visible_to(nurse_user)) == {here, at_both}
    nurse_user.site_memberships.create(site=other)
    assert Patient.objects.visible_to(nurse_user).filter(pk=at_both.pk).count() == 1


def test_who_has_no_site_or_no_account_sees_nobody(site, nurse_user):
    make_patient(site=site)
    nurse_user.is_active = False
    for person in (make_staff(), nurse_user, AnonymousUser()):
        assert list(Patient.objects.visible_to(person)) == []


def test_a_site_is_noted_once(site, nurse_user):
    patient, other = make_patient(site=site), make_site()
    wishes = {"patient": patient, "by": nurse_user, "why": "booked"}
    assert [note_site(site=one, **wishes) for one in (site, other, other)] == [False, True, False]
    assert (sites_of(patient), added()) == (
        [site, other],
        [(patient.public_id, other.public_id, "booked", nurse_user.pk)],
    )


def test_a_visit_brings_the_patient_to_its_site(site, scheduler):
    patient, other = make_patient(site=site), make_site()
    scheduler.site_memberships.create(site=other)
    order, day = make_order(patient=patient), next_weekday(other)
    make_shift(nurse=make_nurse(site=other), site=other, day=day)
    start = clock.day_bounds(day, other.time_zone)[0].replace(hour=15)
    book_appointment(order=order, start=start, setting="facility", chair=make_chair(site=other), by=scheduler)
    assert (sites_of(patient), added()) == (
        [site, other],
        [(patient.public_id, other.public_id, "booked", scheduler.pk)],
    )


def test_waiting_for_a_start_brings_the_patient_to_the_site_waited_for(site, scheduler):
    patient, second, third = make_patient(site=site), make_site(), make_site()
    day = clock.now().date()
    wishes = {"setting": "facility", "first_on": day, "last_on": day + dt.timedelta(days=28), "by": scheduler}
    entry = add_to_waitlist(order=make_order(patient=patient), site=second, **wishes)
    amend_entry(entry=entry, version=1, by=scheduler, site=third)
    assert (sites_of(patient), [event[1:3] for event in added()]) == (
        [site, second, third],
        [(second.public_id, "waitlist"), (third.public_id, "waitlist")],
    )
