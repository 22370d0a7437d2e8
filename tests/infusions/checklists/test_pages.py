"""Pages of the pre-infusion check, through the client: what works, what is refused, what stays on the page."""

import re

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusions.checklists.models import PreInfusionChecklist, RunStatus
from infusions.checklists.queries import latest_answers
from infusions.scheduling.states import State
from tests.factories.accounts import make_staff
from tests.factories.checklists import (
    give_answers,
    good_answers,
    make_open_checklist,
    make_passed_checklist,
    make_template,
)
from tests.factories.facility import make_site
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def run(arrived):
    return make_open_checklist(arrived)


@pytest.fixture
def nurse(client_for):
    return client_for("nurse")


def page(appointment):
    return reverse("checklists:checklist-detail", args=[appointment.public_id])


def words(text):
    """The page as read: tags away, one blank between words."""
    return " ".join(re.sub(r"<[^>]+>", "", text).split())


def url(name, run, *more):
    return reverse(f"checklists:{name}", args=[run.public_id, *more])


def test_the_page_offers_to_start_and_starting_opens_a_run(nurse, arrived, nurse_user):
    make_template()
    assert "Start check" in nurse.get(page(arrived)).text
    answer = nurse.post(reverse("checklists:checklist-start", args=[arrived.public_id]))
    run = PreInfusionChecklist.objects.get()
    assert (answer.status_code, answer.url) == (302, page(arrived))
    assert (run.appointment, run.started_by, run.status) == (arrived, nurse_user, RunStatus.OPEN)


def test_the_page_of_a_patient_not_checked_in_offers_no_start(nurse, site):
    make_template()
    expected = make_appointment(site=site)
    assert "Start check" not in nurse.get(page(expected)).text
    answer = nurse.post(reverse("checklists:checklist-start", args=[expected.public_id]), follow=True)
    assert "The patient is not checked in." in answer.text
    assert not PreInfusionChecklist.objects.exists()


def test_the_page_shows_every_question_with_progress_and_records_the_opening(nurse, arrived, run):
    text = nurse.get(page(arrived)).text
    assert "0 of 25 answered" in words(text)
    assert 'href="#item-identity-name"' in text
    assert all(f'id="item-{item.code}"' in text for item in run.template.items.all())
    opened = AuditEvent.objects.filter(action="chart.opened", patient_id=arrived.patient.public_id)
    assert [event.detail for event in opened] == [{"what": "pre-infusion check"}]


@pytest.mark.parametrize(
    ("name", "more"), [("checklist-answer", ["weight"]), ("checklist-save", []), ("checklist-close", [])]
)
@pytest.mark.parametrize("role", ["scheduler", "pharmacist", "manager"])
def test_only_a_nurse_fills(client_for, run, role, name, more):
    answer = client_for(role).post(url(name, run, *more), {"weight": "70"})
    run.refresh_from_db()
    assert (answer.status_code, run.answers.count(), run.is_open) == (403, 0, True)


@pytest.mark.parametrize("role", ["scheduler", "manager"])
def test_the_page_is_closed_to_the_front_desk(client_for, arrived, run, role):
    assert client_for(role).get(page(arrived)).status_code == 403


@pytest.mark.parametrize("name", ["checklist-save", "checklist-close", "checklist-changes", "run-detail"])
def test_a_visit_of_another_site_is_not_found(nurse, name):
    other = make_open_checklist(make_appointment(site=make_site(), state=State.ARRIVED))
    method = nurse.get if name in ("checklist-changes", "run-detail") else nurse.post
    assert method(url(name, other)).status_code == 404
    assert nurse.get(page(other.appointment)).status_code == 404
    assert nurse.post(url("checklist-answer", other, "weight"), {"weight": "70"}).status_code == 404
    assert other.answers.count() == 0


def test_unknown_ids_are_not_found(nurse, run):
    run_url = reverse("checklists:checklist-save", args=["nothing"])
    assert nurse.get(reverse("checklists:checklist-detail", args=["nothing"])).status_code == 404
    assert nurse.post(run_url).status_code == 404
    assert nurse.post(url("checklist-answer", run, "shoe-size"), {"shoe-size": "43"}).status_code == 404


@pytest.mark.parametrize("name", ["checklist-save", "checklist-close", "checklist-override"])
def test_a_get_changes_nothing(nurse, client_for, run, name):
    client = client_for("pharmacist") if name == "checklist-override" else nurse
    assert client.get(url(name, run)).status_code == 405
    run.refresh_from_db()
    assert run.is_open


def test_one_answer_is_saved_and_says_so(nurse, run, nurse_user):
    answer = nurse.post(url("checklist-answer", run, "weight"), {"weight": "71.4", "seen": "0"}, headers=HTMX)
    kept = latest_answers(run)["weight"]
    assert (kept.value, kept.answered_by) == ("71.4", nurse_user)
    assert f"by {nurse_user.initials}" in answer.text
    assert "+2.0 % against the order" in answer.text
    assert "1 of 25 answered" in words(answer.text)
    assert answer.text.strip().startswith('<fieldset class="check-item is-fine')


def test_an_answer_that_stops_the_start_says_why_at_once(nurse, run):
    answer = nurse.post(
        url("checklist-answer", run, "dehydration-signs"), {"dehydration-signs": ["thirst", "losses"]}, headers=HTMX
    )
    assert "Dehydrated: 2 signs." in answer.text
    assert "1 stops the start" in words(answer.text)


def test_an_unreadable_number_stays_on_the_page_with_an_error_beside_it(nurse, run):
    answer = nurse.post(url("checklist-answer", run, "weight"), {"weight": "7O.5"}, headers=HTMX)
    assert 'value="7O.5"' in answer.text
    assert "“7O.5” is not a number." in answer.text
    assert run.answers.count() == 0


def test_an_unreadable_number_keeps_the_earlier_answer(nurse, run):
    nurse.post(url("checklist-answer", run, "weight"), {"weight": "70.5"}, headers=HTMX)
    answer = nurse.post(url("checklist-answer", run, "weight"), {"weight": "705"}, headers=HTMX)
    assert "705 kg cannot be right. Expected 1 to 400. Kept: 70.5 kg." in answer.text
    assert latest_answers(run)["weight"].value == "70.5"


def test_the_reply_brings_what_a_colleague_answered_since(nurse, run, arrived):
    colleague = make_staff(site=arrived.site, full_name="Other Nurse")
    give_answers(run, {"consent": "yes"}, by=colleague)
    answer = nurse.post(url("checklist-answer", run, "pulse"), {"pulse": "72", "seen": "0"}, headers=HTMX)
    assert 'id="item-consent"' in answer.text
    assert "by ON" in answer.text
    assert 'id="item-iv-access"' not in answer.text


def test_the_page_asks_for_changes_and_gets_only_those(nurse, run, arrived):
    seen = run.answers.order_by("-id").values_list("id", flat=True).first() or 0
    give_answers(run, {"consent": "yes"}, by=make_staff(site=arrived.site))
    text = nurse.get(url("checklist-changes", run), {"seen": seen}, headers=HTMX).text
    assert ('id="item-consent"' in text, 'id="item-pulse"' in text, "1 of 25 answered" in words(text)) == (
        True,
        False,
        True,
    )
    later = nurse.get(url("checklist-changes", run), {"seen": run.answers.last().pk}, headers=HTMX).text
    assert 'id="item-consent"' not in later
    assert nurse.get(url("checklist-changes", run), {"seen": "²"}, headers=HTMX).status_code == 200


def test_premedication_taken_asks_for_its_time(nurse, run):
    text = nurse.post(url("checklist-answer", run, "premedication"), {"premedication": "taken"}, headers=HTMX).text
    card = text[text.index('id="item-premedication-at"') :]
    assert "hidden" not in card[: card.index(">")]


def test_an_answer_to_a_run_closed_meanwhile_leads_to_what_came_of_it(nurse, arrived):
    closed = make_passed_checklist(arrived)
    before = closed.answers.count()
    answer = nurse.post(url("checklist-answer", closed, "weight"), {"weight": "80"}, headers=HTMX)
    assert (answer.headers["HX-Redirect"], closed.answers.count()) == (page(arrived), before)
    assert "This check is closed; its answers stand." in nurse.get(page(arrived)).text


def test_without_javascript_one_button_saves_what_was_changed(nurse, run, arrived):
    give_answers(run, {"consent": "yes", "pulse": "70"}, by=make_staff(site=arrived.site))
    shown = {"was-consent": "yes", "consent": "yes", "was-pulse": "", "pulse": "", "was-weight": "", "weight": "70"}
    answer = nurse.post(url("checklist-save", run), shown, follow=True)
    assert "1 answer saved." in answer.text
    assert [kept.value for kept in run.answers.order_by("id")] == ["yes", "70", "70"]


def test_without_javascript_a_stale_page_does_not_overwrite_a_colleague(nurse, run, arrived):
    give_answers(run, {"infection": "yes"}, by=make_staff(site=arrived.site))
    nurse.post(url("checklist-save", run), {"was-infection": "no", "infection": "no", "was-pulse": "", "pulse": "66"})
    assert {code: kept.value for code, kept in latest_answers(run).items()} == {"infection": "yes", "pulse": "66"}


def test_without_javascript_errors_keep_what_was_typed_and_save_the_rest(nurse, run):
    answer = nurse.post(url("checklist-save", run), {"weight": "seventy", "pulse": "66"})
    assert answer.status_code == 200
    assert 'value="seventy"' in answer.text
    assert '<a href="#item-weight">Weight today</a>: “seventy” is not a number.' in answer.text
    assert {code: kept.value for code, kept in latest_answers(run).items()} == {"pulse": "66"}


def test_finishing_too_early_lists_what_is_missing(nurse, run, nurse_user):
    answers = good_answers(run)
    del answers["pulse"]
    give_answers(run, answers, by=nurse_user)
    text = nurse.post(url("checklist-close", run)).text
    assert '<a href="#item-pulse">Pulse</a>: Not answered yet.' in text
    run.refresh_from_db()
    assert run.is_open


def test_finishing_takes_the_last_answer_along(nurse, run, nurse_user, arrived):
    answers = good_answers(run)
    del answers["pulse"]
    give_answers(run, answers, by=nurse_user)
    answer = nurse.post(url("checklist-close", run), {"was-pulse": "", "pulse": "72"}, follow=True)
    run.refresh_from_db()
    assert (run.status, "Passed: the infusion may start" in answer.text) == (RunStatus.PASSED, True)
