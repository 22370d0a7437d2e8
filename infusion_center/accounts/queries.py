"""Reads about staff."""

from django.db.models import Prefetch, Q, QuerySet

from infusion_center.accounts.models import RoleGrant, User


def staff_of(manager: User) -> QuerySet[User]:
    """People who share a site with the manager, and those who have no site yet."""
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


def role_history(person: User) -> QuerySet[RoleGrant]:
    return person.role_grants.select_related("granted_by", "revoked_by").order_by("-granted_at", "role")
