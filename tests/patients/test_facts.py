import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from patients.models import Allergy, ContactPreference, RiskFactor, Weight
from patients.queries import (
    conditions_of,
    contact_decisions,
    current_weight,
    is_at_risk,
    may_contact,
    risks_of,
)
from patients.services import record_allergy, record_risk, record_weight, retract_fact, set_contact_consent
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 23)
NOW = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)


def trail():
    return list(AuditEvent.objects.order_by("id").values_list("action", "detail"))


def test_record_weight_makes_it_the_current_one(nurse_user):
    patient = make_patient(kg=None)
    old = record_weight(patient=patient, kg=Decimal("70"), measured_on=dt.date(2026, 10, 1), by=nurse_user, now=NOW)
    new = record_weight(patient=patient, kg=Decimal("78"), measured_on=TODAY, by=nurse_user, now=NOW)
    assert current_weight(patient) == new
    assert trail() == [
        ("weight.recorded", {"fact": old.public_id, "problems": []}),
        ("weight.recorded", {"fact": new.public_id, "problems": ["weight-changed"]}),
    ]


def test_the_later_entry_counts_among_weights_of_one_day(nurse_user):
    patient = make_patient(kg=None)
    for kg, minutes in (("70", 0), ("71", 5)):
        at = NOW + dt.timedelta(minutes=minutes)
        record_weight(patient=patient, kg=Decimal(kg), measured_on=TODAY, by=nurse_user, now=at)
    assert current_weight(patient).kg == Decimal("71")


def test_a_weight_unusual_for_the_age_has_to_be_accepted(nurse_user):
    patient = make_patient(kg=None)
    weight = {"patient": patient, "kg": Decimal("300"), "measured_on": TODAY, "by": nurse_user, "now": NOW}
    with pytest.raises(RuleViolation) as refused:
        record_weight(**weight)
    assert refused.value.codes == {"weight-implausible-for-age"}
    assert (Weight.objects.count(), AuditEvent.objects.count()) == (0, 0)
    record_weight(**weight, accepted=["weight-implausible-for-age"])
    assert current_weight(patient).kg == Decimal("300")


def test_the_day_of_weighing_is_judged_in_the_patients_zone(nurse_user):
    patient = make_patient(kg=None, time_zone="Pacific/Auckland")
    tomorrow = TODAY + dt.timedelta(days=1)  # it is already that day in Auckland
    record_weight(patient=patient, kg=Decimal("70"), measured_on=tomorrow, by=nurse_user, now=NOW)
    assert current_weight(patient).measured_on == tomorrow


def test_allergies_and_risks_are_recorded_once(nurse_user):
    patient = make_patient()
    record_allergy(patient=patient, code="latex", by=nurse_user)
    record_risk(patient=patient, code="sepsis", by=nurse_user)
    for record, code in ((record_allergy, "latex"), (record_risk, "sepsis")):
        with pytest.raises(RuleViolation):
            record(patient=patient, code=code, by=nurse_user)
    assert (conditions_of(patient), risks_of(patient)) == (frozenset({"latex"}), frozenset({"sepsis"}))
    assert [action for action, _ in trail()] == ["allergy.recorded", "risk.recorded"]


@pytest.mark.parametrize("record", [record_allergy, record_risk])
def test_a_fact_recorded_by_two_at_once_is_kept_once(record, nurse_user, monkeypatch):
    patient = make_patient()
    record(patient=patient, code="diabetes", by=nurse_user)
    for query in ("conditions_of", "risks_of"):
        monkeypatch.setattr(f"patients.queries.{query}", lambda patient: frozenset())
    with pytest.raises(RuleViolation) as refused:
        record(patient=patient, code="diabetes", by=nurse_user)
    assert refused.value.codes == {"fact-recorded"}
    assert (Allergy.objects.count() + RiskFactor.objects.count(), AuditEvent.objects.count()) == (1, 1)


def test_the_text_of_an_allergy_stays_out_of_the_trail(nurse_user):
    allergy = record_allergy(patient=make_patient(), code="other", text="Penicillin", by=nurse_user)
    assert trail() == [("allergy.recorded", {"fact": allergy.public_id, "code": "other"})]
    assert "Penicillin" not in AuditEvent.objects.get().target_name


def test_a_retracted_fact_no_longer_counts_and_stays_readable(nurse_user, pharmacist):
    patient = make_patient(kg="70")
    facts = [
        record_weight(patient=patient, kg=Decimal("75"), measured_on=TODAY, by=nurse_user, now=NOW),
        record_allergy(patient=patient, code="latex", by=nurse_user),
        record_risk(patient=patient, code="sepsis", by=nurse_user),
    ]
    for fact in facts:
        retract_fact(fact=fact, reason="  Wrong patient ", by=pharmacist, now=NOW)
    assert current_weight(patient).kg == Decimal("70")
    assert (conditions_of(patient), risks_of(patient)) == (frozenset(), frozenset())
    for fact in facts:
        fact.refresh_from_db()
        assert (fact.retract_reason, fact.retracted_by, fact.retracted_at) == ("Wrong patient", pharmacist, NOW)
    assert [action for action, _ in trail()][3:] == ["weight.retracted", "allergy.retracted", "riskfactor.retracted"]
    record_allergy(patient=patient, code="latex", by=nurse_user)


def test_retract_fact_wants_a_reason_and_happens_once(nurse_user):
    allergy = record_allergy(patient=make_patient(), code="latex", by=nurse_user)
    for reason in ("", "  ", "x" * 201):
        with pytest.raises(RuleViolation):
            retract_fact(fact=allergy, reason=reason, by=nurse_user)
    retract_fact(fact=allergy, reason="Outgrown", by=nurse_user)
    with pytest.raises(RuleViolation) as refused:
        retract_fact(fact=allergy, reason="Again", by=nurse_user)
    assert refused.value.codes == {"already-retracted"}
    assert Allergy.objects.get().retract_reason == "Outgrown"
    assert len(trail()) == 2


@pytest.mark.parametrize(
    ("born", "risk", "expected"),
    [
        ("1980-01-01", None, False),
        ("1980-01-01", "oestrogen", True),
        ("1960-11-24", None, False),
        ("1960-11-23", None, True),
    ],
)
def test_is_at_risk_by_any_factor_or_above_65(born, risk, expected, nurse_user):
    patient = make_patient(date_of_birth=dt.date.fromisoformat(born))
    if risk:
        record_risk(patient=patient, code=risk, by=nurse_user)
    assert is_at_risk(patient, TODAY) is expected


def test_the_latest_decision_about_a_channel_counts(nurse_user):
    patient = make_patient(consents=True)
    assert (may_contact(patient, "email"), may_contact(patient, "phone")) == (True, False)
    set_contact_consent(patient=patient, channel="email", consents=False, by=None)
    assert may_contact(patient, "email") is False
    assert ContactPreference.objects.count() == 2
    assert contact_decisions(patient)["email"].recorded_by is None
    event = AuditEvent.objects.get()
    assert (event.actor_id, event.actor_name) == (None, "Patient")
    assert event.detail == {"channel": "email", "consents": False}


@pytest.mark.parametrize(
    ("channel", "consents", "decided_on", "expected"),
    [
        ("phone", True, TODAY, "consent-without-phone"),
        ("fax", True, TODAY, "unknown-channel"),
        ("email", True, TODAY + dt.timedelta(days=1), "decided-in-future"),
    ],
)
def test_set_contact_consent_refuses(channel, consents, decided_on, expected, nurse_user):
    patient = make_patient()
    with pytest.raises(RuleViolation) as refused:
        set_contact_consent(
            patient=patient, channel=channel, consents=consents, decided_on=decided_on, by=nurse_user, now=NOW
        )
    assert refused.value.codes == {expected}
    assert (ContactPreference.objects.count(), AuditEvent.objects.count()) == (1, 0)


def test_no_to_a_channel_without_address_is_recorded(nurse_user):
    patient = make_patient(email="")
    set_contact_consent(patient=patient, channel="email", consents=False, by=nurse_user)
    assert may_contact(patient, "email") is False
