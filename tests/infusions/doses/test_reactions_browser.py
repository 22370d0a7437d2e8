"""Reactions by taps in a real Chromium: signs of what is chosen, the act of its grade, targets and axe of the cards."""

import pytest
from playwright.sync_api import expect

from infusions.doses.reaction_models import ReactionStep
from infusions.doses.services import record_reaction
from tests.infusions.doses.test_browser import faults, nurse, open_page, path_of, started  # noqa: F401  fixtures

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Presses at a reaction, and the buttons of the emergency card, are primary: 64 px.
LOW = """() => [...document.querySelectorAll('.reaction-card form button, .emergency-dialog button')]
  .filter((button) => button.checkVisibility() && button.getBoundingClientRect().height < 64)
  .map((button) => button.textContent.trim())"""


@pytest.fixture(autouse=True)
def morning():
    """The browser and the server live by the real clock here."""
    return


def test_a_grave_reaction_by_taps(nurse, open_page):  # noqa: F811
    page = open_page(path_of(started(nurse, 62), "reaction"), "portrait")
    page.get_by_role("radio", name="Anaphylaxis", exact=True).tap()
    expect(page.get_by_text("Look for: hives, wheeze")).to_be_visible()
    page.get_by_role("radio", name="4 Life-threatening").tap()
    page.get_by_role("checkbox", name="Epinephrine").tap()
    page.get_by_role("button", name="Save reaction").tap()
    expect(page.get_by_text("this dose is not restarted")).to_be_visible()
    page.get_by_role("button", name="911 called").tap()
    page.get_by_role("button", name="Prescriber called").tap()
    expect(page.locator(".reaction-done")).to_have_count(2)
    assert [*ReactionStep.objects.values_list("kind", flat=True)] == ["emergency_called", "prescriber_called"]
    assert (faults(page), page.evaluate(LOW)) == ([], [])
    page.get_by_role("link", name="Emergency").tap()
    assert page.evaluate(LOW) == []


@pytest.mark.parametrize("grade", [1, 2])
def test_cards_of_milder_reactions_are_accessible_and_their_presses_are_large(nurse, open_page, grade):  # noqa: F811
    record = started(nurse, 62)
    record_reaction(record=record, kind="headache", grade=grade, action="Fluids", by=nurse.user)
    page = open_page(path_of(record))
    assert (faults(page), page.evaluate(LOW)) == ([], [])
