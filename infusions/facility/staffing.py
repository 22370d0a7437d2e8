"""Services: at which sites a member of staff works, and whether as a nurse whom one can book."""

from collections.abc import Collection

from django.db import transaction

from infusion_center.accounts.models import User
from infusion_center.audit import services as audit
from infusions.facility.models import Nurse, Site, SiteMembership


@transaction.atomic
def set_sites(*, user: User, sites: Collection[Site], among: Collection[Site], by: User) -> None:
    """Make `sites` the ones of `among` that the person works at; sites outside `among` stay as they are."""
    wanted = {site.pk: site for site in sites}
    held = set(SiteMembership.objects.filter(user=user, site__in=among).values_list("site_id", flat=True))
    given = [wanted[pk] for pk in sorted(wanted.keys() - held)]
    taken = [site for site in among if site.pk in held - wanted.keys()]
    SiteMembership.objects.filter(user=user, site__in=taken).delete()
    SiteMembership.objects.bulk_create(SiteMembership(user=user, site=site) for site in given)
    if given or taken:
        audit.record(
            "staff.sites_changed",
            user,
            by=by,
            given=[site.public_id for site in given],
            taken=[site.public_id for site in taken],
        )


@transaction.atomic
def set_nurse(*, user: User, is_nurse: bool, visits_homes: bool, by: User) -> None:
    """Let the person be booked as a nurse, or no longer; the row stays, as past visits name it."""
    nurse = Nurse.objects.filter(user=user).first()
    if nurse is None and not is_nurse:
        return
    before = (nurse.is_active, nurse.visits_homes) if nurse else None
    nurse = nurse or Nurse(user=user)
    nurse.is_active, nurse.visits_homes = is_nurse, visits_homes and is_nurse
    if before == (nurse.is_active, nurse.visits_homes):
        return
    nurse.save()
    audit.record("nurse.changed", nurse, by=by, is_active=nurse.is_active, visits_homes=nurse.visits_homes)
