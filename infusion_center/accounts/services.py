"""Creates staff, gives and takes roles, deactivates."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import F

from infusion_center.accounts.manager_mail import tell_other_managers
from infusion_center.accounts.models import RoleGrant, User
from infusion_center.accounts.roles import CLINICAL_ROLES, Role
from infusion_center.accounts.tablet_services import forget_passwords
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker


@transaction.atomic
def create_staff(
    *, email: str, full_name: str, roles: Collection[str], by, password: str | None = None, initials: str = ""
) -> User:
    """A new member of staff; without a password the person sets one through the reset mail."""
    if User.objects.filter(email__iexact=email).exists():
        raise RuleViolation([blocker("email-taken", "Somebody with this email is already registered.", field="email")])
    user = User.objects.create_user(email=email, password=password, full_name=full_name, initials=initials)
    audit.record("staff.created", user, by=by)
    set_roles(user=user, roles=roles, by=by)
    return user


@transaction.atomic
def amend_staff(*, user: User, full_name: str, initials: str, by) -> User:
    user.full_name, user.initials = full_name, initials
    user.full_clean()
    user.save()
    audit.record("staff.amended", user, by=by)
    return user


@transaction.atomic
def set_roles(*, user: User, roles: Collection[str], by) -> None:
    """Make `roles` the current roles. Nobody takes the manager role from himself: a center never ends without one.

    Nor does anybody make himself a nurse or pharmacist: who may treat is decided by somebody else.
    """
    roles = {Role(role).value for role in roles}
    held = set(user.role_grants.current().values_list("role", flat=True))
    if by is not None and by.pk == user.pk and Role.MANAGER in held - roles:
        raise RuleViolation(
            [blocker("own-manager-role", "Another manager must take this role from you.", field="roles")]
        )
    if by is not None and by.pk == user.pk and CLINICAL_ROLES & (roles - held):
        raise RuleViolation(
            [blocker("own-clinical-role", "Another manager must make you a nurse or pharmacist.", field="roles")]
        )
    now = clock.now()
    user.role_grants.current().filter(role__in=held - roles).update(revoked_at=now, revoked_by=by)
    RoleGrant.objects.bulk_create(
        RoleGrant(user=user, role=role, granted_at=now, granted_by=by) for role in sorted(roles - held)
    )
    for cached in ("roles", "permissions"):
        user.__dict__.pop(cached, None)
    if roles != held:
        # Open sessions get a new key by their next request, and are asked anew what the roles need.
        User.objects.filter(pk=user.pk).update(rights_version=F("rights_version") + 1)
        audit.record("staff.roles_changed", user, by=by, given=sorted(roles - held), taken=sorted(held - roles))
        _tell(user, by, "changed the roles of")


@transaction.atomic
def deactivate_staff(*, user: User, by) -> None:
    """The person can no longer sign in and every open session ends."""
    if by is not None and by.pk == user.pk:
        raise RuleViolation([blocker("own-account", "You cannot deactivate yourself.")])
    User.objects.filter(pk=user.pk).update(is_active=False)
    user.is_active = False
    end_sessions(user)
    forget_passwords(user=user)
    audit.record("staff.deactivated", user, by=by)
    _tell(user, by, "switched off the account of")


@transaction.atomic
def reactivate_staff(*, user: User, by) -> None:
    User.objects.filter(pk=user.pk).update(is_active=True)
    user.is_active = True
    audit.record("staff.reactivated", user, by=by)


def _tell(user: User, by, done: str) -> None:
    transaction.on_commit(lambda: tell_other_managers(person=user, actor=by, done=done))


def end_sessions(user: User) -> None:
    user.open_sessions.all().delete()


@transaction.atomic
def set_password(*, user: User, password: str, here: str = "") -> None:
    """The person chose a new password, by the change page or the mailed link; open sessions elsewhere end by it.

    They would open nothing any more; without their rows the person's list says so. `here`: key of the session in which
    it was changed, which goes on. The twelve hours in which the PIN opens a shared tablet end too.
    """
    user.set_password(password)
    user.open_sessions.exclude(session_key=here).delete()
    forget_passwords(user=user)
    user.save(update_fields=["password", "updated_at"])
    audit.record("staff.password_set", user, by=user)


def record_sign_in(*, user: User) -> None:
    audit.record("staff.signed_in", user, by=user)


def record_sign_out(*, user: User) -> None:
    audit.record("staff.signed_out", user, by=user)


def record_session_ended(*, by: User, why: str) -> None:
    """By the server, not by the person."""
    audit.record("staff.session_ended", by, by=by, why=why)


def record_wrong_code(*, user: User) -> None:
    audit.record("staff.code_refused", user, by=None, actor="Not proven")


def record_failed_sign_in(*, email: str) -> None:
    """What was typed is not kept when it is nobody's address: people type passwords into the wrong field."""
    known = User.objects.filter(email__iexact=email.strip()).first()
    target = known or User(public_id="", full_name="Unknown account")
    audit.record("staff.sign_in_failed", target, by=None, actor="Not signed in")


def record_invitation(*, user: User, by) -> None:
    audit.record("staff.invited", user, by=by)
