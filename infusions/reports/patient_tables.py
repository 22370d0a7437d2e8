"""Which tables hold something about a patient, and the rows of one patient in them: what a full export consists of."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.db.models import ForeignKey, Model, Q

from infusion_center.audit.models import AuditEvent
from infusions.reminders.delivery_models import BlockedAddress, MailEvent
from patients.models import Patient


@dataclass(frozen=True)
class Table:
    label: str
    title: str

    @property
    def model(self) -> type[Model]:
        return apps.get_model(self.label)

    @property
    def name(self) -> str:
        """Of its file: appointment, dose_record."""
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in self.model.__name__).lstrip("_")


@dataclass(frozen=True)
class Group:
    title: str
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Rows:
    table: Table
    rows: list[Model]


# Parents before their children: a row belongs to the patient when any of its foreign keys leads to such a row.
GROUPS = (
    Group(
        "Person",
        (
            Table("patients.Patient", "Name, birth, contact"),
            Table("patients.PatientSite", "Sites that treat the patient"),
            Table("patients.ContactPreference", "Consent to contact"),
            Table("infusions.BookingPreference", "Wishes for visits"),
        ),
    ),
    Group(
        "Weight, allergies, risks",
        (
            Table("patients.Weight", "Weights"),
            Table("patients.Allergy", "Allergies and intolerances"),
            Table("patients.RiskFactor", "Risk factors"),
        ),
    ),
    Group(
        "Orders",
        (
            Table("infusions.InfusionOrder", "Orders"),
            Table("infusions.InfusionOrder_alternatives", "Other products that the orders allow"),
            Table("infusions.Signature", "Signatures of orders"),
            Table("infusions.OrderEvent", "What happened to the orders"),
        ),
    ),
    Group(
        "Visits",
        (
            Table("infusions.Series", "Series of visits"),
            Table("infusions.Appointment", "Visits"),
            Table("infusions.CancellationCall", "Calls about cancelled visits"),
            Table("infusions.WaitlistEntry", "Waitlist"),
            Table("infusions.WaitlistOffer", "Offers of earlier times"),
        ),
    ),
    Group(
        "Before the infusion",
        (
            Table("infusions.PatientReport", "What the patient reported before a visit"),
            Table("infusions.PreInfusionChecklist", "Checks before the infusion"),
            Table("infusions.ChecklistAnswer", "Answers"),
            Table("infusions.ChecklistOverride", "Decisions to go on"),
            Table("infusions.HoldStep", "What was done when a check did not pass"),
        ),
    ),
    Group(
        "Infusions",
        (
            Table("infusions.DoseRecord", "Dose records"),
            Table("infusions.VialUsed", "Vials and lots"),
            Table("infusions.RateChange", "Rates"),
            Table("infusions.VitalSigns", "Vital signs"),
            Table("infusions.Reaction", "Reactions"),
            Table("infusions.ReactionStep", "What was done about reactions"),
            Table("infusions.LateReaction", "Reactions learned of later"),
            Table("infusions.MedicationGiven", "Other medicines given"),
            Table("infusions.DoseAmendment", "Amendments of dose records"),
            Table("infusions.RecallContact", "Calls about recalled lots"),
        ),
    ),
    Group(
        "After the visit",
        (
            Table("infusions.AfterCareReport", "What the patient reported after a visit"),
            Table("infusions.AfterCareCall", "Calls about it"),
        ),
    ),
    Group(
        "Messages",
        (
            Table("infusions.Reminder", "Messages to the patient"),
            Table("infusions.MailEvent", "What became of the messages"),
            Table("infusions.BlockedAddress", "Addresses that mail no longer goes to"),
        ),
    ),
    Group(
        "Emergency access",
        (
            Table("patients.EmergencyAccess", "Openings of the chart in an emergency"),
            Table("patients.EmergencyNotice", "Who was told of them"),
        ),
    ),
)
TABLES = tuple(table for group in GROUPS for table in group.tables)
# Tables that name the patient and are not handed out, each with the reason.
LEFT_OUT = {
    "patients.SearchKey": "name, birthday and numbers once more, cut into words to be found by",
    "infusions.Claim": "the quarters of an hour that a visit takes, which the visit says itself",
}


def rows_about(patient: Patient) -> list[Rows]:
    """All rows of all tables that name the patient, directly or by a row that does; oldest first."""
    found: dict[type[Model], set[int]] = {}
    everything = []
    for table in TABLES:
        rows = list(_belonging(table.model, patient, found))
        found[table.model] = {row.pk for row in rows}
        everything.append(Rows(table, rows))
    return everything


def _belonging(model: type[Model], patient: Patient, found: dict) -> Iterable[Model]:
    rows = model._base_manager.select_related(*(key.name for key in foreign_keys(model))).order_by("pk")
    if model is Patient:
        return rows.filter(pk=patient.pk)
    condition = Q(pk__in=[])
    for key in foreign_keys(model):
        if key.related_model in found:
            condition |= Q(**{f"{key.name}__in": found[key.related_model]})
    return rows.filter(condition | _by_address(model, patient))


def _by_address(model: type[Model], patient: Patient) -> Q:
    """A block is of an address, and what led to it may have been about no message that is on the ledger (any more)."""
    if patient.email and model is BlockedAddress:
        return Q(address=patient.email.lower())
    if patient.email and model is MailEvent:
        blocks = BlockedAddress.objects.filter(address=patient.email.lower())
        return Q(reminder=None, pk__in=blocks.values("event"))
    return Q(pk__in=[])


def foreign_keys(model: type[Model]) -> list[ForeignKey]:
    return [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]


def models_that_reach(target: type[Model]) -> set[type[Model]]:
    """Every model from which a chain of foreign keys leads to the target, and the target itself."""
    reached, grows = {target}, True
    while grows:
        more = {
            model
            for model in apps.get_models(include_auto_created=True)
            if model not in reached and any(key.related_model in reached for key in foreign_keys(model))
        }
        grows, reached = bool(more), reached | more
    return reached


def disclosures(patient: Patient) -> list[AuditEvent]:
    """Who opened, changed or handed out what of the patient, oldest first."""
    return list(AuditEvent.objects.about_patient(patient).order_by("at", "id"))
