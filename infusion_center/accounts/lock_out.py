"""After too many failed sign-ins nothing is looked at for a while; the person is told, a manager can lift it.

The counting is allauth's (ACCOUNT_RATE_LIMITS, by account and by address), in the cache that all web processes share.
"""

import logging

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from infusion_center.accounts.models import User
from infusion_center.audit import services as audit

logger = logging.getLogger(__name__)


def note_lock_out(request, *, email: str) -> None:
    """A try was refused unseen: once for each lock-out, the person and the trail are told."""
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if user is None or not _account_is_full(request, user) or not cache.add(_key(user), True, _seconds()):
        return
    with transaction.atomic():
        audit.record("staff.locked_out", user, by=None, actor="Not signed in")
    try:
        get_adapter(request).send_mail("account/email/locked_out", user.email, {"minutes": _seconds() // 60})
    except OSError as error:
        logger.warning("Notice of a lock-out refused: %s", type(error).__name__)


def is_locked_out(user: User) -> bool:
    return cache.get(_key(user)) is not None


def lift_lock_out(request, *, user: User, by: User) -> None:
    """A manager knows that it was the person. Tries are counted from none again, of password and of code."""
    for key in (_login_key(request, user), f"mfa-auth-user-{user.pk}"):
        # Not what the address has used up: the manager's own would be cleared with it.
        ratelimit.clear(request, app="allauth.account", action="login_failed", config=_limits(), key=key)
    cache.delete(_key(user))
    audit.record("staff.unlocked", user, by=by)


def _account_is_full(request, user: User) -> bool:
    """By the tries on this account; when only the address has too many, its owner need not worry."""
    keys = (_login_key(request, user), f"mfa-auth-user-{user.pk}")
    return not all(_has_room(request, key) for key in keys)


def _has_room(request, key: str) -> bool:
    action = {"app": "allauth.account", "action": "login_failed", "config": _limits()}
    return bool(ratelimit.consume(request, **action, key=key, dry_run=True))


def _limits() -> dict[str, str]:
    """Of one account, without that of the address."""
    return {"login_failed": f"{settings.LOCK_OUT_TRIES}/{settings.LOCK_OUT_MINUTES}m/key"}


def _login_key(request, user: User) -> str:
    return get_adapter(request)._get_login_attempts_cache_key(request, email=user.email)


def _seconds() -> int:
    return settings.LOCK_OUT_MINUTES * 60


def _key(user: User) -> str:
    return f"locked-out:{user.pk}"
