"""Reads about staff, and about who is at a shared tablet."""

import datetime as dt

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from infusion_center.accounts.models import QuickPin, RoleGrant, SharedTablet, TabletSignIn, User
from infusion_center.accounts.roles import Role
from infusion_center.accounts.tablet_services import PASSWORD_HOLDS, hash_of_key


def managers() -> QuerySet[User]:
    """Who holds the role now and may sign in."""
    granted = RoleGrant.objects.current().filter(role=Role.MANAGER).values("user")
    return User.objects.filter(pk__in=granted, is_active=True)


def staff_of(manager: User) -> QuerySet[User]:
    """People who share a site with the manager, and those who have no site yet.

    Superusers without a site are only for one another: no manager takes their sign-in or roles in hand.
    """
    near = staff_seen_by(manager)
    if manager.is_superuser:
        return near
    return near.exclude(is_superuser=True, site_memberships__isnull=True)


def staff_seen_by(manager: User) -> QuerySet[User]:
    """The same with all superusers who have no site: what they do is in the trail of every manager."""
    shared = User.objects.filter(site_memberships__site__memberships__user=manager)
    housed = User.objects.filter(site_memberships__isnull=False)
    return User.objects.filter(Q(pk__in=shared.values("pk")) | ~Q(pk__in=housed.values("pk")))


def staff_list(manager: User, *, text: str = "", role: str = "", state: str = "") -> QuerySet[User]:
    """With current roles and sites at hand: three queries for any number of people."""
    people = staff_of(manager).prefetch_related(
        Prefetch("role_grants", queryset=RoleGrant.objects.current().order_by("role"), to_attr="current_grants"),
        "site_memberships__site",
    )
    for word in text.split():
        people = people.filter(Q(full_name__icontains=word) | Q(email__icontains=word))
    if role:
        people = people.filter(pk__in=RoleGrant.objects.current().filter(role=role).values("user"))
    if state != "all":
        people = people.filter(is_active=state != "inactive")
    return people.order_by("full_name", "pk")


def tablets_of(manager: User) -> QuerySet[SharedTablet]:
    """Shared tablets that staff of the manager's sites enrolled."""
    return SharedTablet.objects.filter(enrolled_by__in=staff_of(manager))


def role_history(person: User) -> QuerySet[RoleGrant]:
    return person.role_grants.select_related("granted_by", "revoked_by").order_by("-granted_at", "role")


def tablet_with_key(key: str) -> SharedTablet | None:
    """The shared tablet whose cookie this is, unless it was revoked."""
    return SharedTablet.objects.filter(key_hash=hash_of_key(key), revoked_at=None).first() if key else None


def people_at(tablet: SharedTablet, now: dt.datetime, *, first: User | None = None) -> list[TabletSignIn]:
    """Who gave the password here in the last twelve hours, by name; `first` leads. Each with `has_pin`."""
    rows = (
        TabletSignIn.objects.filter(tablet=tablet, user__is_active=True, password_at__gt=now - PASSWORD_HOLDS)
        .select_related("user")
        .annotate(has_pin=Exists(QuickPin.objects.filter(user=OuterRef("user"))))
        .order_by("user__full_name", "user")
    )
    return sorted(rows, key=lambda row: first is None or row.user_id != first.pk)
