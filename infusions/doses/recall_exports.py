"""The doses of lots as a CSV file, to call by and to answer the maker with; every download is recorded."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction

from infusion_center.accounts.models import User
from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.batches import in_parts
from infusion_center.core.csv_text import csv_lines
from infusions.doses.models import DoseState
from infusions.doses.recall_pages import Answer, DoseLine, PatientRow, rows_of
from infusions.stock.models import LotRecall
from patients.models import Patient

HEADINGS = (
    "Patient MRN",
    "Name",
    "Born",
    "Phone",
    "Day",
    "Site",
    "Product",
    "Lots",
    "Grams of these lots",
    "Other lots in the dose",
    "Reactions (CTCAE grade)",
    "Record",
)
CONTACT_HEADINGS = ("Standing", "Latest contact", "Contact on", "Contact by", "Note")
PATIENTS = 500


@transaction.atomic
def download_doses(*, answer: Answer, by: User, recall: LotRecall | None = None) -> Iterator[str]:
    """One line for each dose given; of a recall also how it stands with the patient."""
    patient_ids = answer.doses.patient_ids
    audit.record(
        "recall.downloaded",
        recall or by,
        by=by,
        what="the doses of lots",
        lots=list(answer.lots),
        sites=[site.public_id for site in answer.sites],
        patients=len(patient_ids),
        rows=len(answer.doses.given),
    )
    audit.record_openings(Patient.objects.filter(pk__in=patient_ids), by=by, what="doses of a lot")
    headings = HEADINGS + (CONTACT_HEADINGS if recall is not None else ())
    return csv_lines(headings, _lines(answer, patient_ids, recall))


def _lines(answer: Answer, patient_ids: list[int], recall: LotRecall | None) -> Iterator[list[str]]:
    for part in in_parts(patient_ids, PATIENTS):
        for row in rows_of(answer, part, recall):
            contact = contact_cells(row) if recall is not None else []
            for line in row.lines:
                yield [*patient_cells(row.patient), *dose_cells(line), *contact]


def patient_cells(patient: Patient) -> list[str]:
    phone = patient.phone.as_national if patient.phone else ""
    name = f"{patient.full_legal_name} (test patient)" if patient.is_test else patient.full_legal_name
    return [patient.mrn, name, f"{patient.date_of_birth:%Y-%m-%d}", phone]


def dose_cells(line: DoseLine) -> list[str]:
    dose = line.dose
    reactions = [f"{one.get_kind_display()} ({one.grade})" for one in [*line.reactions, *line.late]]
    return [
        clock.local_date(dose.started_at, dose.site.time_zone).isoformat(),
        dose.site.name,
        line.product.label,
        " ".join(dose.grams),
        f"{dose.grams_total.normalize():f}",
        " ".join(line.other_lots),
        "; ".join(reactions),
        DoseState(dose.state).label,
    ]


def contact_cells(row: PatientRow) -> list[str]:
    latest, word = row.latest, row.standing.word
    if latest is None:
        return [word, "", "", "", ""]
    day = clock.local_date(latest.at, row.lines[0].dose.site.time_zone)
    return [word, latest.get_status_display(), day.isoformat(), latest.by.full_name, latest.note]
