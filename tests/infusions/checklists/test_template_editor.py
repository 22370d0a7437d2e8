"""Pages of the questions in a draft: add, change, remove, move; what is refused loses nothing."""

import pytest

from infusions.checklists.models import ItemKind
from infusions.checklists.template_item_services import add_item, amend_item, remove_item
from tests.infusions.checklists.versions import SORE, item, typed, url, words

pytestmark = pytest.mark.django_db
SORE_FORM = {
    "section": "Infection", "text": "Sore throat?", "expected": "no", "severity": "approval", "where": "home_only",
    "condition": "infection|no", "is_required": "on", "problem_text": "Sore.", "remedy": "Look.",
}  # fmt: skip


@pytest.fixture
def editor(client_for):
    return client_for("pharmacist")


@pytest.mark.parametrize("kind", list(ItemKind))
def test_each_kind_of_question_is_added_through_its_form(editor, draft, kind):
    address = f"{url('item-add', draft)}?kind={kind}&section=Infection"
    form = typed(editor.get(address)) | {"text": "Sore throat?"}
    form |= {"lowest": "0", "highest": "10"} if kind == ItemKind.NUMBER else {}
    form |= {"label_1": "A little", "label_2": "Very", "severity_2": "approval"} if "label_1" in form else {}
    answer = editor.post(address, form)
    added = item(draft, "own-sore-throat")
    assert answer.url == f"{url('draft-detail', draft)}#q-own-sore-throat"
    choices = [["a-little", "A little"], ["very", "Very", "approval"]]
    expected = {ItemKind.CHOICE: choices, ItemKind.MULTI: [*choices, ["none", "None of these"]]}.get(kind, [])
    assert (added.kind, added.choices, added.is_required, added.section) == (kind, expected, True, "Infection")


def test_the_form_of_a_question_keeps_all_that_it_shows(editor, draft):
    """Opened and saved, no question of any kind changes."""
    before = list(draft.items.order_by("position").values())
    for one in draft.items.all():
        address = url("item-amend", draft, one.code)
        assert editor.post(address, typed(editor.get(address))).status_code == 302
    assert list(draft.items.order_by("position").values()) == before


def test_a_question_is_changed_in_place_condition_and_all(editor, draft, manager):
    added = add_item(draft=draft, fields=SORE, by=manager)
    address = url("item-amend", draft, added.code)
    form = typed(editor.get(address)) | SORE_FORM | {"text": "Sore?"}
    assert editor.post(address, form).status_code == 302
    added.refresh_from_db()
    assert (added.text, added.home_only, added.facility_only, added.asked_if, added.asked_if_value, added.remedy) == (
        "Sore?",
        True,
        False,
        "infection",
        "no",
        "Look.",
    )


def test_the_form_of_a_needed_question_does_not_ask_for_what_must_stay(editor, draft):
    page = editor.get(url("item-amend", draft, "weight"))
    hidden = {"severity", "unit", "decimal_places", "minimum", "maximum", "where", "condition", "is_required"}
    assert hidden & set(page.context["form"].fields) == set()
    assert "Other rules depend on this question." in words(page)


def test_what_breaks_a_rule_is_told_beside_its_field_and_nothing_is_lost(editor, draft):
    address = url("item-amend", draft, "intake-today")
    form = typed(editor.get(address)) | {"text": "Drunk now", "minimum": "9000"}
    page = editor.post(address, form)
    assert page.context["form"].errors == {"minimum": ["9000 is outside what can be right."]}
    assert ('value="Drunk now"' in page.text, item(draft, "intake-today").text) == (True, "Drunk today so far")


def test_what_breaks_a_rule_about_choices_is_told_at_them(editor, draft):
    address = url("item-amend", draft, "premedication")
    form = typed(editor.get(address)) | {"label_1": ""}
    page = editor.post(address, form)
    assert "Rules know these answers" in page.context["form"].errors["label_1"][0]
    assert item(draft, "premedication").choices[0] == ["taken", "Taken"]


def test_the_preview_shows_what_is_typed_and_saves_nothing(editor, draft):
    address = url("item-amend", draft, "changes")
    form = typed(editor.get(address)) | {"text": "Anything new?", "label_1": "Headaches", "preview": "1"}
    page = editor.post(address, form)
    preview = page.text[page.text.index('id="preview"') :]
    assert ("Anything new?" in preview, "Headaches" in preview) == (True, True)
    assert item(draft, "changes").text == "Anything since the last infusion?"


def test_a_colleagues_change_is_shown_and_saving_again_goes_over_it(editor, draft, manager):
    address = url("item-amend", draft, "consent")
    form = typed(editor.get(address)) | {"text": "Consent?"}
    amend_item(item=item(draft, "consent"), fields={"hint": "See the chart"}, by=manager)
    page = editor.post(address, form)
    text = words(page)
    assert (f"{manager.full_name} changed this question" in text, "Hint See the chart" in text) == (True, True)
    assert ('value="Consent?"' in page.text, item(draft, "consent").hint) == (True, "See the chart")
    assert editor.post(address, typed(page)).status_code == 302
    assert (item(draft, "consent").text, item(draft, "consent").hint) == ("Consent?", "")


def test_a_question_removed_by_a_colleague_is_told(editor, draft, manager):
    remove_item(item=item(draft, "consent"), by=manager)
    page = editor.post(url("item-amend", draft, "consent"), {"text": "Consent?"}, follow=True)
    assert page.redirect_chain == [(url("draft-detail", draft), 302)]
    assert f"not in the draft any more. {manager.full_name} worked on it last." in words(page)


def test_questions_and_sections_move_by_buttons(editor, draft):
    editor.post(url("item-move", draft, "pulse"), {"to": "up", "position": item(draft, "pulse").position})
    editor.post(url("section-move", draft), {"to": "up", "section": "Order"})
    order = list(draft.items.order_by("position").values_list("code", flat=True))
    assert (order[0], order.index("pulse") < order.index("diastolic")) == ("order-matches", True)


def test_a_move_that_a_rule_forbids_is_told(editor, draft):
    page = editor.post(url("item-move", draft, "creatinine-on"), {"to": "up"}, follow=True)
    assert "It waits for the answer to “Creatinine, latest value”, so it must come after that question." in words(page)


def test_a_section_gets_another_name(editor, draft):
    address = f"{url('section-amend', draft)}?section=Vital signs"
    editor.post(address, {"title": "Measured"})
    assert draft.items.filter(section="Measured").first().code == "temperature"
    taken = editor.post(f"{url('section-amend', draft)}?section=Order", {"title": "weight"})
    assert "There is a section “weight” already." in words(taken)


def test_a_question_is_removed_after_asking(editor, draft):
    page = editor.get(url("item-remove", draft, "consent"))
    editor.post(url("item-remove", draft, "consent"), {"seen": page.context["seen"]})
    assert not draft.items.filter(code="consent").exists()
    refused = editor.post(url("item-remove", draft, "weight"), follow=True)
    assert (draft.items.filter(code="weight").exists(), refused.status_code) == (True, 200)
