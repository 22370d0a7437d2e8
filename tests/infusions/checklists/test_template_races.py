"""Two editors at the same moment: one draft, one version in use, and the other one is told."""

import pytest

from infusions.checklists.models import ChecklistTemplate
from infusions.checklists.template_item_services import add_item
from infusions.checklists.template_services import publish_draft, start_draft
from tests.factories.accounts import make_staff
from tests.factories.checklists import make_template
from tests.infusions.orders.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
SORE = {"section": "Infection", "text": "Sore throat?", "kind": "yes_no", "expected": "no"}


def test_drafts_and_versions_are_begun_and_put_into_use_once():
    make_template()
    by = make_staff(role="manager")
    begun = at_once(*(lambda: start_draft(by=by) for _ in range(3)))
    draft = ChecklistTemplate.objects.get(published_at=None)
    at_once(*(lambda: add_item(draft=draft, fields=SORE, by=by) for _ in range(2)))
    codes = draft.items.filter(code__startswith="own").order_by("position").values_list("position", "code")
    assert list(codes) == [(10, "own-sore-throat"), (11, "own2-sore-throat")]
    used = at_once(
        *(
            lambda: publish_draft(draft=ChecklistTemplate.objects.get(pk=draft.pk), note="Sore throats", by=by)
            for _ in range(3)
        )
    )
    assert (begun.count({"draft-open"}), used.count({"already-published"})) == (2, 2)
    assert list(ChecklistTemplate.objects.values_list("version", "is_active")) == [(2, True), (1, False)]
