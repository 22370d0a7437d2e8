"""What an emergency search shows makes no lasting access; that a further site treats a patient is told at once."""

import datetime as dt

import pytest
from django.core import mail

from infusion_center.accounts.roles import Role
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from patients.emergency_services import (
    close_emergency_access,
    extend_emergency_access,
    find_for_emergency,
    open_emergency_access,
)
from patients.services import note_site, treat_here
from patients.site_mail import SUBJECT
from tests.factories.accounts import make_staff
from tests.factories.emergency import WORDS
from tests.factories.facility import make_site
from tests.factories.patients import link_site, make_patient

pytestmark = pytest.mark.django_db
BORN = dt.date(1961, 3, 12)
WHY = {"kind": "danger", "reason": WORDS}


@pytest.fixture
def far_site(site):
    return make_site()


@pytest.fixture
def patient(far_site):
    return make_patient(site=far_site, family_name="Unmistakable", mrn="FAR-77", date_of_birth=BORN, kg=None)


def add(patient, site, by):
    return treat_here(mrn=patient.mrn, date_of_birth=BORN, family_name=patient.family_name, site=site, by=by)


def is_refused(patient, site, by) -> bool:
    with pytest.raises(RuleViolation) as refused:
        add(patient, site, by)
    return refused.value.codes == {"found-by-emergency"} and not patient.site_links.filter(site=site).exists()


def refusals() -> list[tuple]:
    events = AuditEvent.objects.filter(action="patient.treat_here_refused").order_by("id")
    return [(event.actor_id, event.patient_id, event.site_id, event.detail) for event in events]


def test_who_found_the_patient_by_an_emergency_search_adds_him_nowhere(patient, site, nurse_user):
    find_for_emergency(by=nurse_user, mrn=patient.mrn)
    assert is_refused(patient, site, nurse_user)
    assert refusals() == [(nurse_user.pk, patient.public_id, site.public_id, {"why": "found-by-emergency"})]


def test_neither_after_the_access_was_closed(patient, site, nurse_user):
    access = open_emergency_access(patient=patient, by=nurse_user, **WHY)
    close_emergency_access(access=access, by=nurse_user)
    assert is_refused(patient, site, nurse_user)


def test_a_day_after_the_last_of_it_the_patient_may_come_back(patient, site, nurse_user, time_machine):
    start = clock.now()
    time_machine.move_to(start, tick=False)
    access = open_emergency_access(patient=patient, by=nurse_user, **WHY)
    time_machine.move_to(start + dt.timedelta(minutes=50), tick=False)
    extend_emergency_access(access=access, by=nurse_user, **WHY)
    time_machine.move_to(start + dt.timedelta(hours=24, minutes=49), tick=False)
    assert is_refused(patient, site, nurse_user)
    time_machine.move_to(start + dt.timedelta(hours=24, minutes=51), tick=False)
    assert add(patient, site, nurse_user) == patient


def test_a_colleague_may_and_so_may_who_sees_the_patient_anyway(patient, far_site, site, nurse_user, scheduler):
    find_for_emergency(by=nurse_user, mrn=patient.mrn)
    at_both = make_staff(role=Role.NURSE, site=far_site)
    at_both.site_memberships.create(site=site)
    find_for_emergency(by=at_both, mrn=patient.mrn)
    other = make_site()
    assert [add(patient, site, scheduler), add(patient, other, at_both)] == [patient, patient]
    assert [link.site for link in patient.site_links.order_by("pk")] == [far_site, site, other]


def test_managers_of_the_other_sites_get_a_mail_that_names_no_patient(
    patient, far_site, site, manager, scheduler, django_capture_on_commit_callbacks
):
    third, stranger = make_site(), make_staff(role=Role.MANAGER, site=make_site())
    link_site(patient, third)
    theirs = [make_staff(role=Role.MANAGER, site=one) for one in (far_site, third)]
    make_staff(role=Role.NURSE, site=far_site)
    for _ in range(2):  # the second time nothing is new
        with django_capture_on_commit_callbacks(execute=True):
            add(patient, site, scheduler)
    assert sorted(one.to for one in mail.outbox) == sorted([one.email] for one in theirs)
    assert [one.email in str([m.to for m in mail.outbox]) for one in (manager, stranger)] == [False, False]
    assert {one.subject for one in mail.outbox} == {SUBJECT}
    text = f"{mail.outbox[0].subject} {mail.outbox[0].body}"  # headers hold numbers made up for each mail
    secrets = ("Unmistakable", patient.mrn, patient.public_id, f"{patient.date_of_birth:%d-%b-%Y}", "date of birth")
    assert [word for word in secrets if word in text] == []
    assert (str(site) in text, "/audit/?action" in text) == (True, True)


def test_other_ways_to_a_further_site_send_no_mail(patient, site, scheduler, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        note_site(patient=patient, site=site, by=scheduler, why="booked")
    assert mail.outbox == []
