"""Pages of the versions of the questions: reading them, putting a draft into use, who may."""

import pytest
from django.urls import reverse

from infusions.checklists.models import ChecklistItem, ChecklistTemplate
from infusions.checklists.template_item_services import add_item, amend_item, remove_item
from infusions.checklists.template_services import discard_draft, publish_draft, start_draft
from infusions.scheduling.states import State
from tests.factories.checklists import make_passed_checklist
from tests.factories.scheduling import make_appointment
from tests.infusions.checklists.versions import SORE, item, typed, url, words

pytestmark = pytest.mark.django_db
SORE_FORM = {
    "section": "Infection", "text": "Sore throat?", "expected": "no", "severity": "approval", "where": "home_only",
    "condition": "infection|no", "is_required": "on", "problem_text": "Sore.", "remedy": "Look.",
}  # fmt: skip


@pytest.fixture
def editor(client_for):
    return client_for("pharmacist")


def test_the_page_in_use_shows_limits_choices_and_the_answer_that_fails(editor, in_use):
    page = words(editor.get(url("template-detail")))
    shown = (
        "Number in mL, whole 0 to 8000 mL can be right Below 250 mL Warning",
        "One of: Taken, None ordered, Not taken (needs approval)",
        "Fever, cough, antibiotics or other sign of infection? Yes or no “Yes” Blocker",
        "In a chair, first dose only",
        "waits for “Premedication” answered “Taken”",
    )
    assert [text for text in shown if text not in page] == []


def test_change_questions_starts_a_draft_and_a_second_press_leads_to_it(editor, client_for, in_use, pharmacist):
    first = editor.post(url("draft-start"))
    draft = ChecklistTemplate.objects.get(published_at=None)
    second = client_for("manager").post(url("draft-start"), follow=True)
    assert (first.url, second.redirect_chain) == (url("draft-detail", draft), [(url("draft-detail", draft), 302)])
    assert f"{pharmacist.full_name} works on version 2 already." in words(second)


def test_the_list_tells_state_note_person_and_checks_of_each_version(editor, site, in_use, draft, manager, pharmacist):
    make_passed_checklist(make_appointment(site=site, state=State.ARRIVED))
    add_item(draft=draft, fields=SORE, by=manager)
    publish_draft(draft=draft, note="Sore throats came up", by=manager)
    start_draft(by=pharmacist)
    page = editor.get(url("version-list"))
    rows = [(v.version, v.is_active, v.run_count) for v in page.context["versions"]]
    assert rows == [(3, False, 0), (2, True, 0), (1, False, 1)]
    assert f"Version 2 In use Sore throats came up {manager.full_name}" in words(page)


def test_the_page_of_a_version_shows_what_it_changed(editor, in_use, draft, manager):
    add_item(draft=draft, fields=SORE, by=manager)
    amend_item(item=item(draft, "consent"), fields={"severity": "approval"}, by=manager)
    publish_draft(draft=draft, note="Sore throats", by=manager)
    page = words(editor.get(url("version-detail", draft)))
    assert "Added Sore throat? in Infection" in page
    assert "Consent signed and not older than 12 months? A failing answer before: Blocker now: Needs approval" in page


def test_a_filled_check_links_to_its_own_version_which_its_reader_may_open(client_for, site, in_use, draft, manager):
    run = make_passed_checklist(make_appointment(site=site, state=State.ARRIVED))
    add_item(draft=draft, fields=SORE, by=manager)
    publish_draft(draft=draft, note="Sore throats", by=manager)
    nurse = client_for("nurse")
    page = nurse.get(reverse("checklists:run-detail", args=[run.public_id])).text
    assert (f'href="{url("version-detail", in_use)}">Version 1</a>' in page, "Sore throat?" in page) == (True, False)
    old = nurse.get(url("version-detail", in_use))
    assert ("Sore throat?" in old.text, "Earlier" in old.text, "Change questions" in old.text) == (False, True, False)


def test_a_draft_is_not_shown_to_who_may_only_read_versions(client_for, draft):
    nurse = client_for("nurse")
    assert [nurse.get(url(name, draft)).status_code for name in ("version-detail", "draft-detail")] == [404, 403]


@pytest.mark.parametrize("role", ["nurse", "scheduler"])
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("draft-publish", []),
        ("draft-discard", []),
        ("section-move", []),
        ("item-amend", ["consent"]),
        ("item-remove", ["consent"]),
        ("item-move", ["consent"]),
        ("item-add", []),
    ],
)
def test_only_pharmacist_and_manager_edit(client_for, draft, role, name, more):
    before = list(ChecklistItem.objects.order_by("id").values())
    answer = client_for(role).post(url(name, draft, *more), {"text": "Other", "note": "Other", "to": "up"})
    assert (answer.status_code, list(ChecklistItem.objects.order_by("id").values())) == (403, before)


def test_the_page_before_use_shows_changes_warnings_and_takes_the_note(editor, draft, manager, pharmacist):
    add_item(draft=draft, fields=SORE, by=manager)
    remove_item(item=item(draft, "ride-home"), by=manager)
    page = editor.get(url("draft-publish", draft))
    text = words(page)
    assert ("Added Sore throat?" in text, "“Ride home arranged?”: no longer asked." in text) == (True, True)
    empty = editor.post(url("draft-publish", draft), typed(page) | {"note": " "})
    assert list(empty.context["form"].errors) == ["note"]
    editor.post(url("draft-publish", draft), typed(page) | {"note": "Sore throats"})
    draft.refresh_from_db()
    assert (draft.is_active, draft.note, draft.published_by) == (True, "Sore throats", pharmacist)


def test_what_stands_against_a_draft_leads_to_the_question_and_hides_the_button(editor, draft):
    draft.items.filter(code="consent").update(expected="")
    for name in ("draft-publish", "draft-detail"):
        text = editor.get(url(name, draft)).text
        assert f'href="{url("item-amend", draft, "consent")}"' in text, name
    assert "What changed and why" not in editor.get(url("draft-publish", draft)).text


def test_a_change_after_the_page_was_read_is_read_before_it_is_used(editor, draft, manager):
    add_item(draft=draft, fields=SORE, by=manager)
    form = typed(editor.get(url("draft-publish", draft))) | {"note": "Sore throats"}
    remove_item(item=item(draft, "consent"), by=manager)
    page = editor.post(url("draft-publish", draft), form)
    text = words(page)
    assert f"{manager.full_name} changed the draft since you opened this page." in text
    assert ("no longer asked" in text, ChecklistTemplate.objects.filter(published_at=None).exists()) == (True, True)
    assert editor.post(url("draft-publish", draft), typed(page)).url == url("template-detail")


@pytest.mark.parametrize("seen", ["", "yesterday", "2026-13-45T00:00:00+00:00", "2026-11-26T09:00:00"])
def test_a_page_that_does_not_say_when_it_was_read_puts_nothing_into_use(editor, draft, manager, seen):
    add_item(draft=draft, fields=SORE, by=manager)
    for name in ("draft-publish", "draft-discard"):
        assert editor.post(url(name, draft), {"note": "Sore throats", "seen_at": seen}).status_code == 200
    draft.refresh_from_db()
    assert draft.published_at is None


def test_a_draft_is_discarded_after_asking(editor, draft):
    page = editor.get(url("draft-discard", draft))
    editor.post(url("draft-discard", draft), typed(page))
    assert list(ChecklistTemplate.objects.values_list("version", flat=True)) == [1]


@pytest.mark.parametrize("name", ["draft-detail", "draft-publish", "draft-discard", "item-add"])
def test_a_draft_that_a_colleague_ended_is_told(editor, draft, manager, name):
    add_item(draft=draft, fields=SORE, by=manager)
    publish_draft(draft=draft, note="Sore throats", by=manager)
    send = editor.get if name == "draft-detail" else editor.post
    told = words(send(url(name, draft), SORE_FORM, follow=True))
    assert f"{manager.full_name} put version 2 into use" in told
    other = start_draft(by=manager)
    discard_draft(draft=ChecklistTemplate.objects.get(pk=other.pk), by=manager)
    assert f"{manager.full_name} discarded this draft." in words(editor.get(url(name, other), follow=True))
