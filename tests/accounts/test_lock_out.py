"""Too many failed sign-ins: nothing is looked at for a while, the person is told, a manager can lift it."""

import datetime as dt

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.test import Client

from infusion_center.audit.models import AuditEvent
from tests.accounts.conftest import MORNING
from tests.factories.accounts import PASSWORD, force_login, make_staff

pytestmark = pytest.mark.django_db
WAIT = "Too many tries. Wait 15 minutes, or ask a manager to unlock you."


@pytest.fixture(autouse=True)
def clock(settings):
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "30/15m/ip,5/15m/key"}
    cache.clear()
    with time_machine.travel(MORNING, tick=True) as traveller:
        yield traveller
    cache.clear()


def try_to_sign_in(user, password="wrong", address="203.0.113.1") -> bool:
    """A moment after the one before: allauth takes back a try that succeeded by its time."""
    client = Client(REMOTE_ADDR=address)
    client.post("/accounts/login/", {"login": user.email, "password": password})
    return "_auth_user_id" in client.session


def locked_out() -> list[str]:
    return list(AuditEvent.objects.filter(action="staff.locked_out").values_list("target_id", flat=True))


def fail(user, times: int) -> None:
    for number in range(times):
        try_to_sign_in(user, address=f"203.0.113.{number}")


def test_after_five_failures_not_even_the_right_password_is_looked_at(nurse_user):
    fail(nurse_user, 4)
    assert try_to_sign_in(nurse_user, PASSWORD)
    fail(nurse_user, 1)
    assert not try_to_sign_in(nurse_user, PASSWORD)


def test_the_person_is_told_once_and_it_is_kept(nurse_user):
    fail(nurse_user, 8)
    assert locked_out() == [nurse_user.public_id]
    assert [(message.to, message.subject) for message in mail.outbox] == [
        ([nurse_user.email], "Your staff account was locked for a while")
    ]
    assert "15 minutes" in mail.outbox[0].body


def test_time_opens_it_again(nurse_user, clock):
    fail(nurse_user, 6)
    clock.shift(dt.timedelta(minutes=15, seconds=1))
    assert try_to_sign_in(nurse_user, PASSWORD)


def told_on(page, field: str = "__all__") -> list[str]:
    return list(page.context["form"].errors[field])


def test_the_page_says_how_long_and_who_helps(nurse_user):
    fail(nurse_user, 5)
    page = Client().post("/accounts/login/", {"login": nurse_user.email, "password": PASSWORD})
    assert told_on(page) == [WAIT]


def test_a_new_password_by_mail_opens_it_too(nurse_user):
    """Who reads the person's mail is the person; codes are counted by themselves and stay shut."""
    fail(nurse_user, 5)
    Client().post("/accounts/password/reset/", {"email": nurse_user.email})
    link = next(word for word in mail.outbox[-1].body.split() if word.startswith("http"))
    browser = Client()
    page = browser.get("/" + link.split("/", 3)[3], follow=True)
    browser.post(page.redirect_chain[-1][0], {"password1": "quiet green lantern", "password2": "quiet green lantern"})
    assert try_to_sign_in(nurse_user, "quiet green lantern", address="203.0.113.20")


def test_the_page_for_a_new_password_is_no_place_to_guess_the_old_one(nurse_user, clock):
    client, told = Client(REMOTE_ADDR="203.0.113.9"), []
    force_login(client, nurse_user)
    for typed in [*["wrong"] * 5, PASSWORD]:
        new = {"oldpassword": typed, "password1": "quiet green lantern", "password2": "quiet green lantern"}
        told.append(told_on(client.post("/accounts/password/change/", new), "oldpassword"))
        clock.shift(dt.timedelta(minutes=1))  # past the page's own limit
    assert told == [["This is not your current password."]] * 5 + [[WAIT]]
    nurse_user.refresh_from_db()
    assert nurse_user.check_password(PASSWORD)
    kept = AuditEvent.objects.filter(target_id=nurse_user.public_id).order_by("id")
    assert list(kept.values_list("action", flat=True)) == ["staff.sign_in_failed"] * 5 + ["staff.locked_out"]


def test_a_manager_opens_it_at_once(nurse_user, client_for):
    fail(nurse_user, 6)
    client = client_for("manager")
    page = client.get(f"/staff/{nurse_user.public_id}/").content.decode()
    assert "Locked out after too many tries" in page
    client.post(f"/staff/{nurse_user.public_id}/unlock/")
    assert try_to_sign_in(nurse_user, PASSWORD)
    assert AuditEvent.objects.filter(action="staff.unlocked", target_id=nurse_user.public_id).count() == 1


def test_lifting_it_gives_the_address_of_the_manager_no_new_tries(site, client_for, clock):
    people = [make_staff(site=site) for _ in range(7)]
    for person in people[:6]:
        for _ in range(5):
            try_to_sign_in(person, address="127.0.0.1")  # where the manager's browser is too
    clock.shift(dt.timedelta(minutes=2))  # past how often anybody may sign in from there
    client_for("manager").post(f"/staff/{people[0].public_id}/unlock/")
    assert not try_to_sign_in(people[6], PASSWORD, address="127.0.0.1")
    assert try_to_sign_in(people[0], PASSWORD)


def test_others_sign_in_meanwhile(nurse_user, manager):
    fail(nurse_user, 6)
    assert try_to_sign_in(manager, PASSWORD)


def test_one_address_cannot_try_many_accounts(site):
    people = [make_staff(site=site) for _ in range(7)]
    for person in people[:6]:
        for _ in range(5):
            try_to_sign_in(person)
    assert not try_to_sign_in(people[6], PASSWORD)
    assert try_to_sign_in(people[6], PASSWORD, address="203.0.113.2")
    assert locked_out() == []


def test_an_address_that_nobody_has_is_told_nothing_and_answers_the_same(nurse_user):
    answers = []
    for email in (nurse_user.email, "nobody@example.org"):
        for _ in range(6):
            page = Client().post("/accounts/login/", {"login": email, "password": "wrong"})
        answers.append([error for field in page.context["form"].errors.values() for error in field])
    assert answers[0] == answers[1]
    assert len(mail.outbox) == 1
