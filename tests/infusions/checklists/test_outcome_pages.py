"""What came of a check, who decides on it, and how it is read later."""

import re

import pytest
from django.urls import reverse

from infusion_center.accounts.models import RoleGrant
from infusions.checklists.models import ChecklistOverride, PreInfusionChecklist, RunStatus
from tests.factories.checklists import (
    give_answers,
    make_open_checklist,
    make_passed_checklist,
    make_template,
)

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


def test_a_failed_check_says_hold_and_offers_another(nurse, arrived):
    make_passed_checklist(arrived, dehydration_signs=["postural-fall"])
    text = nurse.get(page(arrived)).text
    assert "Hold: do not start the infusion" in text
    assert "Give fluids as ordered" in text
    assert "Check again" in text
    assert "Let this pass" not in text
    nurse.post(reverse("checklists:checklist-start", args=[arrived.public_id]))
    assert [run.status for run in PreInfusionChecklist.objects.order_by("id")] == ["failed", "open"]


def test_the_second_run_shows_the_earlier_answers_beside(nurse, arrived):
    make_passed_checklist(arrived, systolic="185")
    nurse.post(reverse("checklists:checklist-start", args=[arrived.public_id]))
    text = nurse.get(page(arrived)).text
    assert "Last: <b>185 mmHg</b>" in text
    assert "0 of 25 answered" in words(text)


def test_a_pharmacist_lets_a_problem_pass_with_a_reason(client_for, arrived, pharmacist):
    run = make_passed_checklist(arrived, systolic="185")
    client = client_for("pharmacist")
    assert "Let this pass" in client.get(page(arrived)).text
    answer = client.post(
        url("checklist-override", run), {"code": "systolic-high", "reason": "Dr. Example agrees"}, follow=True
    )
    run.refresh_from_db()
    assert run.status == RunStatus.OVERRIDDEN
    assert "“Dr. Example agrees”" in answer.text
    assert ChecklistOverride.objects.get().overridden_by == pharmacist


def test_an_override_without_reason_keeps_the_form_and_writes_nothing(client_for, arrived):
    run = make_passed_checklist(arrived, systolic="185", pulse="130")
    answer = client_for("pharmacist").post(url("checklist-override", run), {"code": "pulse-high", "reason": " "})
    assert "This field is required." in answer.text
    assert 'id="pulse-high_reason"' in answer.text
    assert not ChecklistOverride.objects.exists()


def test_nobody_is_offered_to_let_a_cold_product_pass(client_for, arrived):
    run = make_passed_checklist(arrived, room_temperature="no")
    client = client_for("pharmacist")
    text = client.get(page(arrived)).text
    assert ("Let this pass" in text, "Nobody can let this pass." in text) == (False, True)
    answer = client.post(url("checklist-override", run), {"code": "room-temperature", "reason": "Late"}, follow=True)
    assert "This can never be overridden." in answer.text
    assert not ChecklistOverride.objects.exists()


def test_a_nurse_cannot_override(nurse, arrived):
    run = make_passed_checklist(arrived, systolic="185")
    answer = nurse.post(url("checklist-override", run), {"code": "systolic-high", "reason": "I may"})
    assert (answer.status_code, ChecklistOverride.objects.exists()) == (403, False)


def test_a_pharmacist_looks_on_while_a_nurse_fills(client_for, arrived, run, nurse_user):
    give_answers(run, {"systolic": "185"}, by=nurse_user)
    text = client_for("pharmacist").get(page(arrived)).text
    assert "In progress: 1 of 25 answered" in text
    assert "Systolic pressure outside the limits. 185 mmHg, at most 180 wanted." in text


@pytest.mark.parametrize(
    ("role", "status"), [("nurse", 200), ("pharmacist", 200), ("manager", 200), ("scheduler", 403)]
)
def test_a_filled_check_is_read_later_with_its_version(client_for, arrived, role, status):
    run = make_passed_checklist(arrived, live_vaccine="yes")
    answer = client_for(role).get(url("run-detail", run))
    assert answer.status_code == status
    if status == 200:
        assert "Version 1" in answer.text
        assert "Live vaccine given or planned." in answer.text


@pytest.mark.parametrize(("role", "status"), [("pharmacist", 200), ("manager", 200), ("nurse", 403)])
def test_the_questions_in_use_are_shown_with_their_sources(client_for, role, status):
    make_template()
    answer = client_for(role).get(reverse("checklists:template-detail"))
    assert (answer.status_code, "KDIGO" in answer.text) == (status, status == 200)


def test_a_nurse_with_two_roles_may_fill_and_decide(client_for, staff, arrived):
    run = make_passed_checklist(arrived, systolic="185")
    RoleGrant.objects.create(user=staff["nurse"], role="pharmacist", granted_at=run.closed_at)
    text = client_for("nurse").get(page(arrived)).text
    assert ("Let this pass" in text, "Check again" in text) == (True, True)
