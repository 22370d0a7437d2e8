"""Shared tablets and PINs: enrolls, revokes, and lets those back in who gave their password there today."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.db import transaction
from django.db.models import F

from infusion_center.accounts import pins
from infusion_center.accounts.models import MOST_WRONG_PINS, QuickPin, SharedTablet, TabletSignIn, User
from infusion_center.audit import services as audit
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking

PASSWORD_HOLDS = dt.timedelta(hours=12)


def hash_of_key(key: str) -> str:
    """The key is random and long, so a plain hash gives nothing away."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def enroll_tablet(*, name: str, by: User, password_at: dt.datetime | None) -> tuple[SharedTablet, str]:
    """A new shared tablet and its key, which from now on only the cookie of the device holds.

    `password_at` is when the person gave the password in this session: it counts at the tablet too.
    """
    key = secrets.token_urlsafe(32)
    tablet = SharedTablet(name=name.strip(), key_hash=hash_of_key(key), enrolled_by=by)
    tablet.full_clean()
    tablet.save()
    audit.record("tablet.enrolled", tablet, by=by)
    if password_at is not None:
        note_password(tablet=tablet, user=by, now=password_at)
    return tablet, key


@transaction.atomic
def revoke_tablet(*, tablet: SharedTablet, by: User, now: dt.datetime) -> None:
    """The device is an ordinary one again; who is signed in there is signed out by its next request."""
    if SharedTablet.objects.filter(pk=tablet.pk, revoked_at=None).update(revoked_at=now, revoked_by=by):
        TabletSignIn.objects.filter(tablet=tablet).delete()
        audit.record("tablet.revoked", tablet, by=by)


def note_password(*, tablet: SharedTablet, user: User, now: dt.datetime) -> None:
    """The person gave the full password here: for twelve hours the PIN will do."""
    TabletSignIn.objects.update_or_create(tablet=tablet, user=user, defaults={"password_at": now, "wrong_pins": 0})


def forget_passwords(*, user: User, tablet: SharedTablet | None = None) -> None:
    """PINs of the person open nothing any more, here or anywhere, until the password is given again."""
    rows = TabletSignIn.objects.filter(user=user)
    (rows if tablet is None else rows.filter(tablet=tablet)).delete()


@transaction.atomic
def set_pin(*, user: User, pin: str, by: User | None, now: dt.datetime) -> None:
    refuse_if_blocking(pins.pin_problems(pin))
    QuickPin.objects.update_or_create(user=user, defaults={"secret_hash": pins.hash_of(user, pin), "set_at": now})
    audit.record("staff.pin_set", user, by=by)


def unlock_by_pin(
    *, tablet: SharedTablet, user: User, pin: str, previous: User | None, now: dt.datetime
) -> dt.datetime:
    """The person is back, or takes over from `previous`; answers when the password was given. Raises RuleViolation."""
    password_at = prove_pin(tablet=tablet, user=user, pin=pin, purpose="unlocking", now=now)
    if previous is not None and previous.pk == user.pk:
        audit.record("tablet.unlocked", tablet, by=user)
    else:
        audit.record("tablet.switched", tablet, by=user, before=previous.public_id if previous else "")
    return password_at


def prove_pin(*, tablet: SharedTablet, user: User, pin: str, purpose: str, now: dt.datetime) -> dt.datetime:
    """When the password was given by whoever types this right PIN. Raises RuleViolation; a wrong try is kept."""
    kept = QuickPin.objects.filter(user=user).first()
    if kept is None:
        message, remedy = f"{user} has no PIN yet.", "Sign in with the password, then set one."
        raise RuleViolation([blocker("no-pin", message, field="pin", remedy=remedy)])
    sign_in = _take_a_try(tablet, user, now)
    if sign_in is None:
        _record_refusal(tablet, user, purpose, "password needed")
        message = "The password is needed now: after five wrong PINs, and twelve hours after the last password."
        raise RuleViolation([blocker("password-needed", message, field="pin")])
    if not pins.matches(user, pin, kept.secret_hash):
        _record_refusal(tablet, user, purpose, "wrong")
        left = max(0, MOST_WRONG_PINS - sign_in.wrong_pins)
        remedy = f"{left} {'try' if left == 1 else 'tries'} left." if left else "Now the password is needed."
        raise RuleViolation([blocker("wrong-pin", "The PIN is wrong.", field="pin", remedy=remedy)])
    TabletSignIn.objects.filter(pk=sign_in.pk).update(wrong_pins=0)
    return sign_in.password_at


@transaction.atomic(durable=True)
def _take_a_try(tablet: SharedTablet, user: User, now: dt.datetime) -> TabletSignIn | None:
    """Count the try before the PIN is looked at, and commit: however many come at once, five are looked at.

    One table only: PostgreSQL judges a row again that it waited for, but not what was joined to it.
    """
    rows = TabletSignIn.objects.filter(
        tablet=tablet, user=user, password_at__gt=now - PASSWORD_HOLDS, wrong_pins__lt=MOST_WRONG_PINS
    )
    if not user.is_active or not rows.update(wrong_pins=F("wrong_pins") + 1):
        return None
    return TabletSignIn.objects.get(tablet=tablet, user=user)


def record_lock(*, tablet: SharedTablet, by: User, why: str) -> None:
    audit.record("tablet.locked", tablet, by=by, why=why)


def _record_refusal(tablet: SharedTablet, user: User, purpose: str, why: str) -> None:
    audit.record("tablet.pin_refused", tablet, by=user, purpose=purpose, why=why)
