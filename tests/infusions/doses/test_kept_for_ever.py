"""What was recorded at the chair stays as it was written, also for whoever reaches past the application."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from infusions.checklists.models import HoldStep, PatientReport, PreInfusionChecklist
from infusions.doses.medication_models import MedicationGiven
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.reaction_models import LateReaction, Reaction, ReactionStep
from infusions.stock.models import LotRecall, RecallContact, StockItem, StockMovement
from tests.factories.doses import make_dose_record
from tests.infusions.doses.conftest import NOON, at
from tests.infusions.doses.test_signing import whole

pytestmark = pytest.mark.django_db
PARTS_OF_THE_RECORD = ["infusions_reaction", "infusions_reactionstep", "infusions_medicationgiven"]
ROWS_OF_THEIR_OWN = [
    "infusions_latereaction",
    "infusions_patientreport",
    "infusions_holdstep",
    "infusions_stockmovement",
    "infusions_recallcontact",
]


@pytest.fixture
def signed(visit, nurse_user):
    """A signed record with a treated reaction, and one row of each table that is only ever added to."""
    record = make_dose_record(visit, state=DoseState.ENDED, by=nurse_user)
    wrote = {"record": record, "recorded_at": at(60), "recorded_by": nurse_user}
    reaction = Reaction.objects.create(**wrote, kind="rash", grade=1, onset_at=at(60), action="Slowed")
    ReactionStep.objects.create(**wrote, reaction=reaction, kind="slowed", at=at(61))
    MedicationGiven.objects.create(
        **wrote, purpose="reaction", name="Cetirizine", dose=Decimal(10), unit="mg", route="oral", at=at(62)
    )
    DoseRecord.objects.filter(pk=record.pk).update(state=DoseState.SIGNED, signed_at=at(400), signed_by=nurse_user)
    LateReaction.objects.create(
        record=record,
        kind="hair_loss",
        grade=1,
        onset_on=NOON.date(),
        action="Reassured",
        learned_from="Phone",
        recorded_at=at(9999),
        recorded_by=nurse_user,
    )
    PatientReport.objects.create(appointment=visit, values={"urine-normal": "yes"}, reported_at=NOON)
    run = PreInfusionChecklist.objects.get(appointment=visit)
    HoldStep.objects.create(run=run, kind="fluids", amount_ml=250, at=NOON, by=nurse_user)
    item = StockItem.objects.create(
        site=visit.site, product=record.product, grams=10, lot="L1", expires_on=NOON.date(), use_by=NOON.date()
    )
    StockMovement.objects.create(item=item, kind="received", change=1, at=NOON, by=nurse_user)
    recall = LotRecall.objects.create(product=record.product, reason="Notice", opened_at=NOON, opened_by=nurse_user)
    RecallContact.objects.create(recall=recall, patient=visit.patient, status="reached", at=NOON, by=nurse_user)
    return record


@pytest.mark.parametrize("statement", ["UPDATE {table} SET id = id", "DELETE FROM {table}"])
@pytest.mark.parametrize("table", PARTS_OF_THE_RECORD + ROWS_OF_THEIR_OWN)
def test_rows_resist_raw_sql(signed, table, statement):
    before = whole(table)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table=table))
    assert (len(before), whole(table)) == (1, before)


@pytest.mark.parametrize(
    "row",
    [
        lambda wrote: ReactionStep(**wrote, reaction=Reaction.objects.get(), kind="resolved", at=at(500)),
        lambda wrote: MedicationGiven(
            **wrote, purpose="fluid", name="Saline", dose=Decimal(250), unit="mL", route="iv", at=at(500)
        ),
    ],
    ids=["step", "medication"],
)
def test_nothing_is_added_to_a_signed_record(signed, nurse_user, row):
    with pytest.raises(DatabaseError), transaction.atomic():
        row({"record": signed, "recorded_at": at(500), "recorded_by": nurse_user}).save()
    assert (ReactionStep.objects.count(), MedicationGiven.objects.count()) == (1, 1)
