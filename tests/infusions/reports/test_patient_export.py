"""The full export of one patient: all of him, nothing of anybody else, and on record."""

import datetime as dt
import hashlib
import io
import json
import re
import zipfile

import pytest
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusion_center.audit.services import record_opening
from infusions.reminders.after_care_models import AfterCareCall
from infusions.reminders.delivery_models import BlockedAddress, MailEvent
from infusions.reports.patient_export import Requestor, Shape, export_patient
from infusions.reports.patient_tables import LEFT_OUT, TABLES, foreign_keys, models_that_reach, rows_about
from patients.models import Patient
from tests.factories.facility import make_site
from tests.factories.mail_events import make_block
from tests.factories.patients import make_patient
from tests.guards.foreign import scene

REACHING = models_that_reach(Patient)


@pytest.mark.once
def test_every_table_that_leads_to_a_patient_is_exported_or_left_out_for_a_reason():
    assert {model._meta.label for model in REACHING} == {table.label for table in TABLES} | LEFT_OUT.keys()


@pytest.mark.once
def test_the_discovery_follows_keys_without_a_way_back_and_tables_of_many_to_many():
    labels = {model._meta.label for model in REACHING}
    assert {
        "infusions.BlockedAddress",
        "infusions.InfusionOrder_alternatives",
        "infusions.MailEvent",
        "infusions.ChecklistAnswer",
    } <= labels
    assert not labels & {"infusions.Site", "accounts.User", "infusions.Product", "infusions.StockItem"}


@pytest.mark.once
def test_parents_stand_before_their_children():
    """Else a row that belongs to the patient by that key alone would be missed."""
    order = [table.model for table in TABLES]
    wrong = [
        (model.__name__, key.name)
        for model in order
        for key in foreign_keys(model)
        if key.related_model in order and order.index(key.related_model) > order.index(model)
    ]
    assert wrong == []


def patients_behind(row, seen=()) -> set[int]:
    """Whom a row names, by following its keys one by one."""
    if isinstance(row, Patient):
        return {row.pk}
    others = [getattr(row, key.name) for key in foreign_keys(type(row)) if key.related_model in REACHING]
    others = [other for other in others if other is not None and (type(other), other.pk) not in seen]
    return set().union(*(patients_behind(other, (*seen, (type(row), row.pk))) for other in others))


@pytest.fixture
def patient(site, nurse_user):
    """One with a visit at two sites, beside others."""
    busy = scene(site)
    patient = Patient.objects.get(public_id=busy["patient_id"])
    report = patient.appointments.get(public_id=busy["appointment_id"]).after_care_reports.get()
    AfterCareCall.objects.create(
        report=report, outcome="reached", note="Feels better", called_at=report.reported_at, called_by=nurse_user
    )
    scene(make_site())
    make_patient()
    return patient


def test_rows_are_those_that_name_the_patient_and_no_others(patient):
    found = {rows.table.model: {row.pk for row in rows.rows} for rows in rows_about(patient)}
    expected = {
        table.model: {row.pk for row in table.model._base_manager.all() if is_about(row, patient)} for table in TABLES
    }
    assert found == expected
    assert sum(1 for rows in found.values() if rows) >= 12


def is_about(row, patient) -> bool:
    """By its keys, or by his address: a block may hang on no message."""
    if patient.pk in patients_behind(row):
        return True
    blocks = BlockedAddress.objects.filter(address__iexact=patient.email)
    if isinstance(row, MailEvent):
        return row.reminder is None and blocks.filter(event=row).exists()
    return isinstance(row, BlockedAddress) and row in blocks


def test_a_block_that_hangs_on_no_message_is_found_by_the_address(patient):
    block = make_block("ada@example.org", reminder=None)
    make_block("other@example.org", reminder=None)
    Patient.objects.filter(pk=patient.pk).update(email="Ada@Example.org")
    patient.refresh_from_db()
    found = {rows.table.model: rows.rows for rows in rows_about(patient)}
    assert (found[BlockedAddress], block.event in found[MailEvent]) == ([block], True)


@pytest.fixture
def opened(patient, nurse_user):
    return record_opening(patient, by=nurse_user, patient=patient, what="chart")


def archive(patient, by) -> dict[str, bytes]:
    made = export_patient(patient=patient, requestor=Requestor.PATIENT, shape=Shape.DATA, by=by)
    with zipfile.ZipFile(io.BytesIO(made.content)) as files:
        return {name: files.read(name) for name in files.namelist()}


def test_archive_holds_a_file_for_each_table_and_their_sums(patient, opened, manager):
    files = archive(patient, manager)
    manifest = json.loads(files["manifest.json"])
    tables = {f"tables/{table.name}.json" for table in TABLES} | {"tables/disclosures.json"}
    assert files.keys() == tables | {"record.html", "fields.json", "manifest.json"}
    assert manifest["files"] == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"
    }
    assert manifest["rows"] == {table.name: len(json.loads(files[f"tables/{table.name}.json"])) for table in TABLES}


def test_each_name_in_the_data_is_explained(patient, opened, manager):
    files = archive(patient, manager)
    meanings = json.loads(files["fields.json"])["files"]
    unexplained = [
        (name, field)
        for name in files
        if name.startswith("tables/")
        for row in json.loads(files[name])
        for field in row
        if field not in meanings[name.removeprefix("tables/")]["fields"]
    ]
    assert unexplained == []


def test_data_are_exact_and_times_are_utc(patient, manager):
    weight = patient.weights.get()
    [row] = json.loads(archive(patient, manager)["tables/weight.json"])
    assert row == {
        "id": weight.public_id,
        "recorded_at": weight.recorded_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "recorded_by": {"id": weight.recorded_by.public_id, "is": weight.recorded_by.full_name},
        "retracted_at": None,
        "retracted_by": None,
        "retract_reason": "",
        "patient": {"id": patient.public_id, "is": patient.name},
        "kg": "70.00",
        "measured_on": weight.measured_on.isoformat(),
    }


def test_disclosures_name_who_opened_the_chart_and_this_very_export(patient, opened, nurse_user, manager):
    rows = json.loads(archive(patient, manager)["tables/disclosures.json"])
    assert [(row["by"], row["what"]) for row in rows] == [
        (nurse_user.full_name, "opened chart"),
        (manager.full_name, "downloaded everything that is kept about the patient"),
    ]


def test_page_stands_alone_and_escapes_what_people_typed(patient, opened, manager):
    patient.preferences = "<script>alert(1)</script>"
    patient.save()
    made = export_patient(patient=patient, requestor=Requestor.PATIENT, shape=Shape.READABLE, by=manager)
    page = made.content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert re.findall(r"<(?:script|link|img|iframe|form)\b|\bsrc=|url\(|@import|https?://", page) == []
    assert [part for part in re.findall(r'href="([^"]*)"', page) if not part.startswith("#")] == []


def test_page_says_it_in_words_and_names_nobody_else(patient, opened, manager):
    made = export_patient(patient=patient, requestor=Requestor.PATIENT, shape=Shape.READABLE, by=manager)
    page = made.content.decode()
    others = Patient.objects.exclude(pk=patient.pk)
    assert [words for words in ("Reactions", "Calls about it", "Feels better", patient.mrn) if words not in page] == []
    assert [one.name for one in others if one.family_name in page or one.mrn in page] == []


@pytest.mark.parametrize(("shape", "ending"), [(Shape.READABLE, "html"), (Shape.DATA, "zip")])
def test_download_is_an_attachment_that_nobody_keeps_and_no_name_betrays(client_for, patient, manager, shape, ending):
    address = reverse("reports:patient-export", args=[patient.public_id])
    answer = client_for("manager").post(address, {"requestor": "clinician", "shape": shape})
    name = re.fullmatch(r'attachment; filename="(.*)"', answer.headers["Content-Disposition"])[1]
    assert re.fullmatch(rf"patient-record-{patient.public_id}-\d{{8}}-\d{{4}}\.{ending}", name)
    assert "no-store" in answer.headers["Cache-Control"]
    event = AuditEvent.objects.get(action="patient.exported")
    assert (event.actor_id, event.patient_id, event.detail) == (
        manager.pk,
        patient.public_id,
        {"requestor": "clinician", "shape": str(shape)},
    )


def test_nothing_is_handed_out_without_saying_for_whom(client_for, patient):
    answer = client_for("manager").post(reverse("reports:patient-export", args=[patient.public_id]), {"shape": "data"})
    assert "Nothing was handed out" in answer.text
    assert not AuditEvent.objects.filter(action="patient.exported").exists()
