"""Once signed, no page of the chairside changes what was signed, whoever presses and whatever is sent."""

import pytest
from django.urls import reverse

from infusion_center.core.checks import all_patterns
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.reaction_models import Reaction
from infusions.doses.running import record_version
from infusions.doses.services import sign_dose
from infusions.doses.signing import is_intact
from tests.factories.accounts import PASSWORD
from tests.factories.doses import make_dose_record
from tests.infusions.doses.conftest import at
from tests.infusions.doses.test_signing import whole

PARTS = [
    f"infusions_{name}"
    for name in "doserecord vialused ratechange vitalsigns reaction reactionstep medicationgiven doseamendment".split()
]
TYPED = {
    "grams": "10", "count": "1", "lot": "LOT9", "expires_on": "2027-10", "rate_ml_per_h": "21", "kind": "rash",
    "chip": "Prescriber agrees", "reason": "Asked", "stop_reason": "Asked", "grade": "1", "minutes_ago": "0",
    "done": ["Watched"], "purpose": "flush", "name": "Saline", "dose": "10", "unit": "mL", "route": "iv",
    "systolic": "120", "diastolic": "70", "pulse": "70", "temperature_c": "36.5", "code": "x", "notes": "Changed",
    "password": PASSWORD, "mail": "1", "concerns": "Lot",
}  # fmt: skip


@pytest.fixture
def signed(visit, nurse_user):
    record = make_dose_record(visit, state=DoseState.ENDED, by=nurse_user)
    wrote = {"record": record, "recorded_at": at(60), "recorded_by": nurse_user}
    Reaction.objects.create(**wrote, kind="rash", grade=1, onset_at=at(60), action="Slowed")
    return sign_dose(record=DoseRecord.objects.get(pk=record.pk), by=nurse_user, now=at(400))


def test_no_press_changes_a_signed_record(signed, client_for, colleague):
    client, before = client_for("nurse"), {table: whole(table) for table in PARTS}
    known = {
        "appointment_id": signed.appointment.public_id,
        "vial_id": signed.vials.first().public_id,
        "reaction_id": signed.reactions.get().public_id,
    }
    typed = TYPED | {"seen": record_version(signed), "product": signed.product.public_id, "email": colleague.email}
    statuses = {}
    for _, name, pattern in all_patterns():
        parts = set(pattern.pattern.converters)
        if name.startswith("doses:") and parts and parts <= set(known):
            kind = "prescriber_called" if name == "doses:reaction-step-add" else "rash"
            address = reverse(name, kwargs={part: known[part] for part in parts})
            statuses[name] = client.post(address, typed | {"kind": kind}).status_code
    assert {name: status for name, status in statuses.items() if status not in (200, 302, 404, 405)} == {}
    assert len(statuses) > 25
    assert {table: whole(table) for table in PARTS} == before
    assert is_intact(DoseRecord.objects.get(pk=signed.pk))
