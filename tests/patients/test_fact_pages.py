import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from patients.models import Allergy, ContactPreference, RiskFactor, Weight
from patients.services import record_allergy, retract_fact
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
YESTERDAY = (clock.now() - dt.timedelta(days=1)).date()
PAGES = {
    "weight-create": {"kg": "72.5", "measured_on": YESTERDAY.isoformat()},
    "allergy-create": {"code": "latex", "text": "Hives"},
    "risk-create": {"code": "sepsis"},
    "consent-create": {"channel": "email", "consents": "no", "decided_on": YESTERDAY.isoformat()},
}
WRONG = {
    "weight-create": ({"kg": "401", "measured_on": "2026-01-05"}, "kg"),
    "allergy-create": ({"code": "other", "text": ""}, "text"),
    "risk-create": ({"code": "bad luck"}, "code"),
    "consent-create": ({"channel": "phone", "consents": "yes", "decided_on": "2026-01-05"}, "__all__"),
}


@pytest.fixture
def patient():
    return make_patient(kg="70")


def url_of(page, patient):
    return reverse(f"patients:{page}", args=[patient.public_id])


def written():
    rows = [model.objects.count() for model in (Weight, Allergy, RiskFactor, ContactPreference)]
    return [*rows, AuditEvent.objects.exclude(action__in=("access.denied", "chart.opened")).count()]


@pytest.mark.parametrize("page", PAGES)
def test_a_fact_is_recorded(page, client_for, patient):
    client = client_for("nurse")
    before = written()
    assert client.get(url_of(page, patient)).status_code == 200
    response = client.post(url_of(page, patient), PAGES[page])
    assert (response.status_code, response.url) == (302, patient.get_absolute_url())
    after = written()
    assert sum(after[:4]) - sum(before[:4]) == 1
    opened, recorded = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert opened == "chart.opened"
    assert recorded.endswith(".recorded")


@pytest.mark.parametrize("page", PAGES)
def test_wrong_input_keeps_what_was_typed_and_writes_nothing(page, client_for, patient):
    sent, field = WRONG[page]
    before = written()
    form = client_for("nurse").post(url_of(page, patient), sent).context["form"]
    assert list(form.errors) == [field]
    assert {name: form[name].value() for name in sent} == sent
    assert written() == before


@pytest.mark.parametrize("page", ["weight-create", "allergy-create", "risk-create"])
@pytest.mark.parametrize("role", ["scheduler", "manager"])
def test_clinical_facts_are_not_for_the_desk(page, role, client_for, patient):
    before = written()
    client = client_for(role)
    assert client.get(url_of(page, patient)).status_code == 403
    assert client.post(url_of(page, patient), PAGES[page]).status_code == 403
    assert written() == before


def test_consent_is_for_the_desk(client_for, patient):
    client_for("scheduler").post(url_of("consent-create", patient), PAGES["consent-create"])
    assert patient.contact_preferences.count() == 2


@pytest.mark.parametrize("page", PAGES)
def test_an_unknown_patient_is_not_found(page, client_for):
    assert client_for("nurse").post(reverse(f"patients:{page}", args=["nobody"]), PAGES[page]).status_code == 404


def test_a_weight_that_changed_by_a_tenth_is_saved_with_a_warning(client_for, patient):
    response = client_for("nurse").post(url_of("weight-create", patient), PAGES["weight-create"] | {"kg": "77"})
    texts = [str(message) for message in get_messages(response.wsgi_request)]
    assert any("changed by +10 %" in text for text in texts)
    assert patient.weights.count() == 2


def test_an_unusual_weight_is_saved_after_a_tick(client_for, patient):
    sent = PAGES["weight-create"] | {"kg": "300"}
    client = client_for("nurse")
    response = client.post(url_of("weight-create", patient), sent)
    assert [problem.code for problem in response.context["form"].panel] == ["weight-implausible-for-age"]
    assert patient.weights.count() == 1
    client.post(url_of("weight-create", patient), sent | {"accepted": ["weight-implausible-for-age"]})
    assert patient.weights.order_by("-pk").first().kg == Decimal("300")


def retract_url(patient, kind, fact):
    return reverse("patients:fact-retract", args=[patient.public_id, kind, fact.public_id])


def test_a_fact_is_taken_back_with_a_reason(client_for, patient, nurse_user):
    allergy = record_allergy(patient=patient, code="latex", by=nurse_user)
    client = client_for("pharmacist")
    url = retract_url(patient, "allergies", allergy)
    assert "Latex allergy" in client.get(url).content.decode()
    response = client.post(url, {"reason": "Outgrown"})
    allergy.refresh_from_db()
    assert (response.url, allergy.retract_reason) == (patient.get_absolute_url(), "Outgrown")


def test_taking_back_needs_a_reason_and_the_right_role(client_for, patient, nurse_user):
    allergy = record_allergy(patient=patient, code="latex", by=nurse_user)
    url = retract_url(patient, "allergies", allergy)
    assert list(client_for("nurse").post(url, {"reason": " "}).context["form"].errors) == ["reason"]
    assert client_for("scheduler").post(url, {"reason": "Outgrown"}).status_code == 403
    allergy.refresh_from_db()
    assert allergy.retracted_at is None


def test_a_fact_of_another_patient_kind_or_one_taken_back_is_not_found(client_for, patient, nurse_user):
    allergy = record_allergy(patient=patient, code="latex", by=nurse_user)
    client = client_for("nurse")
    urls = [
        retract_url(make_patient(), "allergies", allergy),
        retract_url(patient, "risks", allergy),
        retract_url(patient, "secrets", allergy),
    ]
    assert [client.post(url, {"reason": "x"}).status_code for url in urls] == [404, 404, 404]
    retract_fact(fact=allergy, reason="Outgrown", by=nurse_user)
    assert client.get(retract_url(patient, "allergies", allergy)).status_code == 404


def test_all_entries_shows_what_was_taken_back_and_why(client_for, patient, nurse_user):
    allergy = record_allergy(patient=patient, code="latex", by=nurse_user)
    retract_fact(fact=allergy, reason="Outgrown", by=nurse_user)
    text = client_for("scheduler").get(url_of("patient-facts", patient)).content.decode()
    assert '<s class="taken-back">Latex allergy</s>' in text
    assert "Outgrown" in text
