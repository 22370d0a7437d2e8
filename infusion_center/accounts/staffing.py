"""Page code that spans features: a person with roles, sites and, for nurses, a row that visits can be booked with.

Each function is one transaction over the services concerned: refused by one of them, nothing is written.
"""

from django.db import transaction

from infusion_center.accounts import services
from infusion_center.accounts.models import User
from infusion_center.accounts.roles import Role
from infusions.facility import roster_services
from infusions.facility import services as facility
from infusions.facility.models import Nurse


@transaction.atomic
def save_staff(form, *, by: User, person: User | None = None) -> User:
    """Create or amend as the valid StaffForm says. Raises RuleViolation."""
    values = form.cleaned_data
    names = {"full_name": values["full_name"], "initials": values["initials"]}
    if person is None:
        person = services.create_staff(email=values["email"], roles=values["roles"], by=by, **names)
    else:
        services.amend_staff(user=person, by=by, **names)
        services.set_roles(user=person, roles=values["roles"], by=by)
    _set_sites(person, wanted=set(values["sites"]), among=form.fields["sites"].queryset, by=by)
    _set_nurse(
        person,
        is_active=Role.NURSE in values["roles"],
        visits_homes=values["visits_homes"],
        by=by,
        override_reason=values["override_reason"],
    )
    return person


@transaction.atomic
def switch_off(person: User, *, by: User, override_reason: str = "") -> None:
    services.deactivate_staff(user=person, by=by)
    _set_nurse(person, is_active=False, by=by, override_reason=override_reason)


@transaction.atomic
def switch_on(person: User, *, by: User) -> None:
    services.reactivate_staff(user=person, by=by)
    _set_nurse(person, is_active=Role.NURSE in person.roles, by=by)


def _set_sites(person: User, *, wanted: set, among, by: User) -> None:
    """Sites outside `among`, the ones this manager decides about, stay as they are."""
    held = set(person.site_memberships.values_list("site_id", flat=True))
    for site in among:
        if site in wanted and site.pk not in held:
            facility.add_member(site=site, user=person, by=by)
        elif site not in wanted and site.pk in held:
            facility.remove_member(site=site, user=person, by=by)


def _set_nurse(
    person: User, *, is_active: bool, by: User, visits_homes: bool | None = None, override_reason: str = ""
) -> None:
    """`visits_homes` None leaves it as it is."""
    nurse = Nurse.objects.filter(user=person).first()
    if nurse is None:
        if is_active:
            roster_services.add_nurse(user=person, visits_homes=bool(visits_homes), by=by)
        return
    visits_homes = nurse.visits_homes if visits_homes is None else visits_homes
    if (nurse.is_active, nurse.visits_homes) != (is_active, visits_homes):
        roster_services.amend_nurse(
            nurse=nurse, visits_homes=visits_homes, is_active=is_active, by=by, override_reason=override_reason
        )
