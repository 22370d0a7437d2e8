"""Gives the demo's managers and pharmacists a second factor that everybody can read: never beside real people."""

import time

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth

from infusion_center.accounts.models import User

DEMO_DOMAIN = "@demo.example.org"
DEMO_SECRET = "MAPLESTREETDEMOONLYNOPATIENTSYES"
PERIOD = 30


def give_demo_factors() -> None:
    people = User.objects.filter(
        email__endswith=DEMO_DOMAIN,
        role_grants__role__in=["manager", "pharmacist"],
        role_grants__revoked_at=None,
        authenticator__isnull=True,
    )
    for person in people.distinct():
        auth.TOTP.activate(person, DEMO_SECRET)


def has_demo_factors() -> bool:
    """Whether somebody here signs in with the secret that stands above."""
    rows = Authenticator.objects.filter(type=Authenticator.Type.TOTP, user__email__endswith=DEMO_DOMAIN)
    return any(get_adapter().decrypt(row.data["secret"]) == DEMO_SECRET for row in rows)


def demo_code() -> tuple[str, int]:
    """The code of this half minute, and for how many seconds it still holds."""
    now = int(time.time())
    return auth.format_hotp_value(auth.hotp_value(DEMO_SECRET, now // PERIOD)), PERIOD - now % PERIOD
