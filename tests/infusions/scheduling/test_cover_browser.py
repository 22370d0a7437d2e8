"""Uncovered visits in a real Chromium: the menu's count arrives, a proposal is applied by keyboard, axe is content."""

import pytest
from django.test import Client

from infusions.facility.models import Shift
from infusions.scheduling.cover import uncovered_ids
from infusions.scheduling.models import Appointment
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.scheduling import make_appointment, next_weekday

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def visit(transactional_db):
    """Uncovered: its nurse is ill, another one works."""
    site = make_site()
    day = next_weekday(site)
    visit = make_appointment(site=site, day=day, minutes=120)
    other = make_nurse(site=site)
    make_shift(nurse=other, site=site, day=day)
    make_chair(site=site)
    Shift.objects.filter(nurse=visit.nurse).delete()
    return visit


def test_the_desk_solves_an_uncovered_visit_by_keyboard(chromium, live_server, visit, axe):
    client = Client()
    force_login(client, make_staff(role="scheduler", site=visit.site))
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    faults = {}
    for path in ("/to-do/", "/to-do/unconfirmed/", f"/nurses/{visit.nurse.public_id}/call-out/", "/cover/"):
        page.goto(live_server.url + path)
        page.locator(".rail-count.is-red").wait_for()
        faults[path] = axe(page)
    page.get_by_role("link", name="Propose").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Proposal for uncovered visits").wait_for()
    faults["plan"] = axe(page)
    page.get_by_label(visit.patient.name).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("1 visit re-seated.").wait_for()
    page.get_by_text("Every visit is covered").wait_for()
    assert faults == {path: [] for path in faults}
    assert uncovered_ids(visit.site, visit.created_at) == set()
    assert Appointment.objects.get(pk=visit.pk).nurse_id != visit.nurse_id
    context.close()
