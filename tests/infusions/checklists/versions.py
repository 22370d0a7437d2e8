"""What the tests of the versions of the questions share: a question of the center, and how a refusal is looked at."""

import re

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.checklists.models import ChecklistItem, ChecklistTemplate
from infusions.checklists.template_queries import ordered_items

SORE = {"section": "Infection", "text": "Sore throat?", "kind": "yes_no", "expected": "no", "severity": "approval"}


def item(draft, code) -> ChecklistItem:
    return draft.items.get(code=code)


def rows(template) -> list[dict]:
    """All of the questions but what tells the version."""
    return [
        {name: value for name, value in row.items() if name not in ("id", "template_id")}
        for row in template.items.order_by("position").values()
    ]


def order(draft, section=None) -> list[tuple[int, str]]:
    return [(one.position, one.code) for one in ordered_items(draft) if section in (None, one.section)]


def refused_codes(service, **arguments) -> set[str]:
    """The codes of a refusal, after which the draft and the trail must be as before."""
    before = (list(ChecklistItem.objects.order_by("id").values()), list(ChecklistTemplate.objects.values()))
    events = AuditEvent.objects.count()
    with pytest.raises(RuleViolation) as refused:
        service(**arguments)
    after = (list(ChecklistItem.objects.order_by("id").values()), list(ChecklistTemplate.objects.values()))
    assert (after, AuditEvent.objects.count()) == (before, events)
    return refused.value.codes


def last_event() -> tuple:
    event = AuditEvent.objects.order_by("-id").first()
    return event.action, event.actor_id, event.detail


def url(name, draft=None, *more):
    return reverse(f"checklists:{name}", args=[draft.public_id, *more] if draft else [])


def words(page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def typed(page) -> dict:
    """What the form of the page would send."""
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value is not None and value is not False}
