"""Everything that is kept about one patient, handed out: as one page to read and print, or as data with that page."""

import datetime as dt
import hashlib
import io
import zipfile
from dataclasses import dataclass
from enum import StrEnum

from django.db import models, transaction
from django.template.loader import render_to_string

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import blocker, refuse_if_blocking
from infusions.reports import patient_data
from infusions.reports.patient_tables import LEFT_OUT, Rows, disclosures, rows_about
from infusions.reports.patient_words import sheets_by_group
from patients.models import Patient


class Requestor(models.TextChoices):
    PATIENT = "patient", "The patient"
    REPRESENTATIVE = "representative", "Somebody whom the patient or the law appointed"
    CLINICIAN = "clinician", "A clinician or site that treats the patient"
    AUTHORITY = "authority", "A court or an authority"


class Shape(StrEnum):
    READABLE = "readable"
    DATA = "data"


@dataclass(frozen=True)
class Download:
    name: str
    content_type: str
    content: bytes


@transaction.atomic
def export_patient(*, patient: Patient, requestor: str, shape: str, by, now: dt.datetime | None = None) -> Download:
    """The file, and the record that it was handed out, which the file itself already names."""
    now = now or clock.now()
    refuse_if_blocking(
        []
        if has_permission(by, Permission.EXPORT_PATIENT)
        else [blocker("may-not-export", "Your role may not export.")]
    )
    audit.record(
        "patient.exported", patient, by=by, patient=patient, requestor=Requestor(requestor), shape=Shape(shape)
    )
    name = f"patient-record-{patient.public_id}-{now:%Y%m%d-%H%M}"
    everything, events = rows_about(patient), disclosures(patient)
    page = readable_page(patient, everything, events, now)
    if shape == Shape.READABLE:
        return Download(f"{name}.html", "text/html; charset=utf-8", page)
    return Download(f"{name}.zip", "application/zip", packed(patient, everything, events, page, now))


def readable_page(patient: Patient, everything: list[Rows], events, now: dt.datetime) -> bytes:
    context = {
        "patient": patient,
        "now": now,
        "groups": sheets_by_group(everything, patient),
        "disclosures": [patient_data.disclosure_values(event) | {"event": event} for event in events],
    }
    return render_to_string("infusions/reports/patient_export.html", context).encode()


def packed(patient: Patient, everything: list[Rows], events, page: bytes, now: dt.datetime) -> bytes:
    files = {"record.html": page, "fields.json": patient_data.fields_json().encode()}
    for rows in everything:
        files[f"tables/{rows.table.name}.json"] = patient_data.table_json(rows).encode()
    files["tables/disclosures.json"] = patient_data.disclosures_json(events).encode()
    files["manifest.json"] = manifest(patient, everything, files, now).encode()
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(name, content)
    return memory.getvalue()


def manifest(patient: Patient, everything: list[Rows], files: dict[str, bytes], now: dt.datetime) -> str:
    """What is in the archive, by which a receiver sees that nothing is missing or changed."""
    return patient_data.as_json(
        {
            "patient": patient.public_id,
            "made_at": now.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
            "rows": {rows.table.name: len(rows.rows) for rows in everything},
            "left_out": LEFT_OUT,
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
        }
    )
