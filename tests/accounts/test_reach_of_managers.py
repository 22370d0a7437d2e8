"""How far a manager's hand reaches: not to clinical roles for himself, not to superusers, and not unseen elsewhere."""

import pytest
from django.core import mail

from infusion_center.accounts import second_factor, services, session_services
from infusion_center.accounts.manager_mail import SUBJECT
from infusion_center.accounts.queries import staff_of
from infusion_center.accounts.roles import Role
from infusion_center.core.rules import RuleViolation
from tests.factories.accounts import make_staff
from tests.factories.facility import make_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def there(site):
    return make_site()


@pytest.fixture
def at_both(site, there):
    person = make_staff(role=Role.NURSE, site=site)
    person.site_memberships.create(site=there)
    return person


@pytest.mark.parametrize("role", ["nurse", "pharmacist"])
def test_nobody_gives_himself_a_clinical_role(site, manager, role):
    with pytest.raises(RuleViolation) as refused:
        services.set_roles(user=manager, roles=["manager", role], by=manager)
    assert (refused.value.codes, manager.roles) == ({"own-clinical-role"}, {"manager"})
    services.set_roles(user=manager, roles=["manager", role], by=make_staff(role=Role.MANAGER, site=site))
    services.set_roles(user=manager, roles=["manager", "scheduler", role], by=manager)  # what he holds he keeps
    assert manager.roles == {"manager", "scheduler", role}


def test_a_superuser_without_a_site_is_in_no_managers_hand(staff, manager, site, client_for):
    chief, newcomer = make_staff(role=Role.MANAGER), make_staff()
    chief.is_superuser = True
    chief.save()
    assert set(staff_of(manager)) == {*staff.values(), newcomer}
    assert client_for("manager").get(f"/staff/{chief.public_id}/").status_code == 404
    assert chief in staff_of(chief)
    chief.site_memberships.create(site=site)
    assert chief in staff_of(manager)


ACTS = {
    "changed the roles of": lambda person, by: services.set_roles(user=person, roles=["scheduler"], by=by),
    "switched off the account of": lambda person, by: services.deactivate_staff(user=person, by=by),
    "ended the open sessions of": lambda person, by: session_services.end_sessions_of(user=person, by=by),
    "reset the second factor of": lambda person, by: second_factor.reset_factors(user=person, by=by),
}


@pytest.mark.parametrize("done", ACTS)
def test_what_holds_everywhere_is_told_to_managers_of_the_persons_other_sites(
    at_both, there, site, manager, done, django_capture_on_commit_callbacks
):
    theirs = make_staff(role=Role.MANAGER, site=there)
    make_staff(role=Role.MANAGER, site=site)
    make_staff(role=Role.MANAGER, site=make_site())
    make_staff(role=Role.NURSE, site=there)
    with django_capture_on_commit_callbacks(execute=True):
        ACTS[done](at_both, manager)
    assert [(one.to, one.subject) for one in mail.outbox] == [([theirs.email], SUBJECT)]
    told = f"{manager.full_name}, who manages another site, {done} {at_both.full_name}."
    assert told in mail.outbox[0].body


@pytest.mark.parametrize("done", ACTS)
def test_nobody_is_told_of_what_stays_at_ones_own_sites(
    nurse_user, manager, site, done, django_capture_on_commit_callbacks
):
    make_staff(role=Role.MANAGER, site=site)
    with django_capture_on_commit_callbacks(execute=True):
        ACTS[done](nurse_user, manager)
    assert mail.outbox == []
