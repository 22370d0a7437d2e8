"""Writes of the questions in a draft: add, amend, remove, order. What a colleague changed meanwhile is told first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from django.db import transaction
from django.utils.text import slugify

from infusion_center.core.rules import Problem, RuleViolation, blocker, refuse_if_blocking
from infusions.checklists.models import ChecklistItem, ChecklistTemplate
from infusions.checklists.template_queries import asked_shapes, last_editor, mark_of, ordered_items, sections_of
from infusions.checklists.template_rules import Asked, condition_problems, item_problems, removal_problems
from infusions.checklists.template_services import locked_draft, record, touch

OWN = "own"  # no shipped question, and so no rule, has a code that begins like this
CODE_LENGTH = 34
EDITABLE = frozenset(
    {
        "section", "text", "hint", "kind", "choices", "unit", "decimal_places", "lowest", "highest", "severity",
        "expected", "minimum", "maximum", "problem_text", "remedy", "is_required", "home_only", "facility_only",
        "first_dose_only", "asked_if", "asked_if_value", "source",
    }
)  # fmt: skip


@transaction.atomic
def add_item(*, draft: ChecklistTemplate, fields: Mapping[str, object], by) -> ChecklistItem:
    """A question of the center's own, at the end of its section; its code is made of its wording."""
    draft = locked_draft(draft)
    items, asked = ordered_items(draft), asked_shapes()
    item = set_fields(ChecklistItem(template=draft), fields)
    item.code = new_code(item, {one.code for one in items}, asked)
    items = placed_in_section(items, item)
    refuse_if_blocking([*item_problems(item, asked), *condition_problems(item, items)])
    write(draft, item, items)
    record("item_added", draft, by, item=item.code)
    return item


@transaction.atomic
def amend_item(*, item: ChecklistItem, fields: Mapping[str, object], by, seen: str | None = None) -> ChecklistItem:
    """Change a question. `seen`: its mark (see mark_of) as the form was drawn. Another section: to that one's end."""
    draft, items, item = locked_item(item, seen)
    before, section = mark_of(item), item.section
    old = {name: getattr(item, name) for name in fields}
    set_fields(item, fields)
    if mark_of(item) == before:
        return item
    if item.section != section:
        items = placed_in_section([one for one in items if one.pk != item.pk], item)
    own = [*item_problems(item, asked_shapes()), *condition_problems(item, items)]
    refuse_if_blocking([*own, *order_problems([one for one in items if one is not item], items)])
    write(draft, item, items)
    changed = sorted(name for name, value in old.items() if getattr(item, name) != value)
    record("item_amended", draft, by, item=item.code, fields=changed)
    return item


@transaction.atomic
def remove_item(*, item: ChecklistItem, by, seen: str | None = None) -> None:
    draft, items, item = locked_item(item, seen)
    refuse_if_blocking(removal_problems(item, items))
    code = item.code
    item.delete()
    renumber([one for one in items if one.code != code])
    touch(draft)
    record("item_removed", draft, by, item=code)


@transaction.atomic
def move_item(*, item: ChecklistItem, up: bool, by, seen_position: int | None = None) -> None:
    """One place up or down within its section; beyond its end it stays. Another section: see amend_item."""
    draft, items, item = locked_item(item, None)
    if seen_position is not None and item.position != seen_position:
        raise RuleViolation([moved_meanwhile(draft, item.code, f"“{item.text}”")])
    place = items.index(item)
    neighbor = place - 1 if up else place + 1
    if not 0 <= neighbor < len(items) or items[neighbor].section != item.section:
        return
    items[place], items[neighbor] = items[neighbor], items[place]
    keep_order(draft, items)
    record("item_moved", draft, by, item=item.code, up=up)


@transaction.atomic
def move_section(*, draft: ChecklistTemplate, section: str, up: bool, by) -> None:
    """A whole section one place up or down."""
    draft = locked_draft(draft)
    sections = sections_of(ordered_items(draft))
    place = place_of(sections, section, draft)
    neighbor = place - 1 if up else place + 1
    if not 0 <= neighbor < len(sections):
        return
    sections[place], sections[neighbor] = sections[neighbor], sections[place]
    keep_order(draft, [item for _, members in sections for item in members])
    record("section_moved", draft, by, section=section, up=up)


@transaction.atomic
def rename_section(*, draft: ChecklistTemplate, section: str, title: str, by) -> None:
    draft = locked_draft(draft)
    sections, title = sections_of(ordered_items(draft)), title.strip()
    place = place_of(sections, section, draft)
    if not title:
        raise RuleViolation([blocker("section-missing", "Write the name of the section.", field="title")])
    if title == section:
        return
    if title.casefold() in [name.casefold() for name, _ in sections if name != section]:
        message = f"There is a section “{title}” already."
        raise RuleViolation([blocker("section-taken", message, remedy="Choose another name.", field="title")])
    ChecklistItem.objects.filter(pk__in=[item.pk for item in sections[place][1]]).update(section=title)
    touch(draft)
    record("section_renamed", draft, by, section=title)


def locked_item(item: ChecklistItem, seen: str | None) -> tuple[ChecklistTemplate, list[ChecklistItem], ChecklistItem]:
    """The draft, its questions in order, and the one of them meant. Raises when somebody else changed it meanwhile."""
    draft = locked_draft(item.template)
    items = ordered_items(draft)
    found = next((one for one in items if one.code == item.code), None)
    if found is None:
        message = f"{last_editor(draft, item.code)} removed this question meanwhile."
        raise RuleViolation([blocker("question-gone", message, remedy="Add it anew if it is still wanted.")])
    if seen is not None and mark_of(found) != seen:
        message = f"{last_editor(draft, item.code)} changed this question since you opened this page."
        remedy = "What you typed is kept below: compare it with what is saved now, then save again."
        raise RuleViolation([blocker("changed-meanwhile", message, remedy=remedy)])
    found.template = draft
    return draft, items, found


def set_fields(item: ChecklistItem, fields: Mapping[str, object]) -> ChecklistItem:
    unknown = set(fields) - EDITABLE
    if unknown:
        raise ValueError(f"not to be edited: {', '.join(sorted(unknown))}")
    for name, value in fields.items():
        setattr(item, name, value.strip() if isinstance(value, str) else value)
    return item


def new_code(item: ChecklistItem, taken: Iterable[str], asked: Asked) -> str:
    """Readable and its own: own-seizures, own2-seizures. Asked before in another shape, a code is not used again.

    Nor one that begins like another: with the value of a choice it could read like the code of that one's problem.
    """
    others, slug = [f"{code}-" for code in taken], slugify(item.text) or "question"
    for number in count(1):
        code = f"{OWN}{number if number > 1 else ''}-{slug}"[:CODE_LENGTH].rstrip("-")
        shape = asked.get(code)
        is_same = shape is None or (shape.kind == item.kind and shape.unit == item.unit)
        if is_same and not any(f"{code}-".startswith(other) or other.startswith(f"{code}-") for other in others):
            return code
    raise AssertionError("numbers do not end")


def placed_in_section(items: Sequence[ChecklistItem], item: ChecklistItem) -> list[ChecklistItem]:
    """At the end of its section; a new section comes last. All get their positions, not yet written."""
    members = [place for place, one in enumerate(items) if one.section == item.section]
    place = members[-1] + 1 if members else len(items)
    placed = [*items[:place], item, *items[place:]]
    for position, one in enumerate(placed, start=1):
        one.position = position
    return placed


def order_problems(waiting: Iterable[ChecklistItem], items: Sequence[ChecklistItem]) -> list[Problem]:
    """No question may come to stand before the one whose answer it waits for, nor wait for one that is not there."""
    return [
        replace(problem, message=f"“{item.text}”: {problem.message}", field="")
        for item in waiting
        for problem in condition_problems(item, items)
    ]


def keep_order(draft: ChecklistTemplate, items: list[ChecklistItem]) -> None:
    for position, item in enumerate(items, start=1):
        item.position = position
    refuse_if_blocking(order_problems(items, items))
    renumber(items)
    touch(draft)


def renumber(items: Sequence[ChecklistItem]) -> None:
    for position, item in enumerate(items, start=1):
        item.position = position
    ChecklistItem.objects.bulk_update(items, ["position"])


def write(draft: ChecklistTemplate, item: ChecklistItem, items: Sequence[ChecklistItem]) -> None:
    item.full_clean(exclude=["template"], validate_constraints=False)
    item.save()
    renumber(items)
    touch(draft)


def place_of(sections: Sequence[tuple[str, list[ChecklistItem]]], section: str, draft: ChecklistTemplate) -> int:
    titles = [title for title, _ in sections]
    if section not in titles:
        raise RuleViolation([blocker("section-gone", f"There is no section “{section[:60]}” any more.")])
    return titles.index(section)


def moved_meanwhile(draft: ChecklistTemplate, code: str, what: str) -> Problem:
    message = f"{last_editor(draft, code)} moved {what} meanwhile."
    return blocker("changed-meanwhile", message, remedy="Look at the order as it is now, then move it.")
