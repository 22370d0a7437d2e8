"""Pages fetch what belongs to a site or a patient through its model's own door, visible_to(user), and no other."""

import ast
from dataclasses import dataclass

import pytest
from django.apps import apps

from tests.guards.source import is_page, modules

pytestmark = pytest.mark.once
APPS = ("patients", "infusions", "accounts", "audit")
FETCHES = {"get_object_or_404", "get_list_or_404", "aget_object_or_404"}
MANAGERS = {"objects", "_default_manager", "_base_manager"}
# visible_to is the door; none() is what a form starts from.
DOORS = {"visible_to", "none"}
# Of no site and no patient: the same for the whole organisation.
OF_EVERYBODY = {
    "Product": "the formulary", "VialSize": "the formulary", "Indication": "the formulary",
    "RateSchedule": "the formulary", "RateStep": "the formulary", "ProductCode": "what a scanned code stands for",
    "ChecklistTemplate": "the questions of the check", "ChecklistItem": "the questions of the check",
    "LotRecall": "a recall stops a lot everywhere", "RecalledLot": "a recall stops a lot everywhere",
    "KnownLot": "lots, without who got them",
}  # fmt: skip
OF_FETCHED = "of a row that the page fetched through its own door"
OF_SITE = "of the site that the page fetched through its own door"
COUNTED = "counts of the whole organisation, for a monitor"
EXCEPTIONS = {
    ("infusion_center.accounts.adapter", "QuickPin"): "the person's own",
    ("infusion_center.accounts.session_views", "SharedTablet"): "names for the person's own sessions",
    ("infusion_center.accounts.tablet_views", "QuickPin"): "the person's own",
    ("infusion_center.accounts.staffing", "Nurse"): OF_FETCHED,
    ("infusions.checklists.views", "PatientReport"): OF_FETCHED,
    ("infusions.doses.act_views", "VialUsed"): OF_FETCHED,
    ("infusions.doses.medication_forms", "Reaction"): OF_FETCHED,
    ("infusions.doses.reaction_views", "Reaction"): OF_FETCHED,
    ("infusions.doses.reaction_views", "model"): OF_FETCHED,
    ("infusions.facility.roster_views", "Nurse"): OF_SITE,
    ("infusions.facility.site_views", "User"): OF_SITE,
    ("infusions.facility.site_views", "Site"): "the site in use, read anew for its form",
    ("infusions.metrics_views", "Appointment"): COUNTED,
    ("infusions.metrics_views", "Reminder"): COUNTED,
    ("infusions.metrics_views", "OpenSession"): COUNTED,
    ("infusions.metrics_views", "Site"): COUNTED,
    ("infusions.reminders.feed_views", "Nurse"): "the person's own",
    ("infusions.reminders.wording_views", "MailWording"): OF_SITE,
    ("infusions.scheduling.board_forms", "Chair"): OF_SITE,
    ("infusions.scheduling.board_forms", "Nurse"): OF_SITE,
    ("infusions.scheduling.forms", "Chair"): OF_SITE,
    ("infusions.scheduling.forms", "Nurse"): OF_SITE,
    ("infusions.scheduling.visit_views", "AuditEvent"): OF_FETCHED,
    ("patients.chart_views", "DoseRecord"): "safety of the chart: the last dose counts wherever it was given",
    ("patients.chart_views", "model"): "safety of the chart: a reaction counts wherever it happened",
    ("patients.chart_views", "Weight"): OF_FETCHED,
    ("patients.emergency_views", "Patient"): "the wider door itself: whom a signed word of the search before names",
    ("patients.import_views", "PatientImport"): "the person's own",
    ("patients.chart_views", "Allergy"): OF_FETCHED,
    ("patients.chart_views", "RiskFactor"): OF_FETCHED,
    ("patients.fact_views", "model"): OF_FETCHED,
}  # fmt: skip


@dataclass(frozen=True)
class Use:
    module: str
    model: str
    line: int


def models_of_sites() -> set[str]:
    ours = {model.__name__ for label in APPS for model in apps.get_app_config(label).get_models()}
    return ours - OF_EVERYBODY.keys()


def uses(tree: ast.Module, module: str) -> list[Use]:
    """Each fetch past the door; a model that comes in a variable is taken for one of a site."""
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=attr, value=ast.Name(id=name)) if attr in MANAGERS:
                after = parents.get(node)
                if not (isinstance(after, ast.Attribute) and after.attr in DOORS):
                    found.append(Use(module, name, node.lineno))
            case ast.Attribute(attr=attr, value=ast.Subscript()) if attr in MANAGERS:
                found.append(Use(module, "model", node.lineno))
            case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=model), *_]) if name in FETCHES:
                found.append(Use(module, model, node.lineno))
    guarded = models_of_sites()
    return [use for use in found if use.model in guarded or use.model == "model"]


def all_uses() -> list[Use]:
    return [use for module, tree in modules().items() if is_page(module) for use in uses(tree, module)]


def test_pages_go_through_the_doors():
    assert [use for use in all_uses() if (use.module, use.model) not in EXCEPTIONS] == []


def test_the_list_of_exceptions_is_current():
    assert EXCEPTIONS.keys() - {(use.module, use.model) for use in all_uses()} == set()


@pytest.mark.parametrize(
    ("source", "is_let_pass"),
    [
        ("Patient.objects.visible_to(user).get(public_id=a)", True),
        ("Patient.objects.none()", True),
        ("Product.objects.get(key=a)", True),
        ("Patient.objects.get(public_id=a)", False),
        ("InfusionOrder.objects.filter(public_id=a).first()", False),
        ("Appointment.objects.select_related('patient').visible_to(user)", False),
        ("get_object_or_404(WaitlistEntry, public_id=a)", False),
        ("Site._default_manager.all()", False),
        ("KINDS[kind].objects.get(public_id=a)", False),
    ],
)
def test_the_guard_tells_a_door_from_a_hole(source, is_let_pass):
    assert (uses(ast.parse(source), "module") == []) is is_let_pass
