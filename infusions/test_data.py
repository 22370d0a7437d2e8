"""Removes test patients with every row about them, those included that nothing else may remove; the audit trail stays.

Counts of stock stay too: the vials left the cabinet, whoever was named beside them.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

from infusion_center.audit import services as audit
from infusion_center.audit.subjects import Subject
from infusion_center.core.row_tree import Rows, delete_rows, rows_below, shared_rows
from infusion_center.core.rules import RuleViolation, blocker
from infusion_center.core.triggers import lifted
from infusions.reminders.delivery_models import BlockedAddress, MailEvent
from patients.models import Patient

SHOWN = 10


def test_rows() -> Rows:
    """Every row that is about a test patient."""
    rows = rows_below(Patient, Patient.objects.filter(is_test=True).values_list("pk", flat=True))
    if not rows:
        return rows
    # Blocks of their addresses that hang on no message; a real patient's address stays protected.
    blocks = BlockedAddress.objects.filter(address__in=_addresses(is_test=True), event__reminder=None)
    for block in blocks.exclude(address__in=_addresses(is_test=False)):
        rows.setdefault(BlockedAddress, set()).add(block.pk)
        rows.setdefault(MailEvent, set()).add(block.event_id)
    return rows


def _addresses(*, is_test: bool) -> QuerySet:
    return Patient.objects.filter(is_test=is_test).exclude(email="").order_by().values_list(Lower("email"))


def counts_of(rows: Rows) -> dict[str, int]:
    """Table -> how many rows of it; tables without any left out."""
    return dict(sorted((model._meta.db_table, len(keys)) for model, keys in rows.items() if keys))


@transaction.atomic
def remove_test_data(*, by=None) -> dict[str, int]:
    """Remove them all, or none. Raises RuleViolation where a row is about a real patient too."""
    # Looked for once to know the tables, and again when nobody else can write to them.
    tables = counts_of(test_rows()).keys()
    if not tables:
        return {}
    with lifted(connection, tables):
        rows = test_rows()
        refuse_shared(rows)
        counts = counts_of(rows)
        for patient in Patient.objects.filter(is_test=True):
            audit.record("patient.removed", _nameless(patient), by=by, patient=patient)
        delete_rows(rows)
        audit.record(
            "test_data.removed",
            Subject("test_data", "Test patients"),
            by=by,
            rows=[f"{name}: {n}" for name, n in counts.items()],
        )
    return counts


def refuse_shared(rows: Rows) -> None:
    """A row that refers to a real patient as well, or a block of mail that protects a real patient's address."""
    shared = [f"{table} {key}: {column}" for table, key, column in shared_rows(rows)]
    blocks = BlockedAddress.objects.filter(pk__in=rows.get(BlockedAddress, ())).values_list("pk", "address")
    real = Patient.objects.filter(is_test=False).annotate(address=Lower("email"))
    shared += [
        f"infusions_blockedaddress {key}: address" for key, address in blocks if real.filter(address=address).exists()
    ]
    if shared:
        more = f" and {len(shared) - SHOWN} more" if len(shared) > SHOWN else ""
        raise RuleViolation(
            [
                blocker(
                    "shared-rows",
                    f"Rows are about a test patient and a real one: {'; '.join(shared[:SHOWN])}{more}.",
                    remedy="Settle them first; nothing was removed.",
                )
            ]
        )


def _nameless(patient: Patient) -> Patient:
    """Names stay out of the event; the public id is what the earlier events of the patient are found by."""
    return Patient(public_id=patient.public_id, family_name="Test patient", given_name="removed")
