import datetime as dt
from decimal import Decimal as D

import pytest
from django.db import DatabaseError, transaction

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.orders.models import InfusionOrder, OrderEvent, OrderStatus, Signature
from infusions.orders.services import (
    amend_draft,
    draft_order,
    hold_order,
    note_dose_given,
    release_order,
    sign_order,
    stop_order,
)
from infusions.orders.signing import is_intact
from patients.models import Allergy
from tests.factories.accounts import make_staff
from tests.factories.formulary import make_rate_schedule
from tests.factories.orders import make_order
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db


def today():
    return clock.now().date()


def entered(**fields):
    schedule = fields.pop("schedule", None) or make_rate_schedule()
    return {
        "product": schedule.product,
        "indication": schedule.indication,
        "dose_mg_per_kg": D("400"),
        "prescriber_name": "Dr. Pat Example",
        **fields,
    }


def written():
    """Everything that an order service writes, to see that a refusal wrote nothing."""
    return (
        list(InfusionOrder.objects.order_by("pk").values("status", "version", "doses_given", "dose_mg_per_kg")),
        Signature.objects.count(),
        OrderEvent.objects.count(),
        AuditEvent.objects.count(),
    )


def refusal(service, **kwargs):
    before = written()
    with pytest.raises(RuleViolation) as refused:
        service(**kwargs)
    assert written() == before
    return refused.value.codes


def actions():
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_draft_order_fills_in_what_follows(pharmacist):
    patient = make_patient(kg="70", time_zone="UTC")
    order = draft_order(patient=patient, by=pharmacist, **entered())
    order.refresh_from_db()
    assert (order.status, order.regimen, order.actual_weight_kg, order.dosing_weight_kg, order.version) == (
        OrderStatus.DRAFT,
        "replacement",
        D("70"),
        D("70"),
        1,
    )
    assert (order.starts_on, order.valid_until) == (today(), today().replace(year=today().year + 1))
    assert actions() == ["order.drafted"]
    assert [event.kind for event in order.events.all()] == ["drafted"]


@pytest.mark.parametrize(
    ("sex", "method", "expected"),
    [
        # 170 cm is 66.93 in: 6.93 x 2.3 = 15.94 over the base.
        ("M", "ideal", "65.94"),
        ("F", "ideal", "61.44"),
        ("M", "adjusted", "79.56"),
        ("F", "adjusted", "76.86"),
        ("M", "actual", "100"),
    ],
)
def test_draft_order_computes_the_dosing_weight(pharmacist, sex, method, expected):
    patient = make_patient(kg="100", height_cm=D("170"), sex=sex)
    order = draft_order(patient=patient, by=pharmacist, **entered(weight_method=method))
    assert order.dosing_weight_kg == D(expected)


def test_draft_order_remembers_the_patients_last_dose(pharmacist):
    before = make_order(last_dose_on=today() - dt.timedelta(days=20), doses_given=2)
    order = draft_order(patient=before.patient, by=pharmacist, **entered())
    assert order.last_dose_on == before.last_dose_on


@pytest.mark.parametrize(
    "fields",
    [
        {"prescriber_name": ""},
        {"dose_mg_per_kg": D("49")},
        {"dose_mg_per_kg": D("3001")},
        {"days": 6},
        {"interval_days": 0},
        {"visits_authorized": 0},
        {"starts_on": dt.date(2026, 3, 2), "valid_until": dt.date(2026, 3, 1)},
    ],
)
def test_draft_order_refuses_what_cannot_be(pharmacist, fields):
    assert refusal(draft_order, patient=make_patient(), by=pharmacist, **entered(**fields)) == {"invalid"}


def test_draft_order_without_any_weight_is_refused(pharmacist):
    patient = make_patient(kg=None)
    assert refusal(draft_order, patient=patient, by=pharmacist, **entered()) == {"invalid"}


def test_draft_order_takes_no_computed_columns(pharmacist):
    with pytest.raises(TypeError):
        draft_order(patient=make_patient(), by=pharmacist, **entered(dosing_weight_kg=D("20")))


def test_amend_draft_changes_and_counts(pharmacist):
    order = make_order(status=OrderStatus.DRAFT)
    alternative = make_rate_schedule(indication=order.indication).product
    amend_draft(order=order, version=1, by=pharmacist, dose_mg_per_kg=D("500"), days=1, alternatives=[alternative])
    order.refresh_from_db()
    assert (order.dose_mg_per_kg, order.version, list(order.alternatives.all())) == (D("500"), 2, [alternative])
    assert AuditEvent.objects.get().detail == {"changed": ["dose_mg_per_kg"]}


def test_amend_draft_refuses_a_stale_form(pharmacist):
    order = make_order(status=OrderStatus.DRAFT, version=2)
    assert refusal(amend_draft, order=order, version=1, by=pharmacist, dose_mg_per_kg=D("500")) == {"order-changed"}


@pytest.mark.parametrize("status", ["signed", "held", "stopped"])
def test_only_a_draft_is_amended_or_signed(pharmacist, status):
    order = make_order(status=status)
    change = {"order": order, "version": 1, "by": pharmacist, "dose_mg_per_kg": D("500")}
    assert refusal(amend_draft, **change) == {"order-status"}
    assert refusal(sign_order, order=order, by=pharmacist) == {"order-status"}


def test_sign_order_keeps_who_what_and_when(pharmacist):
    order, now = make_order(status=OrderStatus.DRAFT), clock.now()
    sign_order(order=order, by=pharmacist, now=now)
    order.refresh_from_db()
    signature = Signature.objects.get()
    assert (order.status, order.infusion_minutes, order.at_risk, order.version) == ("signed", 146, False, 2)
    assert (signature.prescriber_name, signature.signed_by, signature.signed_at) == ("Dr. Pat Example", pharmacist, now)
    assert (signature.overridden, signature.override_reason) == ([], "")
    assert signature.content["fields"]["dose_mg_per_kg"] == "400"
    assert signature.content["products"][0]["plan"]["days"][0]["vials"] == ["20 g x 1", "10 g x 1"]
    assert is_intact(signature)
    signature.content["fields"]["dose_mg_per_kg"] = "800"
    assert not is_intact(signature)
    assert actions() == ["order.signed"]


def test_sign_order_refuses_a_blocker_whatever_the_reason(pharmacist):
    order = make_order(status=OrderStatus.DRAFT)
    Allergy.objects.create(
        patient=order.patient, code="hyperprolinemia", recorded_at=clock.now(), recorded_by=make_staff()
    )
    assert refusal(sign_order, order=order, by=pharmacist, override_reason="anyway") == {"proline-hyperprolinemia"}


def test_sign_order_takes_a_reason_for_what_needs_approval_and_keeps_it(pharmacist):
    order = make_order(status=OrderStatus.DRAFT, dose_mg_per_kg="1200")
    assert refusal(sign_order, order=order, by=pharmacist) == {"dose-above-range", "daily-dose-high"}
    sign_order(order=order, by=pharmacist, override_reason=" Dr. Example decided: severe disease ")
    signature = Signature.objects.get()
    assert (signature.overridden, signature.override_reason) == (
        ["daily-dose-high", "dose-above-range"],
        "Dr. Example decided: severe disease",
    )
    assert AuditEvent.objects.get().detail == {"overridden": ["daily-dose-high", "dose-above-range"]}


def test_sign_order_refuses_a_draft_that_changed_since_it_was_read(pharmacist):
    order = make_order(status=OrderStatus.DRAFT, version=2)
    assert refusal(sign_order, order=order, by=pharmacist, version=1) == {"order-changed"}


def test_an_order_is_held_released_and_stopped_with_reasons(pharmacist):
    order = make_order()
    hold_order(order=order, reason="Reaction of grade 3", by=pharmacist)
    assert (order.status, order.status_reason) == ("held", "Reaction of grade 3")
    release_order(order=order, reason="Reviewed by Dr. Example", by=pharmacist)
    assert (order.status, order.status_reason) == ("signed", "")
    stop_order(order=order, reason="Changed to subcutaneous", by=pharmacist)
    assert (order.status, order.status_reason) == ("stopped", "Changed to subcutaneous")
    assert list(order.events.order_by("pk").values_list("kind", "reason")) == [
        ("held", "Reaction of grade 3"),
        ("released", "Reviewed by Dr. Example"),
        ("stopped", "Changed to subcutaneous"),
    ]
    assert actions() == ["order.held", "order.released", "order.stopped"]


@pytest.mark.parametrize(
    ("service", "status"),
    [
        (hold_order, "draft"),
        (hold_order, "held"),
        (hold_order, "stopped"),
        (release_order, "draft"),
        (release_order, "signed"),
        (release_order, "stopped"),
        (stop_order, "stopped"),
    ],
)
def test_an_order_moves_only_where_it_may(pharmacist, service, status):
    assert refusal(service, order=make_order(status=status), reason="why", by=pharmacist) == {"order-status"}


@pytest.mark.parametrize("service", [hold_order, release_order, stop_order])
def test_moving_an_order_needs_a_reason(pharmacist, service):
    order = make_order(status="held" if service is release_order else "signed")
    assert refusal(service, order=order, reason="  ", by=pharmacist) == {"reason-missing"}


def test_note_dose_given_counts_and_tells_the_patients_other_orders(pharmacist):
    order = make_order(doses_given=1, last_dose_on=today() - dt.timedelta(days=28))
    renewal = make_order(patient=order.patient, product=order.product, status=OrderStatus.DRAFT)
    stopped = make_order(patient=order.patient, product=order.product, status=OrderStatus.STOPPED)
    note_dose_given(order=order, given_on=today(), by=pharmacist)
    for row in (order, renewal, stopped):
        row.refresh_from_db()
    assert [(row.doses_given, row.last_dose_on) for row in (order, renewal, stopped)] == [
        (2, today()),
        (0, today()),
        (0, None),
    ]
    assert actions() == ["order.dose_noted"]


def test_note_dose_given_of_an_earlier_day_keeps_the_latest(pharmacist):
    order = make_order(doses_given=1, last_dose_on=today())
    note_dose_given(order=order, given_on=today() - dt.timedelta(days=1), by=pharmacist)
    assert (order.doses_given, order.last_dose_on) == (2, today())


@pytest.mark.parametrize("status", ["signed", "held", "stopped"])
@pytest.mark.parametrize(
    "change",
    [
        {"dose_mg_per_kg": D("410")},
        {"dosing_weight_kg": D("71")},
        {"interval_days": 21},
        {"valid_until": dt.date(2099, 1, 1)},
        {"premedication": "other"},
        {"status": "draft"},
    ],
)
def test_the_database_keeps_a_signed_order_as_it_is(status, change):
    order = make_order(status=status)
    with pytest.raises(DatabaseError), transaction.atomic():
        InfusionOrder.objects.filter(pk=order.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        InfusionOrder.objects.filter(pk=order.pk).delete()


def test_the_database_keeps_the_alternatives_of_a_signed_order():
    order = make_order()
    other = make_rate_schedule(indication=order.indication).product
    signed = make_order(product=order.product, indication=order.indication, alternatives=[other])
    with pytest.raises(DatabaseError), transaction.atomic():
        order.alternatives.add(other)
    with pytest.raises(DatabaseError), transaction.atomic():
        signed.alternatives.clear()
    assert (list(order.alternatives.all()), list(signed.alternatives.all())) == ([], [other])


def test_what_services_keep_on_a_signed_order_may_change():
    order = make_order()
    order.at_risk, order.infusion_minutes, order.doses_given = True, 300, 4
    order.save()
    order.refresh_from_db()
    assert (order.at_risk, order.infusion_minutes, order.doses_given) == (True, 300, 4)
