"""The frames: who sees which places, and that they stand for every role."""

from types import SimpleNamespace

import pytest

from infusion_center.accounts.roles import ROLE_PERMISSIONS, Permission, Role
from infusions.navigation import BOTTOM_BAR, RAIL, SETTINGS, links, place_of


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_emergency_card_opens_for_every_role(client_for, role):
    page = client_for(role).get("/emergency/")
    assert page.status_code == 200
    assert "Stop the infusion." in page.content.decode()


def test_settings_open_for_those_who_manage_something(client_for):
    answers = {role.value: client_for(role.value).get("/settings/").status_code for role in Role}
    assert answers == {"scheduler": 403, "nurse": 403, "pharmacist": 200, "manager": 200}


def test_links_leave_out_what_the_permissions_do_not_open():
    assert list(links(RAIL + SETTINGS, permissions=[])) == []


@pytest.mark.parametrize("role", list(Role))
def test_every_place_offered_to_a_role_opens_for_it(client_for, role):
    client, offered = client_for(role.value), [*RAIL, *SETTINGS, *BOTTOM_BAR]
    found = {link.url: client.get(link.url).status_code for link in links(offered, ROLE_PERMISSIONS[role])}
    assert {url: status for url, status in found.items() if status not in (200, 404)} == {}


def test_a_page_belongs_to_one_place_the_nearest():
    assert [place_of(RAIL, match(*names)).label for names in PAGES] == ["Orders", "Today", "Patients", "Settings"]
    assert place_of(RAIL, None) is None


PAGES = [
    ("scheduling:slot-list", "scheduling"),
    ("scheduling:appointment-detail", "scheduling"),
    ("audit:patient-trail", "audit"),
    ("audit:trail", "audit"),
]


def match(view_name, namespace):
    return SimpleNamespace(view_name=view_name, namespace=namespace)


def test_links_mark_the_place_where_the_person_is(rf):
    from django.urls import resolve

    found = list(links(RAIL, list(Permission), resolve("/settings/")))
    assert [link.label for link in found if link.is_current] == ["Settings"]


def test_frame_names_person_site_and_role(client_for, manager, site):
    page = client_for("manager").get("/settings/").content.decode()
    assert (manager.full_name in page, site.name in page, "Manager" in page) == (True, True, True)
