"""The first start of a center: what ships with the application, its first manager, and its first site."""

from __future__ import annotations

from django.db import transaction

from infusion_center.accounts.models import User
from infusion_center.accounts.roles import Role
from infusion_center.accounts.services import create_staff
from infusion_center.core.rules import RuleViolation, blocker
from infusions.checklists.catalog import load_template
from infusions.facility.services import create_site
from infusions.formulary.catalog import load_catalog


@transaction.atomic
def open_center(*, email: str, full_name: str, site_name: str = "", time_zone: str = "") -> User:
    """The first manager, without a password. Raises RuleViolation where somebody is already."""
    if User.objects.exists():
        raise RuleViolation([blocker("opened", "The database holds people already: managers add others under Staff.")])
    manager = create_staff(email=email, full_name=full_name, roles=[Role.MANAGER], by=None)
    load_catalog(by=manager)
    load_template(by=manager)
    if site_name:
        create_site(by=manager, name=site_name, time_zone=time_zone)
    return manager
