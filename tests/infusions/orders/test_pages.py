import datetime as dt
from decimal import Decimal as D

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.orders.models import InfusionOrder, OrderStatus
from tests.factories.facility import make_chair
from tests.factories.formulary import make_rate_schedule
from tests.factories.orders import make_order
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db


def typed(schedule, **fields):
    today = clock.now().date()
    return {
        "indication": schedule.indication_id,
        "product": schedule.product_id,
        "dose_mg_per_kg": "400",
        "days": "1",
        "round_to_g": "5",
        "interval_days": "28",
        "tolerance_days": "4",
        "actual_weight_kg": "70",
        "weight_measured_on": today.isoformat(),
        "weight_method": "actual",
        "prescriber_name": "Dr. Pat Example",
        "starts_on": today.isoformat(),
        "visits_authorized": "12",
        **fields,
    }


@pytest.fixture
def patient(db):
    return make_patient(time_zone="UTC")


@pytest.fixture
def schedule(db):
    return make_rate_schedule()


def test_order_create_shows_the_weight_on_record(client_for, patient):
    page = client_for("pharmacist").get(f"/patients/{patient.public_id}/orders/new/").content.decode()
    assert ('value="70"' in page, patient.name in page) == (True, True)


def test_order_renewal_takes_over_what_lasts_and_today_s_weight(client_for, patient):
    order = make_order(
        patient=patient, dose_mg_per_kg="550", is_first_dose=True, authorization_number="A1", actual_weight_kg=D("68")
    )
    form = client_for("nurse").get(f"/patients/{patient.public_id}/orders/new/?renew={order.public_id}").context["form"]
    taken = {name: form[name].value() for name in ("dose_mg_per_kg", "product", "actual_weight_kg", "is_first_dose")}
    assert taken == {
        "dose_mg_per_kg": "550",
        "product": order.product_id,
        "actual_weight_kg": "70",
        "is_first_dose": False,
    }
    assert (form["starts_on"].value(), form["authorization_number"].value()) == (clock.now().date(), "")


def test_order_renewal_ignores_the_order_of_another_patient(client_for, patient):
    order = make_order(dose_mg_per_kg="550")
    page = client_for("nurse").get(f"/patients/{patient.public_id}/orders/new/?renew={order.public_id}")
    assert page.context["form"]["dose_mg_per_kg"].value() is None


def test_order_create_saves_a_draft(client_for, patient, schedule):
    other = make_rate_schedule(indication=schedule.indication).product
    posted = typed(schedule, alternatives=[other.pk, schedule.product_id], is_first_dose="on")
    answer = client_for("scheduler").post(f"/patients/{patient.public_id}/orders/new/", posted)
    order = InfusionOrder.objects.get()
    assert answer.headers["Location"] == f"/orders/{order.public_id}/"
    assert (order.status, order.patient, order.is_first_dose, list(order.alternatives.all())) == (
        OrderStatus.DRAFT,
        patient,
        True,
        [other],
    )


def test_order_create_keeps_what_was_typed_on_an_error(client_for, patient, schedule):
    posted = typed(schedule, days="9", prescriber_name="Dr. Kept Example", valid_until="2020-01-01")
    answer = client_for("scheduler").post(f"/patients/{patient.public_id}/orders/new/", posted)
    page = answer.content.decode()
    assert InfusionOrder.objects.count() == 0
    assert set(answer.context["form"].errors) == {"days", "valid_until"}
    assert ("Dr. Kept Example" in page, 'href="#id_days"' in page) == (True, True)


def test_order_check_shows_plan_and_problems_and_saves_nothing(client_for, patient, schedule):
    posted = typed(schedule, dose_mg_per_kg="1200", check="1")
    page = client_for("scheduler").post(f"/patients/{patient.public_id}/orders/new/", posted).content.decode()
    assert InfusionOrder.objects.count() == 0
    assert ("85 g" in page, "1.2 g/kg in one day" in page) == (True, True)


def test_order_preview_is_a_fragment_with_the_plan(client_for, patient, schedule):
    answer = client_for("nurse").post(
        f"/patients/{patient.public_id}/orders/preview/", typed(schedule), headers={"HX-Request": "true"}
    )
    page = answer.content.decode()
    assert page.startswith('<section class="panel" id="order_preview"')
    assert ("30 g" in page, "336" in page, "2 h 26 min" in page) == (True, True, True)
    assert (InfusionOrder.objects.count(), AuditEvent.objects.count()) == (0, 0)


@pytest.mark.parametrize("left_out", ["indication", "product", "dose_mg_per_kg", "actual_weight_kg"])
def test_order_preview_waits_until_enough_is_typed(client_for, patient, schedule, left_out):
    posted = typed(schedule, **{left_out: ""})
    page = client_for("nurse").post(f"/patients/{patient.public_id}/orders/preview/", posted).content.decode()
    if left_out == "actual_weight_kg":
        assert "30 g" in page  # by the weight on record
    else:
        assert "Choose indication and product" in page


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "1e9", "NaN", "Infinity"])
@pytest.mark.parametrize(
    "field",
    ["dose_mg_per_kg", "days", "actual_weight_kg", "rate_weight_kg", "round_to_g", "interval_days", "starts_on"],
)
def test_order_preview_survives_nonsense(client_for, patient, schedule, field, nonsense):
    answer = client_for("nurse").post(
        f"/patients/{patient.public_id}/orders/preview/", typed(schedule, **{field: nonsense})
    )
    assert answer.status_code == 200


def test_order_preview_computes_the_adjusted_weight(client_for, schedule):
    patient = make_patient(kg="100", height_cm=D("170"), sex="M")
    posted = typed(schedule, actual_weight_kg="100", weight_method="adjusted")
    page = client_for("nurse").post(f"/patients/{patient.public_id}/orders/preview/", posted).content.decode()
    assert "79.56 kg" in page


def test_order_edit_changes_the_draft(client_for, patient, schedule):
    order = make_order(patient=patient, product=schedule.product, status=OrderStatus.DRAFT)
    client = client_for("pharmacist")
    assert 'name="version" value="1"' in client.get(f"/orders/{order.public_id}/edit/").content.decode()
    client.post(f"/orders/{order.public_id}/edit/", typed(schedule, dose_mg_per_kg="500", version="1"))
    order.refresh_from_db()
    assert (order.dose_mg_per_kg, order.version) == (D("500"), 2)


def test_order_edit_refuses_a_stale_form_and_keeps_the_input(client_for, patient, schedule):
    order = make_order(patient=patient, product=schedule.product, status=OrderStatus.DRAFT, version=3)
    answer = client_for("pharmacist").post(
        f"/orders/{order.public_id}/edit/", typed(schedule, dose_mg_per_kg="555", version="2")
    )
    order.refresh_from_db()
    assert (order.dose_mg_per_kg, order.version) == (D("400"), 3)
    page = answer.content.decode()
    assert ("Somebody else changed this draft" in page, 'value="555"' in page) == (True, True)


@pytest.mark.parametrize("method", ["get", "post"])
def test_order_edit_sends_away_from_a_signed_order(client_for, method):
    order = make_order()
    answer = getattr(client_for("pharmacist"), method)(f"/orders/{order.public_id}/edit/")
    assert answer.headers["Location"] == f"/orders/{order.public_id}/"


@pytest.mark.parametrize("status", OrderStatus.values)
@pytest.mark.parametrize("role", ["scheduler", "nurse", "pharmacist", "manager"])
def test_order_page_opens_for_every_role_and_state(client_for, role, status):
    order = make_order(status=status)
    page = client_for(role).get(f"/orders/{order.public_id}/").content.decode()
    assert ("30 g" in page, "336" in page, order.patient.name in page) == (True, True, True)


def test_order_page_records_that_the_chart_was_opened(client_for, nurse_user):
    order = make_order()
    client_for("nurse").get(f"/orders/{order.public_id}/")
    event = AuditEvent.objects.get(action="chart.opened")
    assert (event.actor_id, event.patient_id, event.detail) == (
        nurse_user.pk,
        order.patient.public_id,
        {"what": "order"},
    )


def test_order_page_offers_what_the_role_may_do(client_for):
    signed, held, draft = (make_order(status=status) for status in ("signed", "held", "draft"))

    def offered(role, order):
        page = client_for(role).get(f"/orders/{order.public_id}/").content.decode()
        return {act for act in ("edit", "sign", "hold", "release", "stop") if f"{order.public_id}/{act}/" in page}

    assert {
        role: [offered(role, order) for order in (draft, signed, held)] for role in ("nurse", "pharmacist", "manager")
    } == {
        "nurse": [{"edit", "stop"}, {"hold"}, set()],
        "pharmacist": [{"edit", "sign", "stop"}, {"hold", "stop"}, {"release", "stop"}],
        "manager": [set(), set(), set()],
    }


def test_order_page_lists_its_visits_at_ones_own_sites(client_for, site):
    order = make_order()
    mine = make_appointment(order=order, site=site, chair=make_chair(site=site, name="Window"))
    gone = make_appointment(order=order, site=site, state="cancelled", at="14:00", minutes=60)
    foreign = make_appointment(order=order, at="16:00", minutes=60)
    page = client_for("nurse").get(f"/orders/{order.public_id}/").content.decode()
    assert [visit.public_id in page for visit in (mine, gone, foreign)] == [True, False, False]
    assert "Window" in page


def test_order_page_of_a_locked_schedule_says_why_there_is_no_plan(client_for):
    order = make_order(product=make_rate_schedule(locked=True).product, status=OrderStatus.DRAFT)
    page = client_for("pharmacist").get(f"/orders/{order.public_id}/").content.decode()
    assert ("unverified" in page, "There is no plan" in page) == (True, True)


@pytest.mark.parametrize("act", ["", "edit/", "hold/", "release/", "stop/"])
def test_order_pages_of_an_unknown_id_are_not_found(client_for, act):
    assert client_for("pharmacist").get(f"/orders/nosuchorder22x/{act}").status_code == 404


@pytest.mark.parametrize("path", ["orders/new/", "orders/preview/"])
def test_order_entry_of_an_unknown_patient_is_not_found(client_for, path):
    assert client_for("pharmacist").post(f"/patients/nosuchpatient2/{path}").status_code == 404


def test_order_pages_refuse_the_wrong_method(client_for):
    order, client = make_order(), client_for("pharmacist")
    answers = [
        client.get(f"/orders/{order.public_id}/sign/"),
        client.post(f"/orders/{order.public_id}/"),
        client.post("/orders/"),
        client.get(f"/patients/{order.patient.public_id}/orders/preview/"),
    ]
    assert [answer.status_code for answer in answers] == [405] * 4


def test_order_list_filters_by_what_is_to_do(client_for):
    draft, held = make_order(status="draft"), make_order(status="held")
    client = client_for("scheduler")

    def listed(query):
        page = client.get(f"/orders/{query}").content.decode()
        return {order for order in (draft, held) if order.public_id in page}

    assert [listed(query) for query in ("", "?list=held", "?list=all", "?list=expiring", "?list=nonsense&page=x")] == [
        {draft},
        {held},
        {draft, held},
        set(),
        {draft},
    ]


@pytest.mark.parametrize("number", [1, 8])
def test_order_list_costs_the_same_however_long(client_for, django_assert_max_num_queries, number):
    schedule = make_rate_schedule()
    for _ in range(number):
        make_order(product=schedule.product, status="draft", patient=make_patient(date_of_birth=dt.date(1970, 1, 2)))
    client = client_for("scheduler")
    with django_assert_max_num_queries(14):
        client.get("/orders/")
