"""Managers are told of an emergency access at once; a mail server that is away does not keep the chart shut."""

import socket

import pytest
from django.core import mail

from infusion_center.accounts.roles import Role
from patients.emergency_mail import SUBJECT
from patients.emergency_models import EmergencyNotice
from patients.emergency_services import open_emergency_access
from tests.factories.accounts import make_staff
from tests.factories.emergency import WORDS
from tests.factories.facility import make_site
from tests.factories.patients import make_patient

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def far_site(site):
    return make_site()


@pytest.fixture
def patient(far_site):
    return make_patient(site=far_site, family_name="Unmistakable", mrn="FAR-77", kg=None)


@pytest.fixture
def opened(patient, django_capture_on_commit_callbacks):
    def opens(user):
        with django_capture_on_commit_callbacks(execute=True):
            return open_emergency_access(patient=patient, kind="danger", reason=f"{WORDS} Unmistakable", by=user)

    return opens


def notices() -> set:
    return set(EmergencyNotice.objects.values_list("manager__email", "was_sent"))


def test_managers_of_both_sites_get_a_mail_without_the_patients_name(opened, patient, far_site, manager, nurse_user):
    theirs = make_staff(role=Role.MANAGER, site=far_site)
    make_staff(role=Role.MANAGER, site=make_site())
    access = opened(nurse_user)
    assert sorted(one.to for one in mail.outbox) == sorted([[manager.email], [theirs.email]])
    assert notices() == {(manager.email, True), (theirs.email, True)}
    text = mail.outbox[0].body
    assert (mail.outbox[0].subject, f"/emergency-accesses/{access.public_id}/" in text) == (SUBJECT, True)
    secret = ("Unmistakable", patient.mrn, patient.public_id, WORDS)
    assert [word for word in secret if word in str(mail.outbox[0].message())] == []


def test_a_manager_is_not_told_of_himself(opened, manager):
    someone = make_staff(role=Role.MANAGER, site=make_site())
    opened(manager)
    assert [one.to for one in mail.outbox] == [[someone.email]]  # nobody nearer is there: all managers


def test_a_mail_server_that_is_away_is_noted_and_opens_the_chart_all_the_same(opened, manager, nurse_user, settings):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = taken.getsockname()
        access = opened(nurse_user)
    assert access.is_open(access.opened_at)
    assert notices() == {(manager.email, False)}
