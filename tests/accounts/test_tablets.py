"""Shared tablets: a device becomes one, is revoked, and lets people back in by PIN."""

import datetime as dt

import pytest
from django.test import Client

from infusion_center.accounts import services
from infusion_center.accounts.models import SharedTablet, TabletSignIn
from infusion_center.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, PIN, client_at_tablet, make_staff, make_tablet, sign_in

pytestmark = pytest.mark.django_db


def person_at(at_tablet) -> str:
    return at_tablet.session.get("_auth_user_id", "")


def unlock(at_tablet, user, pin=PIN, **more):
    return at_tablet.post("/lock/unlock/", {"person": user.public_id, "pin": pin} | more)


def lock_events():
    events = AuditEvent.objects.filter(action__startswith="tablet.").order_by("id")
    return [(event.action, event.actor_name) for event in events]


def test_a_nurse_makes_the_device_a_shared_tablet_and_her_password_of_this_morning_counts(morning, nurse_user):
    at_tablet = Client()
    sign_in(at_tablet, nurse_user)
    morning.shift(dt.timedelta(hours=1))
    response = at_tablet.post("/tablets/enroll/", {"name": "Bay window", "proof-password": PASSWORD})
    cookie, tablet = response.cookies["tablet"], SharedTablet.objects.get()
    assert (cookie["httponly"], cookie["samesite"], response.url) == (True, "Lax", "/accounts/pin/")
    assert cookie.value not in str(tablet.__dict__)
    rows = TabletSignIn.objects.values_list("tablet", "user", "password_at")
    assert list(rows) == [(tablet.pk, nurse_user.pk, dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC))]
    assert lock_events() == [("tablet.enrolled", nurse_user.full_name)]
    assert at_tablet.get("/tablet/").status_code == 200


def test_a_device_is_enrolled_once(at_tablet, tablet):
    at_tablet.post("/tablets/enroll/", {"name": "Again"})
    assert list(SharedTablet.objects.all()) == [tablet]


def test_a_revoked_tablet_signs_out_whoever_is_there_and_opens_to_no_pin(at_tablet, tablet, ann, client_for, manager):
    client_for("manager").post(f"/tablets/{tablet.public_id}/revoke/")
    assert at_tablet.get("/tablet/").url.startswith("/accounts/login/")
    assert (person_at(at_tablet), at_tablet.get("/lock/").url) == ("", "/")
    assert unlock(at_tablet, ann).status_code == 404
    tablet.refresh_from_db()
    assert (tablet.revoked_by, TabletSignIn.objects.count()) == (manager, 0)


def test_a_session_of_a_tablet_is_worth_nothing_without_the_tablets_cookie(at_tablet):
    at_tablet.post("/lock/now/")
    del at_tablet.cookies["tablet"]
    assert at_tablet.get("/tablet/").url.startswith("/accounts/login/")
    assert person_at(at_tablet) == ""


def test_the_same_person_comes_back_to_her_page_and_keeps_her_session(at_tablet, ann):
    session = at_tablet.session.session_key
    at_tablet.post("/lock/now/")
    assert unlock(at_tablet, ann, next="/patients/?q=x").url == "/patients/?q=x"
    assert (at_tablet.session.session_key, person_at(at_tablet)) == (session, str(ann.pk))
    assert lock_events() == [("tablet.locked", "Ann Able"), ("tablet.unlocked", "Ann Able")]


def test_another_person_gets_a_session_of_her_own_and_begins_at_her_patients(at_tablet, bea):
    at_tablet.post("/lock/now/")
    session = at_tablet.session.session_key
    assert unlock(at_tablet, bea, next="/patients/?q=x").url == "/tablet/"
    assert person_at(at_tablet) == str(bea.pk)
    assert at_tablet.session.session_key != session
    assert lock_events() == [("tablet.locked", "Ann Able"), ("tablet.switched", "Bea Baker")]


def test_the_chosen_site_stays_when_the_person_changes(at_tablet, site, bea):
    at_tablet.post("/site/choose/", {"site": site.public_id})
    unlock(at_tablet, bea)
    assert at_tablet.session["site"] == site.public_id


def test_the_tiles_are_the_people_of_today_the_present_one_first(at_tablet, bea, site):
    make_staff(site=site, full_name="Aaron Elsewhere")
    assert [row.user.full_name for row in at_tablet.get("/lock/").context["people"]] == ["Ann Able", "Bea Baker"]
    unlock(at_tablet, bea)
    assert [row.user.full_name for row in at_tablet.get("/lock/").context["people"]] == ["Bea Baker", "Ann Able"]


def test_five_wrong_pins_need_the_password_and_the_password_ends_that(at_tablet, ann):
    at_tablet.post("/lock/now/")
    answers = [unlock(at_tablet, ann, "135791").context["problems"] for _ in range(5)]
    assert [answer[0] for answer in answers] == [
        "The PIN is wrong. 4 tries left.",
        "The PIN is wrong. 3 tries left.",
        "The PIN is wrong. 2 tries left.",
        "The PIN is wrong. 1 try left.",
        "The PIN is wrong. Now the password is needed.",
    ]
    assert unlock(at_tablet, ann).status_code == 422
    assert at_tablet.get("/tablet/").url == "/lock/?next=%2Ftablet%2F"
    at_tablet.post("/lock/other/")
    sign_in(at_tablet, ann)
    at_tablet.post("/lock/now/")
    assert unlock(at_tablet, ann).url == "/tablet/"


def test_the_right_pin_takes_back_the_wrong_ones(at_tablet, tablet, ann):
    unlock(at_tablet, ann, "135791")
    unlock(at_tablet, ann)
    assert TabletSignIn.objects.get(tablet=tablet, user=ann).wrong_pins == 0


def test_a_pin_opens_nothing_twelve_hours_after_the_password(at_tablet, ann, morning):
    morning.shift(dt.timedelta(hours=11, minutes=59))
    assert unlock(at_tablet, ann).url == "/tablet/"
    morning.shift(dt.timedelta(minutes=1))
    assert at_tablet.get("/tablet/").url == "/lock/?next=%2Ftablet%2F"
    assert unlock(at_tablet, ann).context["problems"] == ["Choose who you are."]
    assert at_tablet.get("/tablet/").status_code == 302


def test_a_pin_opens_nothing_at_a_tablet_without_a_password_there_today(tablet, ann, site):
    make_tablet(by=ann, name="Tablet 2", key="another key")
    at_tablet = client_at_tablet("another key")
    assert unlock(at_tablet, ann).status_code == 422
    assert person_at(at_tablet) == ""


@pytest.mark.parametrize("gone", ["sign out", "deactivated", "new password"])
def test_a_pin_opens_nothing_after_going_home_losing_the_account_or_a_new_password(at_tablet, ann, bea, manager, gone):
    if gone == "sign out":
        at_tablet.post("/accounts/logout/")
    elif gone == "deactivated":
        services.deactivate_staff(user=ann, by=manager)
    else:
        services.set_password(user=ann, password="quiet green lantern")
    assert unlock(at_tablet, ann).status_code == 422
    assert person_at(at_tablet) in ("", str(ann.pk))
    assert [row.user for row in at_tablet.get("/lock/").context["people"]] == [bea]


def test_somebody_else_leads_to_the_full_sign_in_and_back_by_pin(at_tablet, ann):
    assert at_tablet.post("/lock/other/").url == "/accounts/login/"
    assert (person_at(at_tablet), "Use your PIN" in at_tablet.get("/accounts/login/").content.decode()) == ("", True)
    assert unlock(at_tablet, ann).url == "/tablet/"


def test_who_has_no_pin_is_asked_for_one_at_the_first_sign_in(tablet, site):
    at_tablet, newcomer = client_at_tablet(), make_staff(site=site)
    response = at_tablet.post("/accounts/login/", {"login": newcomer.email, "password": "correct horse battery"})
    assert response.url == "/accounts/pin/"
    assert unlock(at_tablet, newcomer).context["problems"] == [
        f"{newcomer} has no PIN yet. Sign in with the password, then set one."
    ]


def test_managers_see_all_tablets(client_for, tablet):
    assert list(client_for("manager").get("/tablets/").context["tablets"]) == [tablet]
