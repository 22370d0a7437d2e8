"""Loads the shipped questions. Loading again does nothing; a template made by the center is never replaced."""

import json
from decimal import Decimal
from pathlib import Path

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusions.checklists.models import ChecklistItem, ChecklistTemplate

SHIPPED = Path(__file__).with_name("template.json")
NUMBERS = ("minimum", "maximum", "lowest", "highest")


@transaction.atomic
def load_template(*, by=None, path: Path = SHIPPED) -> ChecklistTemplate:
    """The shipped version, added and made the active one unless the center works with a newer one of its own."""
    shipped = json.loads(path.read_text(encoding="utf-8"))
    known = ChecklistTemplate.objects.filter(version=shipped["version"]).first()
    if known is not None:
        return known
    active = ChecklistTemplate.objects.filter(is_active=True).first()
    takes_over = active is None or (active.created_by_id is None and active.version < shipped["version"])
    template = ChecklistTemplate.objects.create(version=shipped["version"], note=shipped["note"], created_by=by)
    ChecklistItem.objects.bulk_create(
        item_of(template, position, fields) for position, fields in enumerate(shipped["items"], start=1)
    )
    if active is not None and takes_over:
        ChecklistTemplate.objects.filter(pk=active.pk).update(is_active=False)
    template.is_active, template.published_at, template.published_by = takes_over, clock.now(), by
    template.save()
    audit.record("checklist.template_loaded", template, by=by, version=template.version, active=takes_over)
    return template


def item_of(template: ChecklistTemplate, position: int, fields: dict) -> ChecklistItem:
    numbers = {name: Decimal(str(fields[name])) for name in NUMBERS if name in fields}
    item = ChecklistItem(template=template, position=position, **{**fields, **numbers})
    item.full_clean(exclude=["template"], validate_constraints=False)
    return item
