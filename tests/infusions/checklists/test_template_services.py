"""Services of the versions of the questions: what they write, what they refuse, and that a refusal writes nothing."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from infusion_center.core.rules import RuleViolation
from infusions.checklists.models import ChecklistTemplate
from infusions.checklists.services import close_checklist, start_checklist
from infusions.checklists.template_item_services import (
    add_item,
    move_section,
    rename_section,
)
from infusions.checklists.template_services import discard_draft, publish_draft, start_draft
from infusions.scheduling.states import State
from tests.factories.checklists import give_answers, good_answers, make_open_checklist
from tests.factories.scheduling import make_appointment
from tests.infusions.checklists.versions import SORE, last_event, refused_codes, rows

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 26, 15, 0, tzinfo=dt.UTC)


def test_start_draft_copies_the_version_in_use(in_use, manager):
    draft = start_draft(by=manager)
    assert (draft.version, draft.is_active, draft.published_at, draft.created_by) == (2, False, None, manager)
    assert rows(draft) == rows(in_use)
    assert last_event() == ("checklist_template.drafted", manager.pk, {"version": 2, "copied_from": 1})


def test_start_draft_refuses_a_second_one_and_names_who_works_on_the_first(draft, manager, pharmacist):
    with pytest.raises(RuleViolation) as refused:
        start_draft(by=pharmacist)
    assert refused.value.codes == {"draft-open"}
    assert refused.value.problems[0].message.startswith(f"{manager.full_name} works on version 2 already.")
    assert ChecklistTemplate.objects.count() == 2


def test_start_draft_refuses_where_no_questions_are_in_use(manager):
    assert refused_codes(start_draft, by=manager) == {"no-template"}


def test_start_draft_counts_on_from_the_highest_version(in_use, manager):
    ChecklistTemplate.objects.create(version=7, published_at=NOW)
    assert start_draft(by=manager).version == 8


def test_discard_draft_removes_it_with_its_questions(in_use, draft, manager):
    before = rows(in_use)
    discard_draft(draft=draft, by=manager)
    assert (list(ChecklistTemplate.objects.all()), rows(in_use)) == ([in_use], before)
    assert last_event() == ("checklist_template.discarded", manager.pk, {"version": 2})


def test_discard_draft_tells_a_change_since_the_page_was_read(draft, manager, pharmacist):
    add_item(draft=draft, fields=SORE, by=pharmacist)
    assert refused_codes(discard_draft, draft=draft, seen_at=draft.updated_at, by=manager) == {"changed-meanwhile"}


def test_publish_draft_takes_the_place_of_the_version_in_use(in_use, draft, pharmacist):
    add_item(draft=draft, fields=SORE, by=pharmacist)
    published = publish_draft(draft=draft, note=" Sore throats came up ", by=pharmacist, now=NOW)
    in_use.refresh_from_db()
    published.refresh_from_db()
    assert (in_use.is_active, published.is_active) == (False, True)
    assert (published.note, published.published_at, published.published_by) == ("Sore throats came up", NOW, pharmacist)
    assert last_event() == ("checklist_template.published", pharmacist.pk, {"version": 2, "replaced": 1})


def test_publish_draft_needs_a_note_and_a_difference(draft, manager):
    assert refused_codes(publish_draft, draft=draft, note=" ", by=manager) == {"nothing-changed", "note-missing"}


def test_publish_draft_checks_the_rules_again(draft, manager):
    """Whatever way a question lost what keeps the gate."""
    draft.items.filter(code="weight").update(is_required=False)
    draft.items.filter(code="iv-access").delete()
    refused = refused_codes(publish_draft, draft=draft, note="Shorter", by=manager)
    assert refused == {"must-be-asked", "question-needed"}


def test_publish_draft_tells_a_change_since_the_page_was_read(draft, manager, pharmacist):
    add_item(draft=draft, fields=SORE, by=pharmacist)
    late = {"draft": draft, "note": "Sore throats", "seen_at": draft.updated_at, "by": manager}
    assert refused_codes(publish_draft, **late) == {"changed-meanwhile"}


@pytest.mark.parametrize(
    ("service", "more"),
    [
        (publish_draft, {"note": "Again"}),
        (discard_draft, {}),
        (add_item, {"fields": SORE}),
        (move_section, {"section": "Order", "up": True}),
        (rename_section, {"section": "Order", "title": "Orders"}),
    ],
)
def test_a_draft_put_into_use_or_discarded_meanwhile_is_told(in_use, draft, manager, pharmacist, service, more):
    add_item(draft=draft, fields=SORE, by=pharmacist)
    publish_draft(draft=draft, note="Sore throats", by=pharmacist)
    assert refused_codes(service, draft=draft, by=manager, **more) == {"already-published"}
    other = start_draft(by=pharmacist)
    gone = ChecklistTemplate.objects.get(pk=other.pk)
    discard_draft(draft=other, by=pharmacist)
    assert refused_codes(service, draft=gone, by=manager, **more) == {"draft-gone"}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE infusions_checklistitem SET text = 'Other' WHERE template_id = {published} AND code = 'consent'",
        "UPDATE infusions_checklistitem SET template_id = {draft} WHERE template_id = {published} AND code = 'consent'",
        "UPDATE infusions_checklistitem SET template_id = {published} WHERE template_id = {draft} AND position = 31",
        "DELETE FROM infusions_checklistitem WHERE template_id = {published} AND code = 'consent'",
        "INSERT INTO infusions_checklistitem (template_id, position, section, code, text, hint, kind, choices, unit, "
        "decimal_places, severity, expected, problem_text, remedy, is_required, home_only, facility_only, "
        "first_dose_only, asked_if, asked_if_value, source) SELECT {published}, position, section, 'other', text, "
        "hint, kind, choices, unit, decimal_places, severity, expected, problem_text, remedy, is_required, home_only, "
        "facility_only, first_dose_only, asked_if, asked_if_value, source FROM infusions_checklistitem "
        "WHERE template_id = {draft} AND position = 31",
    ],
    ids=["update", "take out", "put in", "delete", "insert"],
)
def test_the_database_refuses_to_change_questions_that_were_published_though_nobody_filled_them(
    in_use, draft, manager, sql
):
    add_item(draft=draft, fields=SORE | {"section": "Ready to start"}, by=manager)
    before = (rows(in_use), rows(draft))
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(published=in_use.pk, draft=draft.pk))
    assert "the template was published" in str(refused.value)
    assert (rows(in_use), rows(draft)) == before


def test_an_open_check_goes_on_with_its_version_and_a_new_one_takes_the_new(site, draft, manager):
    arrived = make_appointment(site=site, state=State.ARRIVED)
    nurse = arrived.nurse.user
    begun = make_open_checklist(arrived)
    add_item(draft=draft, fields=SORE, by=manager)
    publish_draft(draft=draft, note="Sore throats", by=manager)
    assert start_checklist(appointment=arrived, by=nurse) == begun
    give_answers(begun, good_answers(begun), by=nurse)
    assert close_checklist(run=begun, by=nurse).lets_pass
    again = start_checklist(appointment=arrived, by=nurse)
    begun.refresh_from_db()
    assert (begun.template.version, again.template.version) == (1, 2)
    assert [set(run.template.items.values_list("code", flat=True)) & {"own-sore-throat"} for run in (begun, again)] == [
        set(),
        {"own-sore-throat"},
    ]
