"""Sessions at a desk end by the server's clock, are listed, and can be ended; what pages and cookies promise."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from infusion_center.accounts import services
from infusion_center.audit.models import AuditEvent
from tests.accounts.conftest import MORNING
from tests.factories.accounts import (
    PASSWORD,
    PIN,
    client_at_tablet,
    force_login,
    make_pin,
    make_tablet,
    sign_in,
)

pytestmark = pytest.mark.django_db
POLL = {"HX-Request": "true", "HX-Current-URL": "http://testserver/board/?day=2026-11-23"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"


@pytest.fixture(autouse=True)
def clock(settings):
    settings.DESK_IDLE_MINUTES = 15
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def desk(manager):
    client = Client(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="203.0.113.7")
    sign_in(client, manager)
    return client


def is_open(client) -> bool:
    return "_auth_user_id" in client.session


def ended() -> list[dict]:
    return list(AuditEvent.objects.filter(action="staff.session_ended").values_list("detail", flat=True))


def test_a_desk_left_alone_ends_and_leads_back(desk, clock):
    clock.shift(dt.timedelta(minutes=15))
    assert desk.get("/staff/").status_code == 200
    clock.shift(dt.timedelta(minutes=16, seconds=1))
    answer = desk.get("/staff/?q=ann")
    assert (answer.url, is_open(desk)) == ("/accounts/login/?next=%2Fstaff%2F%3Fq%3Dann", False)
    assert ended() == [{"why": "left alone"}]


def test_what_a_page_asks_by_itself_is_nobody_being_there(desk, clock):
    for _ in range(5):
        clock.shift(dt.timedelta(minutes=3, seconds=20))
        answer = desk.get("/patients/", headers=POLL)
    assert (answer.status_code, answer.content) == (401, b"Signed out, as nobody was here.")
    assert desk.post("/lock/here/", headers={"Sec-Fetch-Mode": "cors"}).status_code == 401
    assert desk.post("/patients/", headers=POLL)["HX-Redirect"] == (
        "/accounts/login/?next=%2Fboard%2F%3Fday%3D2026-11-23"
    )
    assert not is_open(desk)


def test_hands_that_only_type_are_reported_and_count(desk, clock):
    for _ in range(3):
        clock.shift(dt.timedelta(minutes=14))
        assert desk.post("/lock/here/").status_code == 204
    assert desk.get("/staff/").status_code == 200


def test_a_form_sent_after_a_long_while_is_carried_past_the_password(desk, clock, nurse_user, site):
    typed = {"full_name": "Nadia Now", "roles": ["nurse"], "sites": [str(site.pk)]}
    clock.shift(dt.timedelta(minutes=40))
    page = desk.post(f"/staff/{nurse_user.public_id}/", typed | {"password1": "secret"})
    carried = [("full_name", "Nadia Now"), ("roles", "nurse"), ("sites", str(site.pk))]
    assert (page.status_code, page.context["carried"]) == (403, carried)
    nurse_user.refresh_from_db()
    assert nurse_user.full_name != "Nadia Now"
    desk.post(f"/staff/{nurse_user.public_id}/", typed | {"proof-password": PASSWORD})
    nurse_user.refresh_from_db()
    assert nurse_user.full_name == "Nadia Now"
    assert desk.get("/staff/").status_code == 200


def test_twelve_hours_after_the_password_it_ends_whatever_was_done(desk, clock):
    for _ in range(71):
        clock.shift(dt.timedelta(minutes=10))
        desk.post("/lock/here/")
    assert desk.get("/staff/").status_code == 200
    clock.shift(dt.timedelta(minutes=10))
    assert (desk.get("/staff/").status_code, is_open(desk), ended()) == (302, False, [{"why": "twelve hours"}])


def test_without_an_idle_time_the_twelve_hours_stay(desk, clock, settings):
    settings.DESK_IDLE_MINUTES = 0
    clock.shift(dt.timedelta(hours=11, minutes=59))
    session = desk.session
    session["site"] = "chosen just now"  # which writes the row, so that it does not fade by itself
    session.save()
    assert desk.get("/staff/").status_code == 200
    clock.shift(dt.timedelta(minutes=1))
    assert (desk.get("/staff/").status_code, is_open(desk), ended()) == (302, False, [{"why": "twelve hours"}])


def test_a_session_that_knows_of_no_password_ends(manager):
    client = Client()
    client.force_login(manager)
    assert (client.get("/staff/").status_code, is_open(client)) == (302, False)


def test_the_emergency_card_opens_all_the_same(desk, clock):
    clock.shift(dt.timedelta(hours=1))
    assert desk.get("/emergency/").status_code == 200


def test_shared_tablets_keep_their_own_lock(tablet, ann, morning):
    client = client_at_tablet()
    sign_in(client, ann)
    morning.shift(dt.timedelta(hours=1))
    assert client.get("/patients/").url.startswith("/lock/")


def test_the_list_tells_where_and_which_is_this_one_and_no_key(desk, manager, clock):
    clock.shift(dt.timedelta(minutes=2))
    other = Client(headers={"User-Agent": IPAD}, REMOTE_ADDR="203.0.113.8")
    sign_in(other, manager)
    page = desk.get("/accounts/sessions/")
    shown = [(place.browser, place.address, place.is_here) for place in page.context["places"]]
    assert shown == [
        ("Firefox on Linux", "203.0.113.7", True),
        ("Safari on iPad", "203.0.113.8", False),
    ]
    assert [
        key for key in manager.open_sessions.values_list("session_key", flat=True) if key in page.content.decode()
    ] == []


def test_one_is_ended_and_only_ones_own(desk, manager, nurse_user):
    other, hers = Client(), Client()
    sign_in(other, manager)
    sign_in(hers, nurse_user)
    handles = {row.session_key: row.handle for user in (manager, nurse_user) for row in user.open_sessions.all()}
    assert desk.post(f"/accounts/sessions/{handles[hers.session.session_key]}/end/").status_code == 404
    assert desk.post(f"/accounts/sessions/{handles[desk.session.session_key]}/end/").status_code == 404
    desk.post(f"/accounts/sessions/{handles[other.session.session_key]}/end/")
    assert [client.get("/patients/").status_code for client in (desk, other, hers)] == [200, 302, 200]


def test_what_is_ended_at_a_shared_tablet_comes_back_by_no_pin(tablet, desk, manager):
    make_pin(manager)
    there = client_at_tablet()
    sign_in(there, manager)
    other = make_tablet(by=manager, name="Tablet 2", key="another key")
    sign_in(client_at_tablet("another key"), manager)
    row = next(row for row in manager.open_sessions.all() if row.session_key == there.session.session_key)
    desk.post(f"/accounts/sessions/{row.handle}/end/")
    there.cookies.pop("sessionid")
    there.post("/lock/unlock/", {"person": manager.public_id, "pin": PIN})
    assert (is_open(there), list(manager.tablet_sign_ins.values_list("tablet", flat=True))) == (False, [other.pk])


def test_a_new_password_ends_all_others_and_goes_on_here(desk, manager, nurse_user):
    elsewhere, hers = Client(), Client()
    sign_in(elsewhere, manager)
    sign_in(hers, nurse_user)
    new = "quiet green lantern"
    typed = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert desk.post("/accounts/password/change/", typed).status_code == 302
    page = desk.get("/accounts/sessions/")
    assert [place.is_here for place in page.context["places"]] == [True]
    assert [client.get("/patients/").status_code for client in (desk, elsewhere, hers)] == [200, 302, 200]


def test_a_new_password_by_mail_ends_all(desk, manager):
    services.set_password(user=manager, password="quiet green lantern")
    assert (manager.open_sessions.count(), desk.get("/patients/").status_code) == (0, 302)


def test_all_others_are_ended(desk, manager, nurse_user):
    others, hers = [Client(), Client()], Client()
    for client in others:
        sign_in(client, manager)
    sign_in(hers, nurse_user)
    desk.post("/accounts/sessions/others/end/")
    assert [client.get("/patients/").status_code for client in (desk, *others, hers)] == [200, 302, 302, 200]
    event = AuditEvent.objects.get(action="staff.sessions_ended")
    assert (event.target_id, event.detail) == (manager.public_id, {"count": 2})


def test_a_manager_ends_those_of_a_colleague_and_nobody_else_does(desk, nurse_user, client_for):
    hers = Client()
    sign_in(hers, nurse_user)
    assert client_for("scheduler").post(f"/staff/{nurse_user.public_id}/end-sessions/").status_code == 403
    assert hers.get("/patients/").status_code == 200
    desk.post(f"/staff/{nurse_user.public_id}/end-sessions/")
    assert hers.get("/patients/").status_code == 302


def test_switching_off_an_account_ends_all(desk, manager, nurse_user):
    clients = [Client(), Client()]
    for client in clients:
        sign_in(client, nurse_user)
    services.deactivate_staff(user=nurse_user, by=manager)
    assert (nurse_user.open_sessions.count(), [client.get("/patients/").status_code for client in clients]) == (
        0,
        [302] * 2,
    )


def test_signing_in_takes_no_session_that_somebody_laid_out(manager):
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["laid"] = "out"
    session.save()
    client.cookies["sessionid"] = laid_out = session.session_key
    sign_in(client, manager)
    assert client.session.session_key != laid_out
    assert not type(client.session)(laid_out).exists(laid_out)


def test_signing_out_clears_the_session_and_what_the_browser_kept(desk):
    key = desk.session.session_key
    answer = desk.post("/accounts/logout/")
    assert answer["Clear-Site-Data"] == '"cache"'
    desk.cookies["sessionid"] = key
    assert desk.get("/patients/").url.startswith("/accounts/login/")


def test_getting_the_sign_out_page_signs_nobody_out(desk):
    assert (desk.get("/accounts/logout/").status_code, is_open(desk)) == (200, True)


def test_cookies_are_for_the_server_only_and_this_site_only(client, manager, settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    answer = client.post("/accounts/login/", {"login": manager.email, "password": PASSWORD})
    session, csrf = answer.cookies["sessionid"], answer.cookies["csrftoken"]
    assert (session["httponly"], session["secure"], session["samesite"]) == (True, True, "Lax")
    assert (csrf["secure"], csrf["samesite"]) == (True, "Lax")


@pytest.mark.parametrize("path", ["/accounts/sessions/", "/accounts/second-factor/", "/accounts/reauthenticate/"])
def test_pages_are_kept_by_no_browser(desk, path):
    assert "no-store" in desk.get(path)["Cache-Control"]


@pytest.mark.parametrize("elsewhere", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_signing_in_leads_to_no_other_place(client, nurse_user, elsewhere):
    answer = client.post("/accounts/login/", {"login": nurse_user.email, "password": PASSWORD, "next": elsewhere})
    assert answer.url == "/"


SIGN_IN_PAGES = [
    *("login", "logout", "reauthenticate", "password/change", "password/reset", "pin", "sessions/others/end"),
    *("sessions/x/end", "second-factor/code", "second-factor/again", "second-factor/app/add"),
    *("second-factor/app/remove", "second-factor/recovery-codes/new", "second-factor/passkeys/add"),
    *("second-factor/passkeys/again", "second-factor/passkeys/sign-in", "second-factor/passkeys/1/remove"),
]


@pytest.mark.parametrize("page", SIGN_IN_PAGES)
def test_every_form_of_signing_in_needs_its_token(manager, page):
    client = Client(enforce_csrf_checks=True)
    force_login(client, manager)
    assert client.post(f"/accounts/{page}/", {"login": manager.email, "password": PASSWORD}).status_code == 403
