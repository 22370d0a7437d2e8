"""Answers tapped faster than they are kept."""

import pytest
from playwright.sync_api import expect

from infusions.checklists.queries import latest_answers
from infusions.facility.models import Nurse
from tests.factories.checklists import make_open_checklist
from tests.factories.facility import make_chair
from tests.factories.scheduling import make_appointment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TAP_FAST = """(ids) => ids.forEach((id) => document.getElementById(id).click())"""


def test_three_taps_in_one_breath_are_all_kept(open_page, site, nurse_user):
    nurse = Nurse.objects.create(user=nurse_user)
    visit = make_appointment(chair=make_chair(site=site), nurse=nurse)
    run = make_open_checklist(visit)
    page = open_page("nurse", width=1024, height=768, has_touch=True)
    page.goto(f"/appointments/{visit.public_id}/checklist/")
    taps = [f"dehydration-signs-{sign}" for sign in ("thirst", "dry-mouth", "dizzy")]
    page.evaluate(TAP_FAST, [*taps, "urine-normal-no"])
    question = page.get_by_role("group", name="Any sign of dehydration?")
    expect(question.get_by_text("Dehydrated: 3 signs.")).to_be_visible()
    expect(page.get_by_role("group", name="Urine normal").get_by_text("Saved")).to_be_visible()
    kept = {code: answer.value for code, answer in latest_answers(run).items()}
    assert kept == {"dehydration-signs": ["thirst", "dry-mouth", "dizzy"], "urine-normal": "no"}
    assert [page.locator(f"#{tap}").is_checked() for tap in taps] == [True, True, True]
