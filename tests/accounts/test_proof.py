"""What must be the person's own doing asks for the password again, and loses nothing by asking."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from infusion_center.accounts.models import User
from infusion_center.audit.models import AuditEvent
from tests.accounts.conftest import MORNING
from tests.factories.accounts import PASSWORD, client_at_tablet, make_pin, make_staff, sign_in
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db
NEW = "/staff/new/"
ASKS = "/accounts/reauthenticate/?next="


@pytest.fixture
def clock():
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def at_desk(clock, manager):
    """The manager's browser, signed in by the page six minutes ago."""
    client = Client()
    sign_in(client, manager)
    clock.shift(dt.timedelta(minutes=6))
    return client


def new_person(site) -> dict:
    return {"full_name": "Nora New", "email": "nora@example.org", "roles": ["nurse"], "sites": [str(site.pk)]}


def carried_by(page) -> dict:
    return {name: [v for n, v in page.context["carried"] if n == name] for name, _ in page.context["carried"]}


def test_a_fresh_sign_in_is_proof_for_five_minutes(clock, manager):
    client = Client()
    sign_in(client, manager)
    clock.shift(dt.timedelta(minutes=4, seconds=59))
    assert client.get(NEW).status_code == 200
    clock.shift(dt.timedelta(seconds=2))
    assert client.get(NEW).url == f"{ASKS}%2Fstaff%2Fnew%2F"


def test_the_right_password_leads_back_and_a_wrong_one_does_not(at_desk):
    asking = at_desk.get(f"{NEW}?from=here").url
    refused = at_desk.post(asking, {"password": "wrong", "next": f"{NEW}?from=here"})
    assert (refused.status_code, at_desk.get(NEW).status_code) == (200, 302)
    assert "This is not your password." in refused.content.decode()
    assert at_desk.post(asking, {"password": PASSWORD, "next": f"{NEW}?from=here"}).url == f"{NEW}?from=here"
    assert at_desk.get(NEW).status_code == 200


def test_it_leads_to_no_other_place(at_desk):
    answer = at_desk.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "https://elsewhere.example/"})
    assert answer.url == "/"


def test_a_form_that_was_sent_too_late_is_carried_and_saved_with_the_password(at_desk, site):
    typed = new_person(site)
    page = at_desk.post(NEW, typed)
    wanted = {name: value if isinstance(value, list) else [value] for name, value in typed.items()}
    assert (page.status_code, carried_by(page)) == (403, wanted)
    assert not User.objects.filter(email="nora@example.org").exists()
    assert "nora" not in str(dict(at_desk.session))
    page = at_desk.post(NEW, typed | {"proof-password": "wrong"})
    assert (page.status_code, carried_by(page)) == (403, wanted)
    assert not User.objects.filter(email="nora@example.org").exists()
    assert at_desk.post(NEW, typed | {"proof-password": PASSWORD}).url == "/staff/"
    assert User.objects.get(email="nora@example.org").roles == {"nurse"}


def test_a_wrong_password_is_kept_in_the_trail(at_desk, site, manager):
    at_desk.post(NEW, new_person(site) | {"proof-password": "wrong"})
    told = AuditEvent.objects.exclude(action="access.denied").order_by("-id").values_list("action", "target_id")
    assert told[0] == ("staff.sign_in_failed", manager.public_id)


def test_what_htmx_asks_is_asked_of_the_whole_page(at_desk):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/staff/?q=a"}
    assert at_desk.get(NEW, headers=headers)["HX-Redirect"] == f"{ASKS}%2Fstaff%2F%3Fq%3Da"


def test_a_download_says_that_it_comes_and_where_from(at_desk):
    asking = at_desk.get("/reports/visits.csv?from=2026-03-16", headers={"Referer": "http://testserver/reports/"}).url
    following = at_desk.get(asking).context["redirect_field_value"]
    page = at_desk.get(at_desk.post(asking, {"password": PASSWORD, "next": following}).url)
    assert (page.context["next"], page.context["back"]) == ("/reports/visits.csv?from=2026-03-16", "/reports/")
    assert at_desk.get(page.context["next"]).headers["Content-Disposition"].startswith("attachment")


def test_the_page_of_a_download_leads_to_no_other_place(at_desk):
    page = at_desk.get("/accounts/reauthenticate/download/?next=//elsewhere.example/&back=javascript:alert(1)")
    assert (page.context["next"], page.context["back"]) == ("/", "/")


@pytest.mark.parametrize(
    ("role", "address"),
    [
        ("manager", "/staff/{person}/"),
        ("manager", "/staff/{person}/deactivate/"),
        ("manager", "/tablets/enroll/"),
        ("manager", "/reports/visits.csv"),
        ("manager", "/reports/reactions.csv"),
        ("manager", "/lots/doses.csv?lot=A1"),
        ("pharmacist", "/formulary/none/sign/"),
    ],
)
def test_pages_that_ask(clock, staff, role, address):
    client = Client()
    sign_in(client, staff[role])
    clock.shift(dt.timedelta(minutes=6))
    assert client.get(address.format(person=staff["nurse"].public_id)).url.startswith("/accounts/reauthenticate/")


def test_an_order_is_signed_with_the_password(clock, pharmacist):
    order, client = make_order(status="draft"), Client()
    sign_in(client, pharmacist)
    clock.shift(dt.timedelta(minutes=6))
    typed = {"version": "1", "read": "on"}
    client.post(f"/orders/{order.public_id}/sign/", typed)
    order.refresh_from_db()
    assert order.status == "draft"
    client.post(f"/orders/{order.public_id}/sign/", typed | {"proof-password": PASSWORD})
    order.refresh_from_db()
    assert order.status == "signed"


def test_a_pin_is_no_proof(tablet, ann, morning, site):
    chief = make_staff(role="manager", site=site)
    make_pin(chief)
    client = client_at_tablet()
    sign_in(client, chief)
    morning.shift(dt.timedelta(minutes=6))
    client.post("/lock/now/")
    client.post("/lock/unlock/", {"person": chief.public_id, "pin": "246810"})
    assert client.get("/staff/").status_code == 200
    assert client.get(NEW).url.startswith("/accounts/reauthenticate/")
