"""Writes of the versions of the questions: copy into a draft, put that into use, or throw it away.

A published version never changes, which the database holds too; a draft is worked on by several people at once.
"""

import datetime as dt

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, blocker, refuse_if_blocking
from infusions.checklists.models import ChecklistItem, ChecklistTemplate
from infusions.checklists.template_queries import (
    TRAIL,
    asked_shapes,
    changes_since_before,
    last_editor,
    last_wording,
    ordered_items,
)
from infusions.checklists.template_rules import draft_problems, note_problems


@transaction.atomic
def start_draft(*, by) -> ChecklistTemplate:
    """A copy of the version in use, to be changed. There is one draft at a time, which all editors share."""
    lock_versions()
    in_use = ChecklistTemplate.objects.filter(is_active=True).first()
    if in_use is None:
        raise RuleViolation([blocker("no-template", "No questions are in use, so there is nothing to change.")])
    draft = ChecklistTemplate.objects.filter(published_at=None).first()
    if draft is not None:
        message = f"{last_editor(draft)} works on version {draft.version} already. Two drafts would lose one's work."
        raise RuleViolation([blocker("draft-open", message, remedy="Go on with that one.")])
    newest = ChecklistTemplate.objects.order_by("-version").values_list("version", flat=True).first()
    draft = ChecklistTemplate.objects.create(version=newest + 1, created_by=by)
    ChecklistItem.objects.bulk_create(copy_of(item, draft) for item in ordered_items(in_use))
    record("drafted", draft, by, version=draft.version, copied_from=in_use.version)
    return draft


def copy_of(item: ChecklistItem, draft: ChecklistTemplate) -> ChecklistItem:
    item.pk, item.template, item._state.adding = None, draft, True
    return item


@transaction.atomic
def discard_draft(*, draft: ChecklistTemplate, by, seen_at: dt.datetime | None = None) -> None:
    """Nobody filled a draft, so it may go with its questions; the trail keeps that it was there."""
    draft = locked_draft(draft)
    refuse_if_changed(draft, seen_at)
    record("discarded", draft, by, version=draft.version)
    draft.items.all().delete()
    draft.delete()


@transaction.atomic
def publish_draft(
    *, draft: ChecklistTemplate, note: str, by, seen_at: dt.datetime | None = None, now: dt.datetime | None = None
) -> ChecklistTemplate:
    """Put the draft into use: checks begun from now on ask it, those begun before go on with their own version.

    `seen_at`: updated_at of the draft as the person read it; whatever a colleague changed since is read first.
    """
    now = now or clock.now()
    draft = locked_draft(draft)
    refuse_if_changed(draft, seen_at)
    refuse_if_blocking([*publishing_problems(draft), *note_problems(note)])
    replaced = ChecklistTemplate.objects.filter(is_active=True).first()
    if replaced is not None:
        replaced.is_active = False
        replaced.save(update_fields=["is_active", "updated_at"])
    draft.is_active, draft.published_at, draft.published_by, draft.note = True, now, by, note.strip()[:200]
    draft.save()
    record("published", draft, by, version=draft.version, replaced=replaced.version if replaced else None)
    return draft


def publishing_problems(draft: ChecklistTemplate) -> list[Problem]:
    """All that stands against using this draft, also that it differs in nothing."""
    problems = draft_problems(ordered_items(draft), asked_shapes(), last_wording())
    before, changes = changes_since_before(draft)
    if before is not None and not changes:
        problems.append(blocker("nothing-changed", f"Nothing differs from version {before.version}, which is in use."))
    return problems


def lock_versions() -> None:
    """Who starts, edits or publishes waits in one line; there are few versions."""
    list(ChecklistTemplate.objects.select_for_update().order_by("pk").values_list("pk"))


def locked_draft(draft: ChecklistTemplate) -> ChecklistTemplate:
    """The draft, held against colleagues until the end of the transaction. Raises when it is no draft any more."""
    lock_versions()
    locked = ChecklistTemplate.objects.filter(pk=draft.pk).first()
    if locked is None:
        message = f"{last_editor(draft)} discarded this draft meanwhile."
        raise RuleViolation([blocker("draft-gone", message, remedy="Nothing was saved. Start a new draft.")])
    if locked.published_at is not None:
        message = f"{last_editor(draft)} put version {locked.version} into use meanwhile; it does not change any more."
        raise RuleViolation([blocker("already-published", message, remedy="Start a new draft for further changes.")])
    return locked


def refuse_if_changed(draft: ChecklistTemplate, seen_at: dt.datetime | None) -> None:
    if seen_at is not None and draft.updated_at != seen_at:
        message = f"{last_editor(draft)} changed the draft since you opened this page."
        raise RuleViolation([blocker("changed-meanwhile", message, remedy="Read what changed, then press again.")])


def touch(draft: ChecklistTemplate) -> None:
    """Moves updated_at on, by which pages notice that something changed."""
    draft.save(update_fields=["updated_at"])


def record(action: str, draft: ChecklistTemplate, by, **detail) -> None:
    audit.record(f"{TRAIL}{action}", draft, by=by, **detail)
