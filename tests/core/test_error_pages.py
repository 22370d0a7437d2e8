"""What people see when something is refused, missing or broken: our words, and where to go on."""

import pytest
from django.test import Client

from infusion_center.core.error_views import server_error

pytestmark = pytest.mark.django_db


def test_a_missing_page_is_told_without_signing_in():
    page = Client().get("/no/such/page/")
    assert (page.status_code, "This page does not exist" in page.content.decode()) == (404, True)


def test_a_refusal_says_that_the_role_does_not_open_it(client_for):
    page = client_for("nurse").get("/staff/")
    assert (page.status_code, "Your role does not open this page" in page.content.decode()) == (403, True)


def test_a_stale_form_says_what_was_kept_and_what_to_do(nurse_user):
    client = Client(enforce_csrf_checks=True)
    page = client.post("/accounts/login/", {"login": nurse_user.email, "password": "x"})
    assert (page.status_code, "so nothing was saved" in page.content.decode()) == (403, True)


def test_a_fault_of_ours_says_that_nothing_was_saved(rf):
    page = server_error(rf.get("/"))
    assert (page.status_code, "Something went wrong on our side" in page.content.decode()) == (500, True)


@pytest.mark.parametrize("address", ["/orders/a%00b/slots/", "/board/?day=a%00b", "/board/?a%00b=1"])
def test_a_nul_is_refused_before_the_database_sees_it(client_for, address):
    assert client_for("scheduler").get(address).status_code == 400


def test_a_nul_in_a_form_is_refused(client_for):
    assert client_for("scheduler").post("/site/choose/", {"site": "a\x00b"}).status_code == 400
