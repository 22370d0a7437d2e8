"""Who may use a view: every view carries one of these decorators, or the checks refuse to run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied

from infusion_center.accounts.proof import ask_for_proof, is_proven
from infusion_center.accounts.roles import Permission, has_permission


@dataclass(frozen=True)
class AccessRule:
    """`permissions`: any one of them suffices; empty with a reason means that no sign-in is needed."""

    permissions: frozenset[Permission] = frozenset()
    signed_in: bool = True
    reason: str = ""


def requires(*permissions: Permission) -> Callable:
    """The view needs a signed-in member of staff who holds any of the permissions; others get a 403."""
    if not permissions:
        raise TypeError("name at least one permission")

    def decorate(view):
        @wraps(view)
        def checked(request, *args, **kwargs):
            if not any(has_permission(request.user, permission) for permission in permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        checked.access_rule = AccessRule(permissions=frozenset(permissions))
        return checked

    return decorate


def signed_in(reason: str) -> Callable:
    """Any member of staff, whatever the role."""

    def decorate(view):
        @wraps(view)
        def checked(request, *args, **kwargs):
            return view(request, *args, **kwargs)

        checked.access_rule = AccessRule(reason=reason)
        return checked

    return decorate


def anonymous_allowed(reason: str) -> Callable:
    """No sign-in: the reason is written down beside the view."""

    def decorate(view):
        @wraps(view)
        def checked(request, *args, **kwargs):
            return view(request, *args, **kwargs)

        checked = login_not_required(checked)
        checked.access_rule = AccessRule(signed_in=False, reason=reason)
        return checked

    return decorate


def proof_required(view: Callable | None = None, *, download: bool = False) -> Callable:
    """Below @requires: the person gave password, passkey or second factor in the last minutes, else is asked for it.

    `download`: the view answers with a file, so that a page of its own says that it comes.
    """
    if view is None:
        return lambda undecorated: proof_required(undecorated, download=download)

    @wraps(view)
    def checked(request, *args, **kwargs):
        asked = None if is_proven(request) else ask_for_proof(request, download=download)
        return asked or view(request, *args, **kwargs)

    checked.asks_for_proof = True  # what stands above copies it: tests/guards/test_proof_rules.py
    return checked
