import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from infusion_center.accounts.models import RoleGrant
from infusion_center.audit.models import AuditEvent
from patients.models import Patient
from tests.factories.facility import make_site
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
URL = reverse("patients:patient-create")
FORM = {
    "family_name": "García",
    "given_name": "José",
    "mrn": "MR-7",
    "date_of_birth": "1961-03-12",
    "sex": "M",
    "language": "es",
    "time_zone": "America/Chicago",
    "phone": "(212) 555-0123",
    "email": "jose@example.org",
    "consent_email": "yes",
    "consent_phone": "no",
    "consented_on": "2026-01-05",
    "diagnosis_code": "D83.9",
    "height_cm": "171",
    "weight_kg": "81.5",
    "measured_on": "2026-01-05",
    "allergies": ["latex", "corn"],
    "other_allergy": "Peanuts",
    "thrombosis_risks": ["oestrogen"],
    "renal_risks": ["sepsis"],
}


def test_a_nurse_registers_a_patient_with_all_that_is_known(client_for):
    response = client_for("nurse").post(URL, FORM)
    patient = Patient.objects.get()
    assert (response.status_code, response.url) == (302, patient.get_absolute_url())
    assert (patient.name, str(patient.phone), patient.language) == ("García, José", "+12125550123", "es")
    assert patient.weights.get().kg == Decimal("81.5")
    assert sorted(patient.allergies.values_list("code", flat=True)) == ["corn", "latex", "other"]
    assert sorted(patient.risk_factors.values_list("code", flat=True)) == ["oestrogen", "sepsis"]
    decisions = patient.contact_preferences.order_by("channel").values_list("channel", "consents", "decided_on")
    assert list(decisions) == [("email", True, dt.date(2026, 1, 5)), ("phone", False, dt.date(2026, 1, 5))]


def test_the_front_desk_registers_without_clinical_facts_even_when_it_sends_them(client_for):
    client = client_for("scheduler")
    assert "weight_kg" not in client.get(URL).context["form"].fields
    client.post(URL, FORM)
    patient = Patient.objects.get()
    assert [patient.weights.count(), patient.allergies.count(), patient.risk_factors.count()] == [0, 0, 0]
    assert patient.contact_preferences.count() == 2


def test_somebody_without_the_permission_is_refused(client_for, staff):
    RoleGrant.objects.filter(user=staff["nurse"]).delete()
    client = client_for("nurse")
    assert [client.get(URL).status_code, client.post(URL, FORM).status_code] == [403, 403]
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"family_name": ""}, "family_name"),
        ({"date_of_birth": "soon"}, "date_of_birth"),
        ({"date_of_birth": "2090-01-01"}, "date_of_birth"),
        ({"email": "nobody"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"phone": "", "consent_phone": "yes"}, "phone"),
        ({"diagnosis_code": "flu"}, "diagnosis_code"),
        ({"weight_kg": "401"}, "weight_kg"),
        ({"weight_kg": "heavy"}, "weight_kg"),
        ({"measured_on": "2090-01-01"}, "measured_on"),
        ({"consented_on": "2090-01-01"}, "consented_on"),
        ({"allergies": ["pollen"]}, "allergies"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ],
)
def test_what_was_typed_stays_when_something_is_wrong(changes, field, client_for):
    sent = FORM | changes
    response = client_for("nurse").post(URL, sent)
    form = response.context["form"]
    assert (response.status_code, list(form.errors)) == (200, [field])
    assert {name: form[name].value() for name in sent} == sent
    assert f'href="#{form[field].id_for_label or form[field].auto_id}"' in response.content.decode()
    assert (Patient.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_a_taken_mrn_leads_to_the_chart_that_has_it(client_for):
    other = make_patient(mrn="MR-7")
    response = client_for("nurse").post(URL, FORM)
    assert list(response.context["form"].errors) == ["mrn"]
    assert f'href="{other.get_absolute_url()}"' in response.content.decode()
    assert Patient.objects.count() == 1


def test_a_likely_duplicate_is_shown_with_its_chart_until_it_is_accepted(client_for):
    twin = make_patient(given_name="Jose", family_name="Garcia", date_of_birth=dt.date(1961, 3, 12))
    client = client_for("nurse")
    response = client.post(URL, FORM)
    text = response.content.decode()
    assert f'href="{twin.get_absolute_url()}"' in text
    assert "similar name and born the same day" in text
    assert response.context["form"]["accepted"].field.choices == [
        ("possible-duplicate", "I compared the charts, or asked: this is another person. Save all the same.")
    ]
    assert Patient.objects.count() == 1
    client.post(URL, FORM | {"accepted": ["possible-duplicate"]})
    assert Patient.objects.count() == 2


def test_all_decisions_are_asked_for_at_once_and_each_for_itself(client_for):
    make_patient(given_name="Jose", family_name="Garcia", date_of_birth=dt.date(1961, 3, 12))
    sent = FORM | {"weight_kg": "300"}
    client = client_for("nurse")
    for accepted in ([], ["possible-duplicate"], ["weight-implausible-for-age"]):
        form = client.post(URL, sent | {"accepted": accepted}).context["form"]
        codes = [code for code, _ in form["accepted"].field.choices]
        assert codes == ["possible-duplicate", "weight-implausible-for-age"]
        assert form["accepted"].value() == accepted
    assert Patient.objects.count() == 1
    client.post(URL, sent | {"accepted": ["possible-duplicate", "weight-implausible-for-age"]})
    assert Patient.objects.count() == 2


def test_the_form_is_empty_at_first_and_in_the_zone_of_the_site(client_for, site):
    site.time_zone = "America/Denver"
    site.save()
    form = client_for("nurse").get(URL).context["form"]
    assert (form.errors, form["time_zone"].value(), form["family_name"].value()) == ({}, "America/Denver", None)


def test_whoever_is_shown_as_a_possible_duplicate_is_a_recorded_opening(client_for, site):
    known = make_patient(given_name="José", family_name="García", date_of_birth=dt.date(1961, 3, 12), site=site)
    make_patient(given_name="José", family_name="García", date_of_birth=dt.date(1961, 3, 12), site=make_site())
    assert client_for("nurse").post(URL, FORM).status_code == 200
    openings = AuditEvent.objects.filter(action="chart.opened").values_list("patient_id", "detail")
    assert list(openings) == [(known.public_id, {"what": "possible duplicate"})]
