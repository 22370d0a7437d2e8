"""Hand-over in a real Chromium with touch: the lock hides what was typed and loses none, and who is attributed."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.checklists.models import ChecklistAnswer
from infusions.doses.models import DoseState
from infusions.doses.reaction_models import Reaction
from infusions.scheduling.states import State
from tests.factories.accounts import KEY, PASSWORD, PIN, make_pin, make_staff, make_tablet
from tests.factories.checklists import make_open_checklist
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_site
from tests.factories.scheduling import make_appointment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Whatever can be pressed on the lock; a tile is pressed through its face.
TARGETS = """() => [...document.querySelectorAll('.lock-overlay :is(button, a, .lock-tile, [data-pin])')]
  .map(e => [e.textContent.trim(), Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height)])"""


@pytest.fixture
def site(transactional_db):
    return make_site(weekdays=range(7), opens="00:00", closes="23:59")


@pytest.fixture
def ann(site):
    return make_staff(site=site, full_name="Ann Able")


@pytest.fixture
def bea(site):
    return make_staff(site=site, full_name="Bea Baker")


@pytest.fixture
def page(chromium, live_server, ann, bea):
    """The shared tablet: Bea gave her password this morning, Ann is at it."""
    make_tablet(by=ann)
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, has_touch=True, base_url=live_server.url)
    context.add_cookies([{"name": "tablet", "value": KEY, "url": live_server.url}])
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.clock.install()
    for person in (bea, ann):
        make_pin(person)
        page.goto("/accounts/login/")
        sign_in(page, person)
        if person == bea:
            page.goto("/lock/")
            with page.expect_navigation():
                page.locator("[data-by-password]").tap()
    yield page
    context.close()


def sign_in(page, person):
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").tap()


def lock(page):
    page.locator(".strip-lock button").tap()
    page.locator("[data-digit='1']").wait_for()


def type_pin(page, pin=PIN):
    """Answers the number of taps."""
    for digit in pin:
        page.locator(f"[data-digit='{digit}']").tap()
    return len(pin)


def take_over(page, person):
    page.locator(".lock-tile").filter(has_text=person.full_name).tap()
    with page.expect_navigation():
        return 1 + type_pin(page)


def reaction_page(site) -> str:
    start = clock.now() - dt.timedelta(minutes=62)
    visit = make_appointment(site=site, start=start, state=State.IN_PROGRESS)
    record = make_dose_record(visit, state=DoseState.INFUSING)
    return f"/appointments/{record.appointment.public_id}/infusion/?do=reaction"


def test_what_was_typed_stands_there_after_lock_and_pin_and_is_saved_under_that_person(page, site, ann, axe):
    page.goto(reaction_page(site))
    name = page.locator(".patient-name").first.inner_text()
    page.get_by_label("Notes").fill("Red cheeks since the step")
    lock(page)
    assert (page.title(), name in page.locator(".lock-overlay").inner_text()) == ("Locked", False)
    assert page.locator(".patient-banner").is_visible() is False
    assert [target for target in page.evaluate(TARGETS) if target[1] < 44] == []
    keys = page.locator(".pad-key").evaluate_all("keys => keys.map(key => key.getBoundingClientRect().height)")
    assert (len(keys), min(keys) >= 64, axe(page)) == (12, True, [])
    assert type_pin(page) <= 7
    page.locator(".lock-overlay").wait_for(state="detached")
    assert page.get_by_label("Notes").input_value() == "Red cheeks since the step"
    for choice in ("Flushing", "1 mild", "Watched"):
        page.locator(".half").filter(has_text=choice).first.tap()
    with page.expect_navigation():
        page.get_by_role("button", name="Save reaction").tap()
    reaction = Reaction.objects.get()
    assert (reaction.notes, reaction.recorded_by) == ("Red cheeks since the step", ann)


def test_it_comes_back_to_its_person_only_after_somebody_else_used_the_tablet(page, site, ann, bea):
    address = reaction_page(site)
    page.goto(address)
    page.get_by_label("Notes").fill("Red cheeks since the step")
    lock(page)
    assert take_over(page, bea) <= 7
    expect(page).to_have_url(re.compile(r"/tablet/$"))
    page.goto(address)
    assert (page.get_by_label("Notes").input_value(), page.locator("[data-kept-message]").count()) == ("", 0)
    lock(page)
    take_over(page, ann)
    page.goto(address)
    expect(page.get_by_text("What you had typed before the lock is back")).to_be_visible()
    assert page.get_by_label("Notes").input_value() == "Red cheeks since the step"
    page.goto(address)
    assert page.get_by_label("Notes").input_value() == ""


def test_an_answer_after_the_hand_over_is_the_other_persons(page, site, ann, bea):
    run = make_open_checklist(make_appointment(site=site, state=State.ARRIVED))
    address = f"/appointments/{run.appointment.public_id}/checklist/"
    page.goto(address)
    page.locator("#consent-yes").tap()
    page.locator("#item-consent.is-fine").wait_for()
    lock(page)
    take_over(page, bea)
    page.goto(address)
    page.locator("#iv-access-yes").tap()
    page.locator("#item-iv-access.is-fine").wait_for()
    answers = ChecklistAnswer.objects.values_list("item__code", "answered_by__full_name")
    assert dict(answers) == {"consent": "Ann Able", "iv-access": "Bea Baker"}


def test_an_answer_given_as_the_server_locked_is_hers_when_she_is_back(page, site, ann, bea):
    """Refused, kept, and sent under her own name; what a colleague answered meanwhile is left as it is."""
    run = make_open_checklist(make_appointment(site=site, state=State.ARRIVED))
    address = f"/appointments/{run.appointment.public_id}/checklist/"
    page.goto(address)
    page.route("**/answers/**", lambda route: route.abort())
    for question in ("consent", "iv-access"):
        page.locator(f"#{question}-yes").tap()
        page.locator(f"#item-{question}").get_by_text("Not saved.").wait_for()
    lock(page)
    page.unroute("**/answers/**")
    take_over(page, bea)
    page.goto(address)
    page.locator("#consent-no").tap()
    page.locator("#item-consent [data-status]").get_by_text("by BB").wait_for()
    lock(page)
    take_over(page, ann)
    page.goto(address)
    page.locator("#item-iv-access [data-status]").get_by_text("by AA").wait_for()
    expect(page.get_by_text("Changed by somebody meanwhile")).to_be_visible()
    answers = ChecklistAnswer.objects.values_list("item__code", "answered_by__full_name", "value")
    assert sorted(answers) == [("consent", "Bea Baker", "no"), ("iv-access", "Ann Able", "yes")]


def test_an_answer_that_a_locked_server_refused_is_sent_after_the_pin(page, site, ann):
    """The tablet was locked elsewhere, in another tab: this page hears of it by the refusal."""
    run = make_open_checklist(make_appointment(site=site, state=State.ARRIVED))
    page.goto(f"/appointments/{run.appointment.public_id}/checklist/")
    page.evaluate("""() => fetch(document.body.dataset.lockNowUrl, {method: "POST", headers: {
        "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers"))["x-csrftoken"]}, redirect: "manual"})""")
    page.locator("#consent-yes").tap()
    page.locator("[data-digit='1']").wait_for()
    assert ChecklistAnswer.objects.count() == 0
    type_pin(page)
    page.locator("#item-consent.is-fine").wait_for()
    assert ChecklistAnswer.objects.get().answered_by == ann


def test_five_wrong_pins_need_the_password(page, ann):
    page.goto("/tablet/")
    lock(page)
    for left in ("4 tries", "3 tries", "2 tries", "1 try"):
        type_pin(page, "135791")
        page.get_by_text(f"The PIN is wrong. {left} left.").wait_for()
    type_pin(page, "135791")
    page.get_by_text("Now the password is needed.").wait_for()
    type_pin(page)
    page.get_by_text("The password is needed now").wait_for()
    with page.expect_navigation():
        page.locator("[data-by-password]").tap()
    sign_in(page, ann)
    page.goto("/tablet/")
    assert page.locator(".strip-lock").is_visible()


def test_a_tablet_left_alone_locks_by_itself_and_touches_keep_it_open(page, site):
    page.goto("/tablet/")
    page.clock.fast_forward("02:30")
    page.locator("h1").tap()
    page.clock.fast_forward("02:50")
    expect(page.locator("[data-lock-left]")).to_have_text(re.compile(r"Locks in \d+ s"))
    assert page.locator(".lock-overlay").count() == 0
    page.clock.fast_forward("00:30")
    page.locator("[data-digit='1']").wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".lock-overlay").is_visible()
    page.reload()
    expect(page).to_have_url(re.compile(r"/lock/\?next="))
    type_pin(page)
    expect(page).to_have_url(re.compile(r"/tablet/$"))


def test_the_board_locks_by_one_tap_too(page, ann):
    page.goto("/board/")
    with page.expect_response(lambda response: response.request.method == "POST" and "lock" in response.url):
        page.get_by_role("button", name="Lock").tap()
    expect(page.locator(".lock-overlay")).to_be_visible()
    assert AuditEvent.objects.filter(action="tablet.locked", actor_id=ann.pk).count() == 1
