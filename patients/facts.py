"""Writes of dated facts: weights, allergies, risk factors, consent. Never edited: retracted with a reason.

Audit rows name the patient as target and hold the fact's id and code: free text and numbers stay out of the trail.
"""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal

from django.db import IntegrityError, transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, codes, refuse_if_blocking
from patients import fact_rules, queries, rules
from patients.models import Allergy, Channel, ContactPreference, Patient, RetractableFact, RiskFactor, Weight


@transaction.atomic
def record_weight(
    *,
    patient: Patient,
    kg: Decimal,
    measured_on: dt.date,
    by,
    accepted: Collection[str] = (),
    now: dt.datetime | None = None,
) -> Weight:
    """Record a weight. One that is unusual for the age needs `accepted={"weight-implausible-for-age"}`."""
    now = now or clock.now()
    problems = rules.weight_problems(
        rules.Weighing(kg, measured_on),
        date_of_birth=patient.date_of_birth,
        today=latest_day(patient, now),
        previous=rules.Weighing.of(queries.current_weight(patient)),
    )
    rules.refuse_unless_accepted(problems, accepted)
    weight = Weight.objects.create(patient=patient, kg=kg, measured_on=measured_on, recorded_at=now, recorded_by=by)
    audit.record("weight.recorded", patient, by=by, patient=patient, fact=weight.public_id, problems=codes(problems))
    return weight


@transaction.atomic
def record_allergy(*, patient: Patient, code: str, text: str = "", by, now: dt.datetime | None = None) -> Allergy:
    """Record an allergy, intolerance or condition; `other` needs a text."""
    refuse_if_blocking(fact_rules.allergy_problems(code, text, queries.conditions_of(patient)))
    allergy = Allergy(patient=patient, code=code, text=text.strip(), recorded_at=now or clock.now(), recorded_by=by)
    _create_once(allergy)
    audit.record("allergy.recorded", patient, by=by, patient=patient, fact=allergy.public_id, code=code)
    return allergy


@transaction.atomic
def record_risk(*, patient: Patient, code: str, by, now: dt.datetime | None = None) -> RiskFactor:
    """Record a risk factor of the boxed warning."""
    refuse_if_blocking(fact_rules.risk_problems(code, queries.risks_of(patient)))
    risk = RiskFactor(patient=patient, code=code, recorded_at=now or clock.now(), recorded_by=by)
    _create_once(risk)
    audit.record("risk.recorded", patient, by=by, patient=patient, fact=risk.public_id, code=code)
    return risk


@transaction.atomic
def retract_fact(*, fact: RetractableFact, reason: str, by, now: dt.datetime | None = None) -> RetractableFact:
    """Take back a weight, allergy or risk factor that was wrong or has passed. The row stays, with the reason."""
    reason = " ".join(reason.split())
    if not reason:
        raise RuleViolation([blocker("reason-missing", "Say why this is taken back.", field="reason")])
    if len(reason) > 200:
        raise RuleViolation([blocker("reason-too-long", "Use at most 200 characters.", field="reason")])
    changes = {"retracted_at": now or clock.now(), "retracted_by": by, "retract_reason": reason}
    if not type(fact).objects.current().filter(pk=fact.pk).update(**changes):
        raise RuleViolation([blocker("already-retracted", "Somebody has already taken this back.")])
    fact.refresh_from_db()
    kind = fact._meta.model_name
    audit.record(f"{kind}.retracted", fact.patient, by=by, patient=fact.patient, fact=fact.public_id)
    return fact


@transaction.atomic
def set_contact_consent(
    *,
    patient: Patient,
    channel: str,
    consents: bool,
    by,
    decided_on: dt.date | None = None,
    now: dt.datetime | None = None,
) -> ContactPreference:
    """Record the patient's decision about a channel. `by` is None when he made it himself, by a link."""
    now = now or clock.now()
    decided_on = decided_on or clock.local_date(now, patient.time_zone)
    refuse_if_blocking(
        rules.decision_problems(
            channel,
            consents,
            decided_on=decided_on,
            today=latest_day(patient, now),
            email=patient.email,
            phone=str(patient.phone),
        )
    )
    decision = ContactPreference.objects.create(
        patient=patient,
        channel=channel,
        consents=consents,
        decided_on=decided_on,
        recorded_at=now,
        recorded_by=by,
    )
    actor = {} if by is not None else {"actor": "Patient"}
    audit.record(
        "consent.recorded",
        patient,
        by=by,
        patient=patient,
        channel=Channel(channel).value,
        consents=consents,
        **actor,
    )
    return decision


def latest_day(patient: Patient, now: dt.datetime) -> dt.date:
    """Today for the patient or for whoever is ahead of him: a site may lie in another zone, and jobs run in UTC."""
    return max(clock.local_date(now, patient.time_zone), now.astimezone(dt.UTC).date())


def _create_once(fact: Allergy | RiskFactor) -> None:
    try:
        with transaction.atomic():
            fact.save(force_insert=True)
    except IntegrityError as refused:
        # Two people recorded it at the same moment: the unique constraint let one through.
        raise RuleViolation([blocker("fact-recorded", f"{fact} is already on record.", field="code")]) from refused
