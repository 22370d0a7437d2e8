"""Whether the reason that the ledger gives for a message not sent is true, by what the run did to the visit."""

import datetime as dt

from infusions.reminders.models import Reminder
from tests.faults.evidence import Evidence
from tests.faults.expected import awake_at, due_at, latest_at
from tests.faults.world import EVENINGS, Version, World

# A service notes its time at its beginning, the run after its end.
NEAR = dt.timedelta(seconds=30)
FRESH = dt.timedelta(hours=12)


def excuse_for_skipping(row: Reminder, world: World, evidence: Evidence) -> bool:
    if row.appointment_id is None:
        return True
    versions = world.history[row.appointment_id]
    told = next((version for version in versions if version.number == row.appointment_version), versions[-1])
    settled = row.settled_at + NEAR
    return {
        "moved": versions[-1].number > row.appointment_version,
        "cancelled": versions[-1].cancelled,
        "no_consent": row.appointment.patient_id in world.withdrawn,
        "told_recently": was_told_recently(row, told),
        "too_late": is_too_late(row, told, settled, world),
        "begun": told.start <= settled and was_held(row, world),
        "no_decent_hour": awake_at(told.since, row.appointment.patient.time_zone, row.appointment.site) >= told.start,
        "never_told": not any(evidence.of_row[other.pk] for other in row.appointment.reminders.all()),
        "bounced": any(is_permanent(said) for said in refusals_of_patient(row, evidence)),
    }.get(row.reason, False)


def excuse_for_failing(row: Reminder, evidence: Evidence) -> bool:
    said = [error for message_id, errors in evidence.refused.items() if row.public_id in message_id for error in errors]
    return row.reason == "address_refused" and any(map(is_permanent, said))


def was_told_recently(row: Reminder, told: Version) -> bool:
    due = due_at(row.kind, told.start, row.appointment.patient.time_zone)
    return due is not None and due < told.since + NEAR + (dt.timedelta() if row.kind == "hydration" else FRESH)


def is_too_late(row: Reminder, told: Version, settled: dt.datetime, world: World) -> bool:
    """Late by the order's hold, or because the visit became what it is only then; never by a fault of the run."""
    zone = row.appointment.patient.time_zone
    latest = latest_at(row.kind, told.start, zone)
    slept = row.kind == "hydration" and zone != EVENINGS
    return settled >= latest and (slept or was_held(row, world) or told.since + NEAR >= latest)


def was_held(row: Reminder, world: World) -> bool:
    return row.kind != "cancelled" and row.appointment.order_id in world.holds


def refusals_of_patient(row: Reminder, evidence: Evidence) -> list[str]:
    keys = set(row.__class__.objects.filter(appointment=row.appointment_id).values_list("public_id", flat=True))
    return [
        error
        for message_id, errors in evidence.refused.items()
        if message_id.strip("<>").split("@")[0] in keys
        for error in errors
    ]


def is_permanent(error: str) -> bool:
    return any(f"({code}," in error for code in (550, 554))
