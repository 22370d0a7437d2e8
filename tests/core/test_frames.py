"""The frames: who sees which places, and that they stand for every role."""

import pytest

from infusion_center.accounts.roles import Permission, Role
from infusions.navigation import RAIL, SETTINGS, links


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


def test_links_mark_the_place_where_the_person_is(rf):
    from django.urls import resolve

    found = list(links(RAIL, list(Permission), resolve("/settings/")))
    assert [link.label for link in found if link.is_current] == ["Settings"]


def test_frame_names_person_site_and_role(client_for, manager, site):
    page = client_for("manager").get("/settings/").content.decode()
    assert (manager.full_name in page, site.name in page, "Manager" in page) == (True, True, True)
