"""The board in a real Chromium: a visit moved by the keyboard alone and by the mouse, live changes, axe."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from infusions.scheduling import attendance
from tests.factories.accounts import force_login, make_staff
from tests.factories.facility import make_chair, make_nurse, make_site
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment, next_weekday

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FOCUSED = "() => document.activeElement.id"


@pytest.fixture(autouse=True)
def _frozen_clock():
    """The browser and the server live by the real clock here."""
    return


@pytest.fixture
def desk(chromium, live_server, transactional_db):
    """A center with two chairs, a visit at 09:00 in the first, and the board of that day open at the front desk."""
    site = make_site(opens="07:00", closes="19:00")
    chairs = [make_chair(site=site, name=f"Chair {number}") for number in (1, 2)]
    nurse = make_nurse(site=site)
    day = next_weekday(site, ahead=2)
    patient = make_patient(family_name="Ash", given_name="Ida")
    visit = make_appointment(patient=patient, site=site, chair=chairs[0], nurse=nurse, day=day, at="09:00")
    scheduler = make_staff(role="scheduler", site=site)
    client = Client()
    force_login(client, scheduler)
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/board/?day={day.isoformat()}")
    page.visit, page.chairs, page.scheduler, page.day = visit, chairs, scheduler, day
    yield page
    context.close()


def stands(visit) -> tuple[str, str]:
    visit.refresh_from_db()
    return visit.local_start[11:], visit.chair.name


def test_a_visit_is_moved_by_the_keyboard_alone_and_others_see_it(desk, axe):
    block = desk.locator(".board-block")
    live = desk.locator("#board-live")
    block.focus()
    desk.keyboard.press("m")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        desk.keyboard.press(key)
    expect(live).to_have_text("Chair 2, 09:30 to 13:30, fits")
    desk.keyboard.press("Escape")
    assert (desk.evaluate(FOCUSED), stands(desk.visit)) == (f"visit-{desk.visit.public_id}", ("09:00", "Chair 1"))

    desk.keyboard.press("m")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        desk.keyboard.press(key)
    expect(desk.get_by_role("dialog")).to_contain_text("The chair changes from Chair 1 to Chair 2.")
    assert axe(desk) == []
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("button", name="Undo the move")).to_be_visible()
    assert desk.evaluate(FOCUSED) == f"visit-{desk.visit.public_id}"
    assert stands(desk.visit) == ("09:30", "Chair 2")

    attendance.confirm(appointment=desk.visit, by=desk.scheduler)  # by somebody else, elsewhere
    expect(block).to_have_class("board-block state-confirmed", timeout=5000)
    assert desk.evaluate(FOCUSED) == f"visit-{desk.visit.public_id}"
    assert [found for view in ("nurses", "list", "week", "chairs") for found in axe(shown(desk, view))] == []


def shown(desk, view):
    desk.get_by_role("group", name="View").get_by_role("link", name=view.capitalize()).click()
    expect(desk.locator(f"#_board.board-{view}")).to_be_visible()
    return desk


def test_a_visit_is_moved_by_dragging_it(desk):
    box = desk.locator(".board-block").bounding_box()
    hour = desk.locator(".board-hour").nth(1).bounding_box()["width"]
    row = desk.locator("tr[data-seat]").nth(1).bounding_box()
    desk.mouse.move(box["x"] + 20, box["y"] + 10)
    desk.mouse.down()
    desk.mouse.move(box["x"] + 20 + hour, row["y"] + 10, steps=4)
    desk.mouse.up()
    desk.get_by_role("dialog").get_by_role("button", name="Move visit").click()
    expect(desk.get_by_role("button", name="Undo the move")).to_be_visible()
    assert stands(desk.visit) == ("10:00", "Chair 2")
    desk.get_by_role("button", name="Undo the move").click()
    expect(desk.locator(".messages")).to_contain_text("09:00, Chair 1 with")
    assert stands(desk.visit) == ("09:00", "Chair 1")
