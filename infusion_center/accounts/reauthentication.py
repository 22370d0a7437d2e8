"""Somebody proves who he is beside the session: for a signature, and for a second person at the same tablet."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.db import transaction

from infusion_center.accounts.models import SharedTablet, TabletSignIn, User
from infusion_center.accounts.pins import is_pin
from infusion_center.accounts.tablet_services import prove_pin
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker


def person_with_proof(request, *, email: str = "", public_id: str = "", secret: str, purpose: str) -> User:
    """The person named, by PIN where a shared tablet allows it, else by password. Raises RuleViolation."""
    named = {"public_id": public_id} if public_id else {"email__iexact": email.strip()}
    user = User.objects.filter(is_active=True, **named).first()
    if user is None or not is_pin(secret) or not _is_known_at(request.shared_tablet, user):
        return person_with_password(request, email=user.email if user else email, password=secret, purpose=purpose)
    try:
        prove_pin(tablet=request.shared_tablet, user=user, pin=secret, purpose=purpose, now=clock.now())
    except RuleViolation as refused:
        problems = [blocker(p.code, p.message, field="password", remedy=p.remedy) for p in refused.problems]
        raise RuleViolation(problems) from None
    return user


def _is_known_at(tablet: SharedTablet | None, user: User) -> bool:
    """Of anybody else a PIN is no proof here, and the answer must not tell whether the person exists."""
    return tablet is not None and TabletSignIn.objects.filter(tablet=tablet, user=user).exists()


def person_with_password(request, *, email: str, password: str, purpose: str) -> User:
    """The active member of staff with these credentials, counted against the limits of signing in.

    Raises RuleViolation, with the failure kept in the trail in a transaction of its own; never says which part failed.
    """
    try:
        user = get_adapter(request).authenticate(request, email=email.strip().lower(), password=password)
    except ValidationError:
        _refused(request, purpose, "limited")
        message = "Too many failed attempts."
        raise RuleViolation([blocker("too-many-attempts", message, remedy="Wait some minutes.")]) from None
    if user is None or not user.is_active:
        _refused(request, purpose, "wrong")
        raise RuleViolation([blocker("wrong-credentials", "Email and password do not match.", field="password")])
    return user


@transaction.atomic
def _refused(request, purpose: str, why: str) -> None:
    audit.record("staff.proof_refused", request.user, by=request.user, purpose=purpose, why=why)
