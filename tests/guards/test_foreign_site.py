"""Whoever knows the ids of another site gets nothing by them: each URL about a visit, check, vial or reaction."""

import datetime as dt

import pytest
from django.apps import apps
from django.urls import reverse

from infusion_center.accounts.roles import Role
from infusion_center.core import clock
from infusion_center.core.checks import all_patterns
from infusions.checklists.models import PatientReport
from infusions.doses.models import DoseState
from infusions.doses.reaction_models import Reaction
from infusions.reminders.after_care_models import AfterCareReport, Urgency
from infusions.scheduling.states import State
from tests.factories.checklists import make_open_checklist
from tests.factories.doses import make_dose_record
from tests.factories.facility import make_site
from tests.factories.recalls import make_recall, make_stock_item
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
REFUSED = {403, 404, 405}
OF_A_SITE = {"appointment_id", "run_id", "item_id", "vial_id", "reaction_id", "recall_id"}
# Recalls stop a lot in the whole organisation; of one only the patients are a site's own.
OF_EVERYBODY = {f"doses:recall-{name}" for name in ("detail", "csv", "extend", "close")}
# Would be let pass if only the object were ours.
TYPED = {
    "seen": "", "count": "1", "reason": "Broken", "on": "2026-11-23", "kind": "prescriber_called", "status": "reached",
    "note": "Told", "outcome": "reached", "upto": "none",
    "grams": "10", "lot": "LOT1", "expires_on": "2027-10", "alone": "1",
    "rate_ml_per_h": "21", "purpose": "flush", "name": "Saline", "dose": "10", "unit": "mL", "route": "iv",
}  # fmt: skip


def scene(site) -> dict:
    """What a site has while it works: an infusion with vials and a reaction, a check in hand, stock, a recalled lot."""
    start = clock.now() - dt.timedelta(hours=1)
    visit, waiting = (make_appointment(site=site, start=start, state=state) for state in (State.IN_PROGRESS, "arrived"))
    record = make_dose_record(visit, lot=f"LOT{site.pk}")
    wrote = {"record": record, "recorded_at": start, "recorded_by": record.started_by}
    reaction = Reaction.objects.create(**wrote, kind="rash", grade=1, onset_at=start, action="Watched")
    run = make_open_checklist(waiting)
    said = PatientReport.objects.create(
        appointment=waiting, values={"urine-normal": "yes"}, reported_at=waiting.start - dt.timedelta(hours=1)
    )
    unwell = AfterCareReport.objects.create(
        appointment=visit, values={"fever": "yes"}, urgency=Urgency.TODAY, reported_at=clock.now()
    )
    return {
        "appointment_id": visit.public_id,
        "unwell": unwell.public_id,
        "waiting": waiting.public_id,
        "run_id": run.public_id,
        "item_id": make_stock_item(site, record.product).public_id,
        "vial_id": record.vials.first().public_id,
        "reaction_id": reaction.public_id,
        "recall_id": make_recall(record.product, [f"LOT{site.pk}"]).public_id,
        "patient_id": visit.patient.public_id,
        "report": said.public_id,
        "code": "urine-normal",
        "site": site,
    }


@pytest.fixture
def ours(site):
    return scene(site)


@pytest.fixture
def theirs(ours):
    return scene(make_site())


def everything() -> dict:
    """All rows but those of sessions, and but that a page was refused."""
    labels = ("infusions", "patients", "accounts", "audit")
    models = [model for label in labels for model in apps.get_app_config(label).get_models()]
    rows = {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
    return rows | {"AuditEvent": [row for row in rows["AuditEvent"] if row["action"] != "access.denied"]}


def addresses(ours, theirs) -> list[tuple[str, str]]:
    """(name, address) of each URL with something of another site: alone, and below a visit of one's own."""
    found = []
    for _, name, pattern in all_patterns():
        parts = set(pattern.pattern.converters)
        if not parts & OF_A_SITE or name.startswith("admin:") or name in OF_EVERYBODY:
            continue
        values = {part: theirs.get(part, "none") for part in parts}
        found.append((name, reverse(name, kwargs=values)))
        if name.startswith("checklists:") and "appointment_id" in parts:
            found.append((name, reverse(name, kwargs=values | {"appointment_id": theirs["waiting"]})))
        if parts & {"vial_id", "reaction_id"}:
            found.append((name, reverse(name, kwargs=values | {"appointment_id": ours["appointment_id"]})))
    return found


@pytest.mark.parametrize("role", list(Role))
def test_ids_of_another_site_open_and_write_nothing(client_for, ours, theirs, role):
    client, before, wrong = client_for(role.value), everything(), {}
    for name, address in addresses(ours, theirs):
        statuses = {client.get(address).status_code, client.post(address, TYPED).status_code}
        if statuses - REFUSED:
            wrong[name] = statuses
    assert wrong == {}
    assert everything() == before


def test_the_walk_meets_every_kind_of_object(ours, theirs):
    names = {name for name, _ in addresses(ours, theirs)}
    assert names >= {
        "doses:dose-detail", "doses:vial-remove", "doses:reaction-slow", "doses:medwatch", "doses:contact-note",
        "stock:item-discard", "checklists:hold-step", "checklists:checklist-confirm", "scheduling:appointment-detail",
        "reminders:after-care-detail", "reminders:after-care-call",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parts", "typed"),
    [
        ("doses:medication-add", ["appointment_id"], {"reaction": "reaction_id"}),
        ("checklists:checklist-confirm", ["run_id", "code"], {"report": "report"}),
        ("doses:late-reaction-create", ["patient_id"], {"record": "signed"}),
        ("reminders:after-care-call", ["appointment_id"], {"upto": "unwell"}),
    ],
)
def test_ids_of_another_site_in_a_form_write_nothing(client_for, ours, theirs, name, parts, typed):
    signed = make_dose_record(make_appointment(site=theirs["site"], state=State.COMPLETED), state=DoseState.SIGNED)
    known = theirs | {"signed": signed.public_id}
    client, before = client_for("nurse"), everything()
    late = {"grade": "1", "onset_on": "2026-11-23", "action": "Watched", "learned_from": "Phone", "minutes_ago": "0"}
    data = TYPED | late | {field: known[value] for field, value in typed.items()}
    answer = client.post(reverse(name, args=[ours[part] for part in parts]), data)
    after = everything()
    events = after.pop("AuditEvent")[len(before.pop("AuditEvent")) :]
    assert (answer.status_code in (200, 404), {row["action"] for row in events} - {"chart.opened"}) == (True, set())
    assert after == before
