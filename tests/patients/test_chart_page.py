import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infusion_center.accounts.models import RoleGrant
from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.doses.models import DoseRecord
from infusions.doses.reaction_models import Reaction
from infusions.orders.models import OrderStatus
from infusions.scheduling.states import State
from patients.chart_views import weight_graph
from patients.models import Weight
from patients.services import record_allergy, record_risk, record_weight
from tests.factories.facility import make_site
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db


def make_reaction(appointment, by, **fields):
    record = DoseRecord.objects.create(
        appointment=appointment,
        order=appointment.order,
        patient=appointment.patient,
        product=appointment.order.product,
        planned_g=30,
        planned_volume_ml=300,
        weight_kg=70,
        max_rate_ml_per_h=200,
        plan=[],
        started_at=appointment.start,
        started_by=by,
    )
    values = {"kind": "headache", "grade": 1, "onset_at": appointment.start, "action": "Rate halved"}
    return Reaction.objects.create(record=record, recorded_at=clock.now(), recorded_by=by, **values | fields)


def problem_codes(response):
    return [problem.code for problem in response.context["problems"]]


def test_the_chart_answers_at_a_glance(client_for, site, nurse_user):
    patient = make_patient(phone="+12125550123", diagnosis_code="D83.9")
    record_allergy(patient=patient, code="corn", by=nurse_user)
    record_risk(patient=patient, code="sepsis", by=nurse_user)
    order = make_order(patient=patient)
    now = clock.now()
    past = make_appointment(order=order, site=site, start=now - dt.timedelta(days=30), state=State.COMPLETED)
    coming = make_appointment(order=order, site=site, start=now + dt.timedelta(days=12))
    make_appointment(order=order, site=site, start=now + dt.timedelta(days=3), state=State.CANCELLED)
    reaction = make_reaction(past, nurse_user, kind="rash", grade=3)
    response = client_for("nurse").get(patient.get_absolute_url())
    shown = {
        name: response.context[name] for name in ("order", "next_visit", "last_visits", "reactions", "draft", "graph")
    }
    assert shown == {
        "order": order,
        "next_visit": coming,
        "last_visits": [past],
        "reactions": [reaction],
        "draft": None,
        "graph": None,
    }
    text = response.content.decode()
    for words in ("Corn allergy", "Sepsis", "70 kg", "(212) 555-0123", "D83.9", "Rash or itching", order.product.label):
        assert words in text


def test_opening_the_chart_is_recorded(client_for, nurse_user):
    patient = make_patient()
    client_for("nurse").get(patient.get_absolute_url())
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_id, event.patient_id, event.detail) == (
        "chart.opened",
        nurse_user.pk,
        patient.public_id,
        {"what": "chart"},
    )


def test_an_empty_chart_says_what_is_missing_and_where_to_add_it(client_for):
    patient = make_patient(kg=None, consents=False, email="")
    response = client_for("nurse").get(patient.get_absolute_url())
    assert {problem.code: problem.url for problem in response.context["problems"]} == {
        "weight-missing": reverse("patients:weight-create", args=[patient.public_id]),
        "no-way-to-remind": reverse("patients:patient-edit", args=[patient.public_id]),
        "no-allergies-recorded": reverse("patients:allergy-create", args=[patient.public_id]),
    }


def test_links_lead_only_where_the_role_may_go(client_for):
    patient = make_patient(kg=None)
    response = client_for("scheduler").get(patient.get_absolute_url())
    assert [problem.url for problem in response.context["problems"]] == ["", ""]
    assert reverse("patients:weight-create", args=[patient.public_id]) not in response.content.decode()


def test_reactions_are_kept_from_those_who_may_not_see_doses(client_for, site, nurse_user):
    visit = make_appointment(site=site, start=clock.now() - dt.timedelta(days=30), state=State.COMPLETED)
    make_reaction(visit, nurse_user, kind="rash")
    response = client_for("scheduler").get(visit.patient.get_absolute_url())
    assert response.context["reactions"] == []
    assert "Rash or itching" not in response.content.decode()


def test_a_grave_reaction_at_the_last_dose_is_an_alert_until_a_dose_went_well(client_for, site, nurse_user):
    order = make_order()
    days_ago = [clock.now() - dt.timedelta(days=days) for days in (60, 30)]
    first, second = (make_appointment(order=order, site=site, start=at, state=State.COMPLETED) for at in days_ago)
    url = order.patient.get_absolute_url()
    make_reaction(first, nurse_user, grade=3)
    assert "severe-reaction" in problem_codes(client_for("scheduler").get(url))
    make_reaction(second, nurse_user, grade=2)
    assert "severe-reaction" not in problem_codes(client_for("scheduler").get(url))


def test_visits_of_other_sites_are_not_shown(client_for, site):
    visit = make_appointment(
        site=make_site(), patient=make_patient(site=site), start=clock.now() + dt.timedelta(days=3)
    )
    assert client_for("nurse").get(visit.patient.get_absolute_url()).context["next_visit"] is None


def test_an_order_that_does_not_hold_is_an_alert(client_for):
    patient = make_patient()
    make_order(patient=patient, status=OrderStatus.HELD, status_reason="Labs")
    draft = make_order(patient=patient, status=OrderStatus.DRAFT)
    response = client_for("nurse").get(patient.get_absolute_url())
    assert problem_codes(response)[0] == "order-held"
    assert response.context["draft"] == draft


def test_a_changed_weight_is_an_alert_also_without_an_order(client_for, nurse_user):
    patient = make_patient(kg="70")
    record_weight(patient=patient, kg=Decimal("80"), measured_on=clock.now().date(), by=nurse_user)
    assert "weight-changed" in problem_codes(client_for("nurse").get(patient.get_absolute_url()))


def test_an_inactive_patient_is_an_alert(client_for):
    patient = make_patient(is_active=False)
    assert "patient-inactive" in problem_codes(client_for("nurse").get(patient.get_absolute_url()))


def test_the_chart_costs_the_same_whatever_it_holds(client_for, site, nurse_user, django_assert_max_num_queries):
    patient = make_patient()
    order = make_order(patient=patient)
    client = client_for("nurse")
    client.get(patient.get_absolute_url())

    def add(weeks):
        start = clock.now() - dt.timedelta(weeks=weeks)
        make_reaction(make_appointment(order=order, site=site, start=start, state=State.COMPLETED), nurse_user)
        record_weight(patient=patient, kg=Decimal(70), measured_on=start.date(), by=nurse_user)
        record_allergy(patient=patient, code="other", text=f"Thing {weeks}", by=nurse_user)

    add(4)
    with CaptureQueriesContext(connection) as one:
        client.get(patient.get_absolute_url())
    for weeks in (8, 12, 16, 20):
        add(weeks)
    with django_assert_max_num_queries(len(one)):
        client.get(patient.get_absolute_url())


def test_the_weight_line_runs_from_the_oldest_to_the_newest():
    weights = [
        Weight(kg=Decimal(kg), measured_on=dt.date(2026, 1, day)) for kg, day in (("72", 31), ("70", 16), ("71", 1))
    ]
    assert weight_graph(weights)["points"] == "4.0,24.0 120.0,44.0 236.0,4.0"
    assert weight_graph(weights[:2]) is None


def test_equal_weights_of_one_day_draw_too():
    weights = [Weight(kg=Decimal(70), measured_on=dt.date(2026, 1, 1))] * 3
    assert weight_graph(weights)["points"] == "4.0,4.0 4.0,4.0 4.0,4.0"


@pytest.mark.parametrize("page", ["patient-detail", "patient-facts"])
def test_wrong_id_and_missing_permission(page, client_for, staff):
    patient = make_patient()
    client = client_for("nurse")
    assert client.get(reverse(f"patients:{page}", args=["nobody"])).status_code == 404
    RoleGrant.objects.filter(user=staff["nurse"]).delete()
    client = client_for("nurse")
    assert client.get(reverse(f"patients:{page}", args=[patient.public_id])).status_code == 403
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"access.denied"}
