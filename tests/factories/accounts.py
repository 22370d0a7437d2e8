"""Staff for tests."""

from itertools import count

from infusion_center.accounts.models import RoleGrant, User
from infusion_center.accounts.roles import Role
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
