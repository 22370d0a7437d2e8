"""Who must have a second factor does nothing without; secrets are sealed, the last one stays, managers reset it."""

import datetime as dt
from io import StringIO

import pytest
import time_machine
from allauth.core import context as allauth_context
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth
from allauth.mfa.webauthn.internal.auth import begin_authentication, begin_registration
from cryptography.fernet import Fernet
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from infusion_center.accounts import second_factor, services
from infusion_center.audit.models import AuditEvent
from tests.accounts.conftest import MORNING
from tests.factories.accounts import PASSWORD, force_login, make_staff, sign_in

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SET_UP = "/accounts/second-factor/"


@pytest.fixture(autouse=True)
def required(settings):
    settings.MFA_REQUIRED_ROLES = ["manager", "pharmacist"]


@pytest.fixture(autouse=True)
def clock():
    cache.clear()  # used codes
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


def code() -> str:
    counter = next(iter(auth.yield_hotp_counters_from_time()))
    return auth.format_hotp_value(auth.hotp_value(SECRET, counter))


def with_app(user):
    auth.TOTP.activate(user, SECRET)
    return user


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def first_step(client, user):
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})


def test_without_one_only_its_set_up_the_emergency_card_and_signing_out_open(client, manager):
    sign_in(client, manager)
    opened = {path: client.get(path).status_code for path in (SET_UP, f"{SET_UP}app/add/", "/emergency/")}
    assert opened == {SET_UP: 200, f"{SET_UP}app/add/": 200, "/emergency/": 200}
    paths = ["/staff/", "/patients/", "/accounts/sessions/", "/accounts/password/change/"]
    closed = [client.get(path) for path in paths]
    assert [answer["Location"] for answer in closed] == [SET_UP] * 4
    parts = [client.get("/patients/", headers=by) for by in ({"HX-Request": "true"}, {"Sec-Fetch-Mode": "cors"})]
    assert [(part.status_code, part.content) for part in parts] == [(204, b"")] * 2
    assert client.post("/patients/", headers={"HX-Request": "true"}).status_code == 403
    assert client.post("/accounts/logout/").status_code == 302


def test_others_are_not_asked(client, nurse_user):
    sign_in(client, nurse_user)
    assert client.get("/patients/").status_code == 200


def test_a_stricter_setting_holds_for_open_sessions_too(client, nurse_user, settings):
    sign_in(client, nurse_user)
    assert client.get("/patients/").status_code == 200
    settings.MFA_REQUIRED_ROLES = ["manager", "pharmacist", "nurse"]
    assert client.get("/patients/")["Location"] == SET_UP


def test_all_means_all(client, nurse_user, settings):
    settings.MFA_REQUIRED_ROLES = ["all"]
    sign_in(client, nurse_user)
    assert client.get("/patients/")["Location"] == SET_UP


def test_the_admin_pages_are_no_way_around(client, settings):
    chief = make_staff(role="nurse")
    chief.is_superuser = True
    chief.save()
    sign_in(client, chief)
    assert client.get("/admin/accounts/user/")["Location"] == SET_UP
    with_app(chief)
    assert client.get("/admin/accounts/user/").status_code == 200


def test_setting_up_the_app_opens_the_rest_and_shows_recovery_codes_once(client, manager):
    sign_in(client, manager)
    page = client.get(f"{SET_UP}app/add/")
    secret = page.context["form"].secret
    counter = next(iter(auth.yield_hotp_counters_from_time()))
    done = client.post(f"{SET_UP}app/add/", {"code": auth.format_hotp_value(auth.hotp_value(secret, counter))})
    assert done["Location"] == f"{SET_UP}recovery-codes/"
    codes = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).generate_codes()
    shown, again = (client.get(f"{SET_UP}recovery-codes/").content.decode() for _ in range(2))
    assert ([each in shown for each in codes], [each in again for each in codes]) == ([True] * 10, [False] * 10)
    assert client.get("/staff/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_setting_up_is_told_by_mail_and_kept(client, manager):
    sign_in(client, manager)
    secret = client.get(f"{SET_UP}app/add/").context["form"].secret
    counter = next(iter(auth.yield_hotp_counters_from_time()))
    client.post(f"{SET_UP}app/add/", {"code": auth.format_hotp_value(auth.hotp_value(secret, counter))})
    assert actions() == ["staff.signed_in", "staff.factor_added"]
    assert [message.to for message in mail.outbox] == [[manager.email]]
    assert secret not in mail.outbox[0].body


def test_secrets_lie_sealed_in_the_tables(manager):
    with_app(manager)
    RecoveryCodes.activate(manager)
    rows = Authenticator.objects.values_list("data", flat=True)
    assert SECRET not in str(list(rows))
    assert [next(iter(row.values())).startswith("gAAAA") for row in rows] == [True, True]


def test_keys_rotate_without_anybody_noticing(manager, settings):
    row = with_app(manager) and Authenticator.objects.get()
    old, new = settings.FIELD_KEYS, Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, *old]
    call_command("rotate_field_keys", verbosity=0, stdout=StringIO())
    settings.FIELD_KEYS = [new]
    row.refresh_from_db()
    assert second_factor.factors_of(manager).get().wrap().validate_code(code())


def test_signing_in_takes_password_and_code(client, manager):
    with_app(manager)
    assert first_step(client, manager)["Location"] == f"{SET_UP}code/"
    assert client.get("/patients/")["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session
    assert client.post(f"{SET_UP}code/", {"code": code()})["Location"] == "/"
    assert client.get("/staff/new/").status_code == 200  # and is proof for what follows


def test_a_wrong_code_is_refused_and_kept(client, manager):
    with_app(manager)
    first_step(client, manager)
    page = client.post(f"{SET_UP}code/", {"code": "000000"})
    assert "This code is not right." in page.content.decode()
    assert ("_auth_user_id" in client.session, actions()) == (False, ["staff.code_refused"])


def test_a_code_works_once(client, manager):
    with_app(manager)
    first_step(client, manager)
    client.post(f"{SET_UP}code/", {"code": code()})
    other = Client()
    first_step(other, manager)
    assert other.post(f"{SET_UP}code/", {"code": code()}).status_code == 200
    assert "_auth_user_id" not in other.session


def test_a_recovery_code_works_once(client, manager):
    with_app(manager)
    spare = RecoveryCodes.activate(manager).generate_codes()[3]
    outcomes = []
    for _ in range(2):
        browser = Client()
        first_step(browser, manager)
        browser.post(f"{SET_UP}code/", {"code": spare})
        outcomes.append("_auth_user_id" in browser.session)
    assert outcomes == [True, False]


def test_a_new_password_by_mail_does_not_go_around_it(client, manager):
    with_app(manager)
    client.post("/accounts/password/reset/", {"email": manager.email})
    link = next(word for word in mail.outbox[0].body.split() if word.startswith("http"))
    page = client.get("/" + link.split("/", 3)[3], follow=True)
    typed = {"password1": "quiet green lantern", "password2": "quiet green lantern"}
    client.post(page.redirect_chain[-1][0], typed)
    assert "_auth_user_id" not in client.session
    client.post("/accounts/login/", {"login": manager.email, "password": "quiet green lantern"})
    assert "_auth_user_id" not in client.session


def test_the_last_one_stays_with_who_must_have_one(client, manager, nurse_user):
    for user, left in ((manager, 1), (nurse_user, 0)):
        browser = Client()
        force_login(browser, with_app(user))
        browser.post(f"{SET_UP}app/remove/")
        assert second_factor.factors_of(user).count() == left


def test_a_passkey_that_is_the_last_one_stays_too(client, manager):
    row = Authenticator.objects.create(user=manager, type="webauthn", data={"name": "Key", "credential": {}})
    force_login(client, manager)
    assert client.post(f"{SET_UP}passkeys/{row.pk}/remove/")["Location"] == SET_UP
    assert Authenticator.objects.filter(pk=row.pk).exists()


def test_a_passkey_is_asked_for_finger_or_pin_each_time(manager, rf):
    request = rf.get("/")
    request.session = {}
    with allauth_context.request_context(request):
        asked = begin_authentication(manager)["publicKey"]
        offered = begin_registration(manager, passwordless=False)["publicKey"]
    assert (asked["userVerification"], offered["authenticatorSelection"]["userVerification"]) == ("required",) * 2


def test_nobody_removes_a_passkey_of_another(client, manager, nurse_user):
    row = Authenticator.objects.create(user=nurse_user, type="webauthn", data={"name": "Key", "credential": {}})
    force_login(client, with_app(manager))
    assert client.post(f"{SET_UP}passkeys/{row.pk}/remove/").status_code == 404
    assert Authenticator.objects.filter(pk=row.pk).exists()


def test_a_manager_resets_that_of_a_colleague(client, manager, pharmacist):
    elsewhere = Client()
    force_login(elsewhere, with_app(pharmacist))
    RecoveryCodes.activate(pharmacist)
    force_login(client, with_app(manager))
    client.post(f"/staff/{pharmacist.public_id}/reset-factors/")
    assert list(Authenticator.objects.values_list("user", flat=True)) == [manager.pk]
    assert elsewhere.get("/patients/")["Location"].startswith("/accounts/login/")
    assert (actions(), [message.to for message in mail.outbox]) == (["staff.factors_reset"], [[pharmacist.email]])


def test_not_his_own_and_not_without_proof(client, clock, manager, pharmacist):
    with_app(pharmacist)
    force_login(client, with_app(manager))
    client.post(f"/staff/{manager.public_id}/reset-factors/")
    unproven = Client()
    force_login(unproven, manager, proven=False)
    assert unproven.post(f"/staff/{pharmacist.public_id}/reset-factors/").status_code == 403
    assert (Authenticator.objects.count(), actions()) == (2, ["access.denied"])


def test_a_new_role_gives_the_open_session_a_new_key_and_asks(client, manager, nurse_user):
    sign_in(client, nurse_user)
    assert client.get("/patients/").status_code == 200
    before = client.session.session_key
    services.set_roles(user=nurse_user, roles=["pharmacist"], by=manager)
    assert client.get("/patients/")["Location"] == SET_UP
    assert client.session.session_key != before
    assert not nurse_user.open_sessions.filter(session_key=before).exists()


def test_who_has_one_is_asked_for_once_a_session(client, manager):
    force_login(client, with_app(manager))
    client.get("/patients/")
    with CaptureQueriesContext(connection) as asked:
        client.get("/patients/")
    assert [query["sql"] for query in asked if "mfa_authenticator" in query["sql"]] == []


def test_codes_are_counted_like_passwords(client, manager, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "5/15m/key"}
    with_app(manager)
    first_step(client, manager)
    for _ in range(6):
        page = client.post(f"{SET_UP}code/", {"code": "000000"})
    assert "Too many tries" in page.content.decode()
    assert actions() == ["staff.code_refused"] * 5 + ["staff.locked_out"]
    client.post(f"{SET_UP}code/", {"code": code()})
    assert "_auth_user_id" not in client.session
    time_later = MORNING + dt.timedelta(minutes=16)
    with time_machine.travel(time_later, tick=False):
        fresh = Client()
        first_step(fresh, manager)
        fresh.post(f"{SET_UP}code/", {"code": code()})
        assert "_auth_user_id" in fresh.session


def test_a_code_that_comes_too_late_is_carried_and_nothing_of_it_kept_in_the_session(client, clock, manager):
    sign_in(client, manager)
    client.get(f"{SET_UP}app/add/")
    clock.shift(dt.timedelta(minutes=6))
    page = client.post(f"{SET_UP}app/add/", {"code": "123456"})
    assert (page.status_code, page.context["carried"]) == (403, [("code", "123456")])
    kept = str(dict(client.session))
    assert [word for word in ("123456", client.session.session_key) if word in kept] == []
