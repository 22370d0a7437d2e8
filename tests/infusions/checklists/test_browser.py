"""The check in a real Chromium with touch: quick taps, two nurses, a lost connection, sizes of targets."""

import pytest
from django.test import Client

from infusions.checklists.models import PreInfusionChecklist, RunStatus
from infusions.checklists.queries import latest_answers
from infusions.scheduling.states import State
from tests.factories.accounts import make_staff
from tests.factories.checklists import GOOD_NUMBERS, give_answers, good_answers, make_open_checklist
from tests.factories.facility import make_site
from tests.factories.scheduling import make_appointment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
UNSIZED = ("skip-link", "patient-name", "chip", "check-save-default")  # the banner's links lead away, not on


@pytest.fixture
def run(transactional_db):
    site = make_site()
    return make_open_checklist(make_appointment(site=site, state=State.ARRIVED))


@pytest.fixture
def open_page(chromium, live_server, run):
    """open_page(user) is the check on that person's tablet, already loaded."""
    address = f"{live_server.url}/appointments/{run.appointment.public_id}/checklist/"
    contexts = []

    def opened(user, size=(1024, 768)):
        client = Client()
        client.force_login(user)
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=True)
        contexts.append(context)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


def kept(run) -> dict:
    return {code: answer.value for code, answer in latest_answers(run).items()}


def test_a_whole_check_by_taps_and_numbers_passes(run, open_page):
    page = open_page(run.started_by)
    for code, value in good_answers(run).items():
        if code in GOOD_NUMBERS or code in ("weight", "creatinine-on"):
            page.locator(f"#{code}-field").fill(value)
        else:
            for choice in value if isinstance(value, list) else [value]:
                page.locator(f"#{code}-{choice}").tap()
    page.get_by_text("Nothing stands against the start.").wait_for()
    page.get_by_role("button", name="Finish check").tap()
    page.get_by_text("Passed: the infusion may start").wait_for()
    assert PreInfusionChecklist.objects.get().status == RunStatus.PASSED


def test_quick_taps_on_one_question_all_count(run, open_page):
    page = open_page(run.started_by)
    for sign in ("thirst", "dizzy", "losses"):
        page.locator(f"#dehydration-signs-{sign}").tap()
    page.get_by_text("Dehydrated: 3 signs.").first.wait_for()
    page.locator("#dehydration-signs-none").tap()
    page.locator("#item-dehydration-signs.is-fine").wait_for()
    assert kept(run) == {"dehydration-signs": ["none"]}


def test_two_nurses_see_each_others_answers_without_reloading(run, open_page):
    first = open_page(run.started_by)
    second = open_page(make_staff(site=run.appointment.site, full_name="Other Nurse"))
    second.locator("#consent-yes").tap()
    second.locator("#item-consent.is-fine").wait_for()
    first.locator("#iv-access-yes").tap()
    first.locator("#item-consent").get_by_text("by ON").wait_for()
    assert first.locator("#consent-yes").is_checked()
    assert kept(run) == {"consent": "yes", "iv-access": "yes"}


def test_an_answer_given_without_connection_says_so_and_is_sent_later(run, open_page):
    page = open_page(run.started_by)
    page.context.set_offline(True)
    page.locator("#consent-yes").tap()
    page.locator("#item-consent").get_by_text("Not saved.").wait_for()
    assert page.locator("[data-offline]").is_visible()
    assert kept(run) == {}
    page.context.set_offline(False)
    page.locator("#item-consent.is-fine").wait_for()
    assert kept(run) == {"consent": "yes"}


def test_next_unanswered_goes_on_from_here_and_begins_again(run, open_page):
    required = [code for code in good_answers(run) if code not in ("creatinine", "creatinine-on")]
    give_answers(run, {code: good_answers(run)[code] for code in required[2:-1]}, by=run.started_by)
    page = open_page(run.started_by)
    visited = []
    for _ in range(4):
        page.locator("[data-next]").tap()
        visited.append(page.evaluate("document.activeElement.closest('[data-item]').dataset.item"))
    assert visited == [required[0], required[1], required[-1], required[0]]


@pytest.mark.parametrize("size", [(1024, 768), (768, 1024), (390, 844)])
def test_targets_are_large_and_nothing_runs_over_the_edge(run, open_page, size):
    page = open_page(run.started_by, size)
    boxes = page.evaluate(
        """() => [...document.querySelectorAll("a, button, summary, textarea, input:not([type=hidden])")]
            .filter((element) => element.offsetParent !== null)
            .map((element) => [String(element.className || element.id), element.closest("[data-item]") !== null,
                element.getBoundingClientRect().width, element.getBoundingClientRect().height])"""
    )
    sized = [box for box in boxes if not any(name in box[0] for name in UNSIZED)]
    assert [box for box in sized if min(box[2:]) < 44] == []
    assert [box for box in sized if box[1] and box[3] < 63.9] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
