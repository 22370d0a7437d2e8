"""Sign-in, sign-out and password reset through the pages, and what the trail keeps of them."""

import re

import pytest
from django.core import mail
from django.test import Client

from infusion_center.accounts import services
from infusion_center.audit.models import AuditEvent
from tests.factories.accounts import force_login, make_staff

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def actions():
    return [(event.action, event.actor_name) for event in AuditEvent.objects.order_by("id")]


def sign_in(client, email, password=PASSWORD):
    return client.post("/accounts/login/", {"login": email, "password": password})


def test_sign_in_and_out_are_recorded(client):
    person = make_staff(role="nurse")
    assert sign_in(client, person.email.upper()).url == "/"
    client.post("/accounts/logout/")
    assert actions() == [("staff.signed_in", person.full_name), ("staff.signed_out", person.full_name)]
    assert "_auth_user_id" not in client.session


def test_wrong_password_is_recorded_against_the_account_and_says_nothing_more(client):
    person = make_staff(role="nurse")
    page = sign_in(client, person.email, "wrong password!")
    event = AuditEvent.objects.get()
    assert (event.action, event.target_id) == ("staff.sign_in_failed", person.public_id)
    assert (event.actor_id, event.detail) == (None, {})
    assert "Email or password is not right." in page.content.decode()


def test_an_unknown_address_is_not_kept(client):
    sign_in(client, "my-secret-password@example.org")
    event = AuditEvent.objects.get()
    assert (event.action, event.target_name, event.target_id) == ("staff.sign_in_failed", "Unknown account", "")
    assert "my-secret" not in str(event.__dict__)


def test_a_deactivated_person_stays_outside(client, manager):
    person = make_staff(role="nurse")
    services.deactivate_staff(user=person, by=manager)
    sign_in(client, person.email)
    assert "_auth_user_id" not in client.session


def test_deactivating_ends_open_sessions(client, manager):
    person = make_staff(role="nurse")
    sign_in(client, person.email)
    services.deactivate_staff(user=person, by=manager)
    assert client.get("/emergency/").status_code == 302


def test_password_reset_by_mail_sets_the_password_and_ends_other_sessions(client):
    person = make_staff(role="nurse")
    elsewhere = Client()
    sign_in(elsewhere, person.email)
    client.post("/accounts/password/reset/", {"email": person.email})
    link = re.search(r"https?://[^/]+(/\S+)", mail.outbox[0].body).group(1)
    form = client.get(link, follow=True)
    done = client.post(
        form.redirect_chain[-1][0], {"password1": "quiet green lantern", "password2": "quiet green lantern"}
    )
    assert done.url == "/accounts/password/reset/key/done/"
    assert elsewhere.get("/emergency/").status_code == 302
    assert sign_in(Client(), person.email, "quiet green lantern").status_code == 302
    assert ("staff.password_set", person.full_name) in actions()
    assert client.get(link, follow=True).content.decode().count("This link no longer works") == 1


def test_an_unknown_address_gets_no_mail_and_the_same_answer(client):
    known = client.post("/accounts/password/reset/", {"email": make_staff(role="nurse").email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert (known.url, len(mail.outbox)) == (unknown.url, 1)


def test_a_short_password_is_refused(client_for, nurse_user):
    page = client_for("nurse").post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    )
    nurse_user.refresh_from_db()
    assert nurse_user.check_password(PASSWORD)
    assert "The password was not changed yet" in page.content.decode()


def test_nobody_signs_up(client):
    assert client.get("/accounts/signup/").status_code in (302, 404)


@pytest.mark.parametrize("path", ["login/", "password/reset/", "password/reset/done/", "inactive/"])
def test_pages_before_sign_in_open_for_everybody(client, path):
    assert client.get(f"/accounts/{path}").status_code == 200


def test_admin_sends_everybody_to_the_one_sign_in_page_and_opens_for_superusers_only(client, client_for):
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    assert client_for("manager").get("/admin/", follow=True).status_code == 403
    chief = make_staff(role="manager")
    chief.is_superuser = True
    chief.save()
    force_login(client, chief)
    assert client.get("/admin/accounts/user/").status_code == 200
    assert client.get("/admin/accounts/user/add/").status_code == 403


def test_the_admin_has_no_password_page_of_its_own(client, manager):
    manager.is_staff = manager.is_superuser = True
    manager.save()
    force_login(client, manager)
    assert client.get("/admin/password_change/")["Location"] == "/accounts/password/change/"
    assert client.post("/admin/password_change/", {"old_password": "x"})["Location"] == "/accounts/password/change/"
