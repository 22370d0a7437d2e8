"""Whose events a person may read: those of the own sites, their patients and their staff."""

from infusion_center.accounts.queries import staff_seen_by
from infusion_center.audit.queries import Reach
from infusions.facility.models import Site
from patients.models import Patient


def reach_of(user) -> Reach:
    site_ids = list(Site.objects.visible_to(user).values_list("public_id", flat=True))
    return Reach(site_ids, Patient.objects.visible_to(user), staff_seen_by(user))
