"""Staff for tests."""

from itertools import count

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY as METHODS_OF,
)
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as METHODS
from django.test import Client

from infusion_center.accounts.lock_session import PASSWORD_AT
from infusion_center.accounts.middleware import COOKIE
from infusion_center.accounts.models import QuickPin, RoleGrant, SharedTablet, User
from infusion_center.accounts.pins import hash_of
from infusion_center.accounts.roles import Role
from infusion_center.accounts.tablet_services import hash_of_key
from infusion_center.core import clock
from infusions.facility.models import Site, SiteMembership

numbers = count(1)


def make_staff(*, role: Role = Role.NURSE, site: Site | None = None, full_name: str = "", email: str = "") -> User:
    number = next(numbers)
    user = User(
        email=email or f"{role}{number}@example.org", full_name=full_name or f"{Role(role).label} Number{number}"
    )
    user.set_password("correct horse battery")
    user.save()
    RoleGrant.objects.create(user=user, role=role, granted_at=clock.now())
    if site is not None:
        SiteMembership.objects.create(site=site, user=user)
    return user


PASSWORD, PIN, KEY = "correct horse battery", "246810", "the key in the tablet's cookie"


def make_tablet(*, by: User, name: str = "Tablet 1", key: str = KEY) -> SharedTablet:
    return SharedTablet.objects.create(name=name, key_hash=hash_of_key(key), enrolled_by=by)


def make_pin(user: User, pin: str = PIN) -> QuickPin:
    return QuickPin.objects.create(user=user, secret_hash=hash_of(user, pin), set_at=clock.now())


def client_at_tablet(key: str = KEY, **options) -> Client:
    """The browser of a shared tablet, nobody signed in yet."""
    client = Client(**options)
    client.cookies[COOKIE] = key
    return client


ALWAYS_JUST_NOW = 2**33  # after every clock that a test sets


def force_login(client: Client, user: User, *, proven: bool = True) -> None:
    """Signed in without a page; `proven`: and the password given a moment ago, however far the test's clock travels."""
    client.force_login(user)
    session = client.session
    session[PASSWORD_AT] = ALWAYS_JUST_NOW  # so that the twelve hours after it never pass
    if proven:
        session[METHODS] = [{"method": "password", "at": ALWAYS_JUST_NOW, "reauthenticated": True}]
        session[METHODS_OF] = str(user.pk)
    session.save()


def sign_in(client: Client, user: User) -> None:
    """By the page, with the full password."""
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(user.pk)
