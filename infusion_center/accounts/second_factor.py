"""Who must have a second factor, who has one, and what becomes of them."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from infusion_center.accounts.manager_mail import tell_other_managers
from infusion_center.accounts.models import User
from infusion_center.accounts.tablet_services import forget_passwords
from infusion_center.audit import services as audit
from infusion_center.core.rules import RuleViolation, blocker
from infusion_center.core.sealing import seal_anew

EVERYBODY = "all"
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]  # recovery codes only stand in for one of these
LAST_ONE_STAYS = "This is your only second factor, and your role needs one. Add another first."
# What allauth's notices tell of, as the trail says it.
HAPPENED = {
    "mfa/email/totp_activated": ("staff.factor_added", "authenticator app"),
    "mfa/email/totp_deactivated": ("staff.factor_removed", "authenticator app"),
    "mfa/email/webauthn_added": ("staff.factor_added", "passkey"),
    "mfa/email/webauthn_removed": ("staff.factor_removed", "passkey"),
    "mfa/email/recovery_codes_generated": ("staff.recovery_codes_made", ""),
}


def required_of() -> list[str]:
    """Whom the setting names now, to see later whether it still does."""
    return sorted(settings.MFA_REQUIRED_ROLES)


def must_have(user: User) -> bool:
    """Superusers read everything, so they count wherever anybody does."""
    named = set(settings.MFA_REQUIRED_ROLES)
    return bool(named) and (EVERYBODY in named or user.is_superuser or not named.isdisjoint(user.roles))


def factors_of(user: User) -> QuerySet[Authenticator]:
    return Authenticator.objects.filter(user=user, type__in=FACTORS)


def passkeys_of(user: User) -> QuerySet[Authenticator]:
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)


def lacks_one(user: User) -> bool:
    return must_have(user) and not factors_of(user).exists()


def wait_for_others(user: User) -> None:
    """In a transaction: whoever else changes this person's factors comes before or after."""
    User.objects.select_for_update().get(pk=user.pk)


def may_remove(authenticator: Authenticator) -> bool:
    user = authenticator.user
    return not must_have(user) or factors_of(user).exclude(pk=authenticator.pk).exists()


def record_what_happened(*, notice: str, user: User) -> None:
    if notice in HAPPENED:
        action, what = HAPPENED[notice]
        audit.record(action, user, by=user, **({"what": what} if what else {}))


@transaction.atomic
def reset_factors(*, user: User, by: User) -> None:
    """The phone is lost: factors, recovery codes and open sessions go, and the next sign-in sets up anew."""
    if by.pk == user.pk:
        raise RuleViolation([blocker("own-factors", "Another manager must reset yours.")])
    Authenticator.objects.filter(user=user).delete()
    user.open_sessions.all().delete()
    forget_passwords(user=user)
    audit.record("staff.factors_reset", user, by=by)
    done = "reset the second factor of"
    transaction.on_commit(lambda: tell_other_managers(person=user, actor=by, done=done))


@transaction.atomic
def seal_secrets_anew() -> int:
    """Everything under the first of FIELD_KEYS, so that the others can be taken away; how many rows it were."""
    rows = Authenticator.objects.select_for_update().filter(type__in=["totp", "recovery_codes"])
    for row in rows:
        row.data |= {name: seal_anew(row.data[name]) for name in ("secret", "seed") if name in row.data}
        row.save(update_fields=["data"])
    return len(rows)
