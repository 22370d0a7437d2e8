"""Emergency accesses for tests."""

import datetime as dt

from infusion_center.core import clock
from patients.emergency_models import EmergencyAccess, EmergencyReason
from patients.emergency_rules import OPEN_FOR
from patients.models import Patient

WORDS = "Collapsed at our front desk"


def make_access(*, patient: Patient, user, opened_at: dt.datetime | None = None, **fields) -> EmergencyAccess:
    """Opened just now, for an hour."""
    opened_at = opened_at or clock.now()
    values = {"kind": EmergencyReason.HERE, "reason": WORDS, "ends_at": opened_at + OPEN_FOR} | fields
    return EmergencyAccess.objects.create(patient=patient, user=user, opened_at=opened_at, **values)
