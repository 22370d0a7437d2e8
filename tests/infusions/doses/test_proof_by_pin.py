"""Signing and the second check at a shared tablet by PIN; elsewhere and for anybody else by password."""

import pytest
from django.urls import reverse

from infusion_center.accounts.models import TabletSignIn
from infusion_center.accounts.tablet_services import note_password
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.doses.models import DoseState
from infusions.doses.services import prepare_dose
from tests.factories.accounts import PASSWORD, PIN, client_at_tablet, make_pin, make_staff, make_tablet, sign_in
from tests.factories.doses import make_dose_record, make_vial
from tests.factories.facility import make_nurse

pytestmark = pytest.mark.django_db


@pytest.fixture
def tablet(nurse_user, colleague):
    """Both nurses gave their password at it this morning."""
    tablet = make_tablet(by=nurse_user)
    for person in (nurse_user, colleague):
        make_pin(person)
        note_password(tablet=tablet, user=person, now=clock.now())
    return tablet


@pytest.fixture
def client(tablet, nurse_user):
    client = client_at_tablet()
    sign_in(client, nurse_user)
    return client


@pytest.fixture
def ended(make_visit, nurse_user, site):
    visit = make_visit(nurse=make_nurse(user=nurse_user, site=site))
    return make_dose_record(visit, state=DoseState.ENDED, by=nurse_user)


@pytest.fixture
def prepared(visit, nurse_user):
    record = prepare_dose(appointment=visit, by=nurse_user)
    for grams in ("20", "10"):
        make_vial(record, grams=grams, by=nurse_user)
    return record


def post(client, name, record, **typed):
    return client.post(reverse(f"doses:{name}", args=[record.appointment.public_id]), typed)


@pytest.mark.parametrize("secret", [PIN, PASSWORD])
def test_the_own_pin_or_password_signs(client, ended, nurse_user, secret):
    post(client, "dose-sign", ended, password=secret, notes="")
    ended.refresh_from_db()
    assert (ended.state, ended.signed_by) == (DoseState.SIGNED, nurse_user)


def test_a_wrong_pin_signs_nothing_and_counts(client, ended, tablet, nurse_user):
    page = post(client, "dose-sign", ended, password="135791", notes="")
    ended.refresh_from_db()
    assert (ended.state, ended.signed_by) == (DoseState.ENDED, None)
    assert page.context["forms"]["sign"].errors == {"password": ["The PIN is wrong. 4 tries left."]}
    assert TabletSignIn.objects.get(tablet=tablet, user=nurse_user).wrong_pins == 1
    assert AuditEvent.objects.get(action="tablet.pin_refused").detail == {
        "purpose": "signing a dose record",
        "why": "wrong",
    }


def test_elsewhere_a_pin_signs_nothing(client_for, ended, tablet):
    post(client_for("nurse"), "dose-sign", ended, password=PIN, notes="")
    ended.refresh_from_db()
    assert ended.state == DoseState.ENDED


def test_a_colleague_at_the_tablet_checks_by_her_pin(client, prepared, colleague):
    page = client.get(reverse("doses:dose-detail", args=[prepared.appointment.public_id]))
    assert [row.user for row in page.context["tablet_lock"].colleagues] == [colleague]
    post(client, "second-check", prepared, person=colleague.public_id, password=PIN)
    prepared.refresh_from_db()
    assert prepared.second_check_by == colleague


def test_anybody_else_checks_by_email_and_password(client, prepared, pharmacist, colleague):
    post(client, "second-check", prepared, person="", email=colleague.email, password=PASSWORD)
    prepared.refresh_from_db()
    assert prepared.second_check_by == colleague


def test_a_pin_of_somebody_who_gave_no_password_here_checks_nothing(client, prepared, tablet, colleague):
    TabletSignIn.objects.filter(user=colleague).delete()
    page = post(client, "second-check", prepared, email=colleague.email, password=PIN)
    prepared.refresh_from_db()
    assert (prepared.second_check_by, list(page.context["forms"]["second_check"].errors)) == (None, ["password"])


def test_who_checks_must_be_said(client, prepared):
    page = post(client, "second-check", prepared, person="", password=PIN)
    assert page.context["forms"]["second_check"].errors == {"email": ["Say who checks."]}


def test_of_somebody_unknown_at_the_tablet_six_digits_tell_nothing(client, prepared, site):
    stranger = make_staff(site=site, full_name="Never Here")
    make_pin(stranger)
    answers = [
        post(client, "second-check", prepared, email=email, password=PIN).content.decode()
        for email in (stranger.email, "nobody@example.org")
    ]
    said = ["Email and password do not match." in answer and "Never Here" not in answer for answer in answers]
    prepared.refresh_from_db()
    assert (said, prepared.second_check_by) == ([True, True], None)
    assert AuditEvent.objects.filter(action="staff.proof_refused", detail__why="wrong").count() == 2
