import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from patients.finding import find_patients
from patients.models import Allergy, Patient, RiskFactor, SearchKey, Weight
from patients.queries import search_patients
from patients.services import amend_patient, changes_since, register_patient
from patients.site_models import PatientSite
from tests.factories.accounts import make_staff
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)
WHO = {
    "mrn": "mr-1",
    "given_name": " José ",
    "family_name": "García  López",
    "date_of_birth": dt.date(1961, 3, 12),
    "sex": "M",
}


def written():
    return [
        model.objects.count() for model in (Patient, PatientSite, SearchKey, Weight, Allergy, RiskFactor, AuditEvent)
    ]


def test_register_patient_writes_the_patient_his_facts_and_the_trail(nurse_user, site):
    patient = register_patient(
        by=nurse_user,
        site=site,
        weight_kg=Decimal("81.5"),
        allergies=["latex"],
        other_allergy="Peanuts",
        risks=["sepsis"],
        consents={"email": True, "phone": None},
        email="Jose@Example.org",
        diagnosis_code="d839",
        now=NOW,
        **WHO,
    )
    patient.refresh_from_db()
    assert (patient.mrn, patient.name, patient.email, patient.diagnosis_code, patient.version) == (
        "MR-1",
        "García López, José",
        "jose@example.org",
        "D83.9",
        1,
    )
    assert list(patient.weights.values_list("kg", "measured_on")) == [(Decimal("81.50"), dt.date(2026, 11, 23))]
    assert sorted(str(allergy) for allergy in patient.allergies.all()) == ["Latex allergy", "Peanuts"]
    assert [risk.code for risk in patient.risk_factors.all()] == ["sepsis"]
    assert list(patient.contact_preferences.values_list("channel", "consents", "recorded_by")) == [
        ("email", True, nurse_user.pk)
    ]
    actions = AuditEvent.objects.about_patient(patient).by_user(nurse_user).values_list("action", flat=True)
    assert sorted(actions) == [
        "allergy.recorded",
        "allergy.recorded",
        "consent.recorded",
        "patient.registered",
        "risk.recorded",
        "weight.recorded",
    ]
    assert list(patient.site_links.values_list("site", "added_by")) == [(site.pk, nurse_user.pk)]
    assert search_patients("lopez jose 1961-03-12") == [patient]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"date_of_birth": dt.date(2027, 1, 1)}, {"born-in-future"}),
        ({"email": "nobody"}, {"invalid-field"}),
        ({"diagnosis_code": "flu"}, {"diagnosis-code-shape"}),
        ({"consents": {"email": True}}, {"consent-without-email"}),
        ({"weight_kg": Decimal("401")}, {"weight-out-of-range"}),
        ({"weight_kg": Decimal("12")}, {"weight-implausible-for-age"}),
        ({"allergies": ["pollen"]}, {"unknown-allergy"}),
        ({"allergies": ["latex", "latex"]}, {"allergy-recorded"}),
        ({"risks": ["bad luck"]}, {"unknown-risk"}),
        ({"consents": {"fax": True}}, {"unknown-channel"}),
    ],
)
def test_register_patient_refuses_and_writes_nothing(fields, expected, nurse_user, site):
    before = written()
    with pytest.raises(RuleViolation) as refused:
        register_patient(by=nurse_user, site=site, now=NOW, **WHO | fields)
    assert refused.value.codes == expected
    assert written() == before


def test_register_patient_refuses_a_taken_mrn_whatever_its_case(nurse_user, site):
    make_patient(mrn="MR-1")
    before = written()
    with pytest.raises(RuleViolation) as refused:
        register_patient(by=nurse_user, site=site, accepted=["mrn-taken"], **WHO)
    assert refused.value.codes == {"mrn-taken"}
    assert written() == before


def test_register_patient_says_so_when_the_mrn_was_taken_in_between(nurse_user, monkeypatch, site):
    make_patient(mrn="MR-1")
    monkeypatch.setattr("patients.queries.possible_duplicates", lambda **fields: [])
    with pytest.raises(RuleViolation) as refused:
        register_patient(by=nurse_user, site=site, **WHO)
    assert refused.value.codes == {"mrn-taken"}


def test_register_patient_shows_likely_duplicates_until_they_are_accepted(nurse_user, site):
    twin = make_patient(given_name="Jose", family_name="Garcia", date_of_birth=dt.date(1961, 3, 12))
    before = written()
    with pytest.raises(RuleViolation) as refused:
        register_patient(by=nurse_user, site=site, **WHO)
    assert [(p.code, p.url) for p in refused.value.problems] == [("possible-duplicate", twin.get_absolute_url())]
    assert written() == before
    patient = register_patient(by=nurse_user, site=site, accepted=["possible-duplicate"], **WHO)
    event = AuditEvent.objects.get(action="patient.registered")
    assert (event.target_id, event.detail) == (patient.public_id, {"accepted": ["possible-duplicate"]})


def test_amend_patient_changes_what_is_given_and_names_the_fields_in_the_trail(nurse_user):
    patient = make_patient(city="Albany")
    amend_patient(patient=patient, version=1, by=nurse_user, family_name="Vargas", city="Albany")
    patient.refresh_from_db()
    assert (patient.family_name, patient.city, patient.version) == ("Vargas", "Albany", 2)
    assert search_patients("vargas") == [patient]
    event = AuditEvent.objects.get(action="patient.amended")
    assert event.detail == {"fields": ["family_name"], "version": 2, "accepted": []}


def test_the_second_of_two_amendments_learns_which_fields_changed_and_nothing_is_lost(nurse_user):
    patient = make_patient(city="Albany")
    first = make_staff(full_name="Maria First")
    amend_patient(patient=patient, version=1, by=first, phone="+12125550123", city="Troy")
    before = written()
    with pytest.raises(RuleViolation) as refused:
        amend_patient(patient=patient, version=1, by=nurse_user, city="Utica")
    assert refused.value.codes == {"stale-version"}
    assert "Maria First changed city, phone since" in str(refused.value)
    assert changes_since(patient, 1) == (["city", "phone"], ["Maria First"])
    assert written() == before
    patient.refresh_from_db()
    assert (patient.city, patient.version) == ("Troy", 2)


def test_amend_patient_refuses_without_raising_the_version(nurse_user):
    patient = make_patient()
    taken = make_patient()
    for fields in ({"mrn": taken.mrn}, {"email": "nobody"}, {"date_of_birth": dt.date(1800, 1, 1)}):
        with pytest.raises(RuleViolation):
            amend_patient(patient=patient, version=1, by=nurse_user, **fields)
    patient.refresh_from_db()
    assert (patient.version, AuditEvent.objects.count()) == (1, 0)


def test_amend_patient_looks_for_duplicates_only_when_the_identity_changes(nurse_user):
    twin = {"given_name": "Jose", "family_name": "Garcia", "date_of_birth": dt.date(1961, 3, 12)}
    make_patient(**twin)
    patient = make_patient(**twin)
    amend_patient(patient=patient, version=1, by=nurse_user, city="Troy")
    with pytest.raises(RuleViolation) as refused:
        amend_patient(patient=patient, version=2, by=nurse_user, given_name="Josef")
    assert refused.value.codes == {"possible-duplicate"}


@pytest.mark.parametrize("name", ["version", "public_id", "id", "nonsense"])
def test_amend_patient_takes_no_other_fields(name, nurse_user):
    patient = make_patient()
    with pytest.raises(TypeError):
        amend_patient(patient=patient, **{"version": 1, "by": nurse_user} | {name: 7} | {"oops": 1})


def test_a_search_is_recorded_without_its_words(scheduler):
    patient = make_patient(family_name="Aldous", date_of_birth=dt.date(1961, 5, 4))
    found = find_patients("aldous 1961-05-04", 20, by=scheduler, among=Patient.objects.all())
    event = AuditEvent.objects.get(action="patient.searched")
    assert (found, event.actor_id, event.detail) == ([patient], scheduler.pk, {"kinds": ["date", "name"], "count": 1})


def test_words_in_which_nothing_is_looked_for_are_no_search(scheduler):
    found = find_patients(" - ", 20, by=scheduler, among=Patient.objects.all())
    assert (found, AuditEvent.objects.filter(action="patient.searched").count()) == ([], 0)
