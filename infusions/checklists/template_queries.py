"""Reads for the versions of the questions: which there are, what was asked before, what a draft looked like."""

import hashlib
from collections.abc import Iterable
from itertools import groupby

from django.db.models import Count, QuerySet

from infusion_center.audit.models import AuditEvent
from infusions.checklists.models import ChecklistItem, ChecklistTemplate, ItemKind
from infusions.checklists.template_changes import Changes, changes_between
from infusions.checklists.template_shapes import Shape
from infusions.checklists.values import plain

TRAIL = "checklist_template."


def versions() -> QuerySet[ChecklistTemplate]:
    """Newest first, each with how many checks were filled on it."""
    people = ChecklistTemplate.objects.select_related("published_by", "created_by")
    return people.annotate(run_count=Count("runs")).order_by("-version")


def template_in_use() -> ChecklistTemplate | None:
    return versions().filter(is_active=True).first()


def open_draft() -> ChecklistTemplate | None:
    return ChecklistTemplate.objects.filter(published_at=None).select_related("created_by").first()


def ordered_items(template: ChecklistTemplate) -> list[ChecklistItem]:
    return list(template.items.order_by("position", "pk"))


def sections_of(items: Iterable[ChecklistItem]) -> list[tuple[str, list[ChecklistItem]]]:
    return [(title, list(members)) for title, members in groupby(items, key=lambda item: item.section)]


def version_before(template: ChecklistTemplate) -> ChecklistTemplate | None:
    """What a draft is compared with is the version in use; a published one with that published before it."""
    published = ChecklistTemplate.objects.exclude(published_at=None).exclude(pk=template.pk)
    if template.published_at is None:
        return published.filter(is_active=True).first()
    return published.filter(version__lt=template.version).order_by("-version").first()


def changes_since_before(template: ChecklistTemplate) -> tuple[ChecklistTemplate | None, Changes]:
    before = version_before(template)
    if before is None:
        return None, Changes()
    return before, changes_between(ordered_items(before), ordered_items(template))


def asked_shapes() -> dict[str, Shape]:
    """Code -> how it was asked in the newest published version that has it."""
    items = ChecklistItem.objects.exclude(template__published_at=None).order_by("template__version")
    return {
        code: Shape(ItemKind(kind), unit, places)
        for code, kind, unit, places in items.values_list("code", "kind", "unit", "decimal_places")
    }


def last_wording() -> dict[str, str]:
    """Code -> its question in the newest published version that has it."""
    items = ChecklistItem.objects.exclude(template__published_at=None).order_by("template__version")
    return dict(items.values_list("code", "text"))


def mark_of(item: ChecklistItem) -> str:
    """Changes whenever anything about the question does, its place aside: a form carries it to notice others' work."""
    names = [field.name for field in ChecklistItem._meta.concrete_fields if field.name not in ("id", "position")]
    values = {name: getattr(item, "template_id" if name == "template" else name) for name in names}
    texts = [plain(v) if name in ("lowest", "highest", "minimum", "maximum") else str(v) for name, v in values.items()]
    return hashlib.sha256("\x1f".join(texts).encode()).hexdigest()[:16]


def last_editor(draft: ChecklistTemplate, code: str = "") -> str:
    """Who last worked on a draft, or on one question of it."""
    events = AuditEvent.objects.filter(target_type="checklisttemplate", target_id=draft.public_id)
    if code:
        events = events.filter(detail__item=code)
    return events.order_by("-at", "-id").values_list("actor_name", flat=True).first() or "Somebody"


def discarded_by(template_id: str) -> str:
    """Who threw a draft away; empty for an id that never was one."""
    events = AuditEvent.objects.filter(action=f"{TRAIL}discarded", target_id=template_id)
    return events.values_list("actor_name", flat=True).first() or ""
