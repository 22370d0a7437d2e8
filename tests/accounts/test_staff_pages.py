"""Managers add, change and switch off staff; nobody else does, and nobody beyond his sites."""

import pytest
from django.core import mail

from infusion_center.accounts.models import RoleGrant, User
from infusion_center.audit.models import AuditEvent
from infusions.facility.models import Nurse, SiteMembership
from tests.factories.accounts import make_staff
from tests.factories.facility import make_nurse, make_site
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db


def wanted(site, **changes):
    values = {
        "full_name": "Nora Newcomer",
        "email": "nora@example.org",
        "initials": "",
        "roles": ["nurse"],
        "sites": [site.pk],
        "visits_homes": "on",
    }
    return {**values, **changes}


def test_adding_staff_gives_roles_sites_and_a_mail(client_for, manager, site):
    answer = client_for("manager").post("/staff/new/", wanted(site))
    person = User.objects.get(email="nora@example.org")
    assert (answer.status_code, answer.url) == (302, "/staff/")
    assert (person.roles, person.initials) == (frozenset({"nurse"}), "NN")
    assert list(person.site_memberships.values_list("site", flat=True)) == [site.pk]
    assert (person.nurse.visits_homes, person.nurse.is_active) == (True, True)
    assert [message.to for message in mail.outbox] == [["nora@example.org"]]
    assert set(AuditEvent.objects.values_list("action", "actor_name")) == {
        (action, manager.full_name)
        for action in (
            "staff.created",
            "staff.roles_changed",
            "site.member_added",
            "nurse.added",
            "staff.invited",
        )
    }


def test_a_taken_email_is_told_at_its_field_and_writes_nothing(client_for, site):
    make_staff(role="nurse", email="nora@example.org")
    before = (User.objects.count(), RoleGrant.objects.count(), SiteMembership.objects.count())
    page = client_for("manager").post("/staff/new/", wanted(site, email="NORA@example.org")).content.decode()
    assert 'href="#id_email"' in page
    assert (User.objects.count(), RoleGrant.objects.count(), SiteMembership.objects.count()) == before
    assert (AuditEvent.objects.count(), mail.outbox) == (0, [])


def test_changing_roles_and_sites_keeps_the_history(client_for, manager, site):
    person = make_nurse(site=site).user
    there = make_site()
    SiteMembership.objects.create(site=there, user=manager)
    client_for("manager").post(f"/staff/{person.public_id}/", wanted(there, roles=["scheduler"]))
    person = User.objects.get(pk=person.pk)
    assert (person.full_name, person.roles) == ("Nora Newcomer", frozenset({"scheduler"}))
    assert list(person.site_memberships.values_list("site", flat=True)) == [there.pk]
    assert person.role_grants.get(role="nurse").revoked_by == manager
    assert not Nurse.objects.get(user=person).is_active


def test_sites_of_other_managers_stay_as_they_are(client_for, site):
    person = make_staff(role="nurse", site=site)
    foreign = make_site()
    SiteMembership.objects.create(site=foreign, user=person)
    page = client_for("manager").post(f"/staff/{person.public_id}/", wanted(foreign))
    assert "Nothing was saved yet" in page.content.decode()
    client_for("manager").post(f"/staff/{person.public_id}/", wanted(site))
    assert set(person.site_memberships.values_list("site", flat=True)) == {site.pk, foreign.pk}


def test_a_manager_does_not_take_the_role_from_himself(client_for, manager, site):
    page = client_for("manager").post(f"/staff/{manager.public_id}/", wanted(site, roles=["nurse"]))
    assert "Another manager must take this role from you." in page.content.decode()
    manager.refresh_from_db()
    assert (manager.full_name != "Nora Newcomer", manager.role_grants.current().get().role) == (True, "manager")


def test_deactivate_asks_first_then_switches_off(client_for, nurse_user):
    client = client_for("manager")
    assert "Switch this account off?" in client.get(f"/staff/{nurse_user.public_id}/deactivate/").content.decode()
    nurse_user.refresh_from_db()
    assert nurse_user.is_active
    client.post(f"/staff/{nurse_user.public_id}/deactivate/")
    nurse_user.refresh_from_db()
    assert not nurse_user.is_active
    client.post(f"/staff/{nurse_user.public_id}/reactivate/")
    nurse_user.refresh_from_db()
    assert nurse_user.is_active


def test_a_manager_does_not_deactivate_himself(client_for, manager):
    client_for("manager").post(f"/staff/{manager.public_id}/deactivate/")
    manager.refresh_from_db()
    assert (manager.is_active, AuditEvent.objects.filter(action="staff.deactivated").count()) == (True, 0)


def test_a_refused_mail_is_told_and_keeps_the_account(client_for, site, monkeypatch):
    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", refuse)
    page = client_for("manager").post("/staff/new/", wanted(site), follow=True).content.decode()
    assert "could not be sent" in page
    assert User.objects.filter(email="nora@example.org").exists()


def refuse(*args, **kwargs):
    raise ConnectionRefusedError


def test_taking_a_nurse_with_booked_visits_asks_a_reason(client_for, site):
    visit = make_appointment(site=site)
    person, client = visit.nurse.user, client_for("manager")
    address = f"/staff/{person.public_id}/"
    page = client.post(address, wanted(site, roles=["scheduler"])).content.decode()
    assert "1 booked visit would be left without a nurse." in page
    assert User.objects.get(pk=person.pk).roles == frozenset({"nurse"})
    page = client.post(f"{address}deactivate/").content.decode()
    assert "1 booked visit would be left without a nurse." in page
    assert User.objects.get(pk=person.pk).is_active
    client.post(f"{address}deactivate/", {"override_reason": "On leave from tomorrow"})
    assert (User.objects.get(pk=person.pk).is_active, Nurse.objects.get(user=person).is_active) == (False, False)
    client.post(f"{address}reactivate/")
    assert (User.objects.get(pk=person.pk).is_active, Nurse.objects.get(user=person).is_active) == (True, True)


@pytest.mark.parametrize("role", ["scheduler", "nurse", "pharmacist"])
def test_other_roles_get_nowhere(client_for, nurse_user, role):
    client = client_for(role)
    paths = ["", "new/", f"{nurse_user.public_id}/", f"{nurse_user.public_id}/deactivate/"]
    assert [client.get(f"/staff/{path}").status_code for path in paths] == [403] * 4


def test_staff_of_a_foreign_site_do_not_exist_for_a_manager(client_for):
    stranger = make_staff(role="nurse", site=make_site())
    client = client_for("manager")
    assert client.get(f"/staff/{stranger.public_id}/").status_code == 404
    assert stranger.full_name not in client.get("/staff/").content.decode()


def test_list_filters_by_role_state_and_text(client_for, staff, manager, site):
    SiteMembership.objects.create(site=make_site(), user=manager)
    gone = make_staff(role="nurse", site=site, full_name="Gone Away")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    client = client_for("manager")

    def names(query):
        return [person.full_name for person in client.get(f"/staff/?{query}").context["page"]]

    assert names("") == sorted(person.full_name for person in staff.values())
    assert names("role=nurse") == [staff["nurse"].full_name]
    assert names("state=inactive") == ["Gone Away"]
    assert names("state=all&q=away+gone") == ["Gone Away"]


def test_list_costs_the_same_for_any_number_of_people(client_for, site, django_assert_max_num_queries):
    for _ in range(12):
        make_staff(role="nurse", site=site)
    client = client_for("manager")
    with django_assert_max_num_queries(12):
        client.get("/staff/")
