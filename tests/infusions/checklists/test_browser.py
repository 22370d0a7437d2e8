"""The check in a real Chromium with touch: quick taps, two nurses, a lost connection, sizes of targets."""

import pytest
from django.test import Client

from infusions.checklists.hold_services import record_hold_step
from infusions.checklists.models import PatientReport, PreInfusionChecklist, RunStatus
from infusions.checklists.queries import latest_answers
from infusions.checklists.services import answer_item, close_checklist, start_checklist
from infusions.scheduling.states import State
from tests.factories.accounts import force_login, make_staff
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
        force_login(client, user)
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


def test_answers_of_two_nurses_cross_and_each_sees_who_said_what(run, open_page):
    first = open_page(run.started_by)
    second = open_page(make_staff(site=run.appointment.site, full_name="Bea Nurse"))
    first.locator("#consent-yes").tap()
    first.locator("#item-consent.is-fine").wait_for()
    second.locator("#consent-no").tap()
    second.locator("#item-consent").get_by_text("yours, No, is the latest").wait_for(timeout=8000)
    first.locator("#item-consent").get_by_text("Bea Nurse answered No").wait_for(timeout=8000)
    assert [page.locator("#consent-no").is_checked() for page in (first, second)] == [True, True]
    values = list(run.answers.order_by("id").values_list("value", flat=True))
    assert values == ["yes", "no"]


def test_news_about_a_question_in_hand_waits_until_it_is_let_go(run, open_page):
    first = open_page(run.started_by)
    first.locator("#weight-field").tap()
    first.keyboard.type("7")
    other = make_staff(site=run.appointment.site)
    weight = run.template.items.get(code="weight")
    with first.expect_response(lambda response: "/changes/" in response.url and response.status == 200):
        answer_item(run=run, item=weight, value="71", by=other)
    assert first.locator("#weight-field").input_value() == "7"
    first.keyboard.press("Backspace")
    first.locator("#item-consent").tap(position={"x": 5, "y": 5})
    first.evaluate("document.activeElement.blur()")
    first.locator("#item-weight.is-fine").wait_for(timeout=9000)
    assert (first.locator("#weight-field").input_value(), run.answers.count()) == ("71", 1)


def test_leaving_and_coming_back_resumes_where_it_was(run, open_page):
    page = open_page(run.started_by)
    page.locator("#identity-name-yes").tap()
    page.locator("#weight-field").fill("70.5")
    page.locator("#identity-birth-date-yes").tap()
    page.locator("#item-weight.is-fine").wait_for()
    page.locator("#item-identity-birth-date.is-fine").wait_for()
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    page.get_by_text("3 of 25").wait_for()
    shown = [page.locator(f"#{code}").is_checked() for code in ("identity-name-yes", "identity-birth-date-yes")]
    assert (shown, page.locator("#weight-field").input_value()) == ([True, True], "70.5")
    page.locator("[data-next]").tap()
    assert page.evaluate("document.activeElement.closest('[data-item]').dataset.item") == "order-matches"


def test_steps_after_a_failed_check_take_two_taps_and_the_clock_runs(run, open_page):
    give_answers(run, good_answers(run) | {"dehydration-signs": ["postural-fall"]}, by=run.started_by)
    close_checklist(run=run, by=run.started_by)
    page = open_page(run.started_by)
    page.get_by_role("button", name="250 mL").tap()
    clock = page.locator(".check-recheck .due-clock")
    clock.wait_for()
    texts = {clock.text_content()}
    page.wait_for_function(
        "(seen) => document.querySelector('.check-recheck .due-clock').textContent.startsWith('in ')", arg=list(texts)
    )
    page.get_by_role("button", name="Check again", exact=True).tap()
    page.locator("#item-weight").get_by_role("button", name="Confirm").tap()
    page.locator("#item-weight.is-fine").wait_for()
    assert kept(run.appointment.checklists.get(status=RunStatus.OPEN)) == {"weight": "70"}


def interactive(page) -> list:
    return page.evaluate(
        """() => [...document.querySelectorAll("a, button, summary, textarea, input:not([type=hidden])")]
            .filter((element) => element.offsetParent !== null)
            .map((element) => [String(element.className || element.id), element.closest("[data-item]") !== null,
                element.closest(".halves:not(.halves-many)") !== null,
                element.getBoundingClientRect().width, element.getBoundingClientRect().height])"""
    )


@pytest.mark.parametrize("size", [(1024, 768), (768, 1024), (390, 844)])
def test_targets_are_large_accessible_and_within_the_edge(run, open_page, axe, size):
    """With a report to confirm, a second check's offers, an answer that stops, and what two nurses differ about."""
    visit, nurse = run.appointment, run.started_by
    give_answers(run, good_answers(run) | {"systolic": "185"}, by=nurse)
    close_checklist(run=run, by=nurse)
    second = start_checklist(appointment=visit, by=nurse)
    said = {"intake-day-before": "1440", "new-drugs": "yes"}
    PatientReport.objects.create(appointment=visit, values=said, comment="Tired", reported_at=second.started_at)
    give_answers(second, {"consent": "yes", "new-drugs": ["nsaid"]}, by=make_staff(site=visit.site))
    give_answers(second, {"consent": "no"}, by=nurse)
    page = open_page(nurse, size)
    sized = [box for box in interactive(page) if not any(name in box[0] for name in UNSIZED)]
    assert [box for box in sized if min(box[3:]) < 44] == []
    assert [box for box in sized if box[1] and box[4] < 63.9] == []
    assert size[0] < 700 or [box for box in sized if box[2] and box[4] < 75.9] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert axe(page) == []


@pytest.mark.parametrize("size", [(1024, 768), (768, 1024), (390, 844)])
def test_the_page_of_a_failed_check_has_large_targets_too(run, open_page, axe, size):
    give_answers(run, good_answers(run) | {"dehydration-signs": ["postural-fall"]}, by=run.started_by)
    close_checklist(run=run, by=run.started_by)
    record_hold_step(run=run, kind="fluids", amount_ml=250, by=run.started_by)
    page = open_page(run.started_by, size)
    page.get_by_text("No infusion today").first.tap()
    sized = [box for box in interactive(page) if not any(name in box[0] for name in UNSIZED)]
    assert [box for box in sized if min(box[3:]) < 44] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert axe(page) == []
