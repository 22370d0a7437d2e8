"""Removing test data: every row of test patients, not one of anybody else's, and the triggers as before."""

import datetime as dt
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.row_tree import foreign_keys
from infusion_center.core.triggers import triggers_on
from infusions.checklists.models import PatientReport
from infusions.doses.models import DoseAmendment, DoseRecord, DoseState, VialUsed
from infusions.doses.reaction_models import Reaction
from infusions.reminders.after_care_models import AfterCareReport, Urgency
from infusions.reminders.delivery_models import BlockedAddress, MailEvent
from infusions.reminders.models import Kind
from infusions.scheduling.states import State
from infusions.stock.models import RecallContact
from infusions.test_data import remove_test_data
from patients.facts import record_allergy, record_risk
from patients.models import Patient
from tests.factories.checklists import make_passed_checklist
from tests.factories.doses import make_dose_record
from tests.factories.mail_events import make_block
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.recalls import make_recall
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db
OURS = ("patients", "infusions", "accounts", "audit")


def treat(patient, site, number: int) -> DoseRecord:
    """All that a day leaves behind of a patient, up to rows that nothing may remove."""
    start = clock.now() - dt.timedelta(days=1, hours=number)
    order = make_order(patient=patient)
    visit = make_appointment(order=order, site=site, start=start, state=State.COMPLETED)
    nurse = visit.nurse.user
    record = make_dose_record(visit, lot="LOT1")
    Reaction.objects.create(
        record=record, kind="rash", grade=1, onset_at=start, action="Watched", recorded_at=start, recorded_by=nurse
    )
    DoseRecord.objects.filter(pk=record.pk).update(
        state=DoseState.SIGNED, signed_at=start, signed_by=nurse, signed_name="N"
    )
    DoseAmendment.objects.create(
        record=record, concerns="notes", text="More", reason="Late", amended_at=start, amended_by=nurse
    )
    waiting = make_appointment(order=order, site=site, start=clock.now() + dt.timedelta(days=2, hours=4 * number))
    make_passed_checklist(waiting)
    PatientReport.objects.create(appointment=waiting, values={"urine-normal": "yes"}, reported_at=start)
    AfterCareReport.objects.create(appointment=visit, values={}, urgency=Urgency.NONE, reported_at=start)
    sent = make_reminder(appointment=waiting, state="sent")
    make_reminder(appointment=waiting, kind=Kind.OFFER)
    event = MailEvent.objects.create(reminder=sent, kind="bounced", event_key=f"key{number}", happened_at=start)
    BlockedAddress.objects.create(address=patient.email, cause="bounced", event=event, blocked_at=start)
    RecallContact.objects.create(
        recall=make_recall(record.product, [f"LOT{number}"]), patient=patient, status="reached", at=start, by=nurse
    )
    record_allergy(patient=patient, code="latex", by=nurse)
    record_risk(patient=patient, code="sepsis", by=nurse)
    return record


@pytest.fixture
def treated(site) -> list[DoseRecord]:
    """Real and test patients by turns, so that their rows lie between each other."""
    return [treat(make_patient(is_test=bool(number % 2)), site, number) for number in range(3)]


def all_rows() -> dict:
    models = [m for label in OURS for m in apps.get_app_config(label).get_models(include_auto_created=True)]
    return {m._meta.db_table: {row["id"]: row for row in m._base_manager.order_by().values()} for m in models}


def expected_rows(before: dict) -> dict:
    """`before` without what hangs on test patients: found anew, table by table, until nothing more is found."""
    patients = before["patients_patient"]
    gone = {"patients_patient": {key for key, row in patients.items() if row["is_test"]}}
    more = True
    while more:
        more = False
        for field in foreign_keys():
            table, target = field.model._meta.db_table, field.related_model._meta.db_table
            for key, row in before.get(table, {}).items():
                if row[field.attname] in gone.get(target, ()) and key not in gone.setdefault(table, set()):
                    gone[table].add(key)
                    more = True
    return {
        table: {key: row for key, row in rows.items() if key not in gone.get(table, ())}
        for table, rows in before.items()
    }


def test_removal_takes_every_row_of_test_patients_and_no_other(treated):
    before = all_rows()
    triggers = triggers_on(connection, before.keys())
    expected = expected_rows(before)
    counts = remove_test_data()
    after = all_rows()
    events = {
        key: after["audit_auditevent"].pop(key)
        for key in after["audit_auditevent"].keys() - before["audit_auditevent"].keys()
    }
    assert after == expected
    assert {
        "infusions_doseamendment",
        "infusions_vialused",
        "infusions_reminder",
        "infusions_waitlistoffer",
    } <= counts.keys()
    assert counts == {
        table: len(before[table]) - len(after[table])
        for table in sorted(before)
        if len(before[table]) > len(after[table])
    }
    assert sorted(event["action"] for event in events.values()) == ["patient.removed", "test_data.removed"]
    assert (len(triggers) > 30, triggers_on(connection, before.keys())) == (True, triggers)


def test_after_a_removal_the_database_refuses_as_before(treated):
    remove_test_data()
    for model in (DoseAmendment, VialUsed, DoseRecord, MailEvent):
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.all()._raw_delete("default")


def test_the_events_of_a_removal_name_nobody(treated):
    patient = Patient.objects.get(is_test=True)
    names = {patient.family_name, patient.email}
    remove_test_data()
    events = AuditEvent.objects.filter(action__in=["patient.removed", "test_data.removed"])
    told = str(list(events.values("target_name", "detail")))
    assert ([name for name in names if name in told], {event.patient_id for event in events}) == (
        [],
        {patient.public_id, ""},
    )


def test_a_row_about_a_real_patient_too_stops_the_removal(treated):
    real, made_up = treated[0].patient, treated[1].patient
    order = made_up.orders.first()
    visit = make_appointment(order=order)
    type(visit).objects.filter(pk=visit.pk).update(patient=real)
    before = all_rows()
    with pytest.raises(CommandError, match=f"infusions_appointment {visit.pk}: patient_id"):
        call_command("remove_test_data", yes=True, stdout=StringIO())
    assert all_rows() == before


def test_a_block_that_protects_a_real_address_stops_the_removal(treated):
    make_patient(email=treated[1].patient.email.upper())
    with pytest.raises(CommandError, match="infusions_blockedaddress"):
        call_command("remove_test_data", stdout=StringIO())


def test_a_block_that_hangs_on_no_message_goes_with_the_address_of_a_test_patient(treated):
    make_patient(is_test=True, email="Made-Up@example.org")
    make_patient(is_test=True, email="shared@example.org")
    make_patient(email="Shared@example.org")
    kept_blocks = [make_block(address) for address in ("shared@example.org", "nobody@example.org")]
    gone = make_block("made-up@example.org")
    remove_test_data()
    orphans = BlockedAddress.objects.filter(event__reminder=None)
    assert sorted(orphans, key=lambda one: one.pk) == kept_blocks
    assert not MailEvent.objects.filter(pk=gone.event_id).exists()


def test_the_command_only_looks_until_told_otherwise(treated):
    before, out = all_rows(), StringIO()
    call_command("remove_test_data", stdout=out)
    assert (all_rows() == before, "1 test patients" in out.getvalue()) == (True, True)
    call_command("remove_test_data", yes=True, stdout=StringIO())
    call_command("remove_test_data", yes=True, stdout=out)
    assert (Patient.objects.filter(is_test=True).count(), "There are no test patients." in out.getvalue()) == (0, True)
