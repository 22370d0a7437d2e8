"""Two people at once: threads with connections of their own, on the real database."""

import threading

import pytest
from django.db import connection

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.orders.models import InfusionOrder, OrderStatus, Signature
from infusions.orders.services import amend_draft, note_dose_given, sign_order
from tests.factories.accounts import make_staff
from tests.factories.orders import make_order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def at_once(*calls):
    """Run the calls together; answers are what each returned or refused with."""
    gate, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number, call):
        gate.wait()
        try:
            answers[number] = call()
        except RuleViolation as refused:
            answers[number] = refused.codes
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number, call)) for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_a_draft_is_signed_once():
    order, people = make_order(status=OrderStatus.DRAFT), [make_staff(role="pharmacist") for _ in range(4)]
    answers = at_once(*(lambda by=by: sign_order(order=InfusionOrder.objects.get(pk=order.pk), by=by) for by in people))
    assert (Signature.objects.count(), AuditEvent.objects.filter(action="order.signed").count()) == (1, 1)
    assert [answer for answer in answers if answer != order] == [{"order-status"}] * 3


def test_nobody_signs_what_is_being_changed():
    order, by = make_order(status=OrderStatus.DRAFT), make_staff(role="pharmacist")
    answers = at_once(
        lambda: sign_order(order=InfusionOrder.objects.get(pk=order.pk), by=by, version=1),
        lambda: amend_draft(order=InfusionOrder.objects.get(pk=order.pk), version=1, by=by, dose_mg_per_kg=500),
    )
    refused = [answer for answer in answers if isinstance(answer, set)]
    assert refused in ([{"order-changed"}], [{"order-status"}])
    signed = Signature.objects.first()
    order.refresh_from_db()
    if signed is not None:
        assert signed.content["fields"]["dose_mg_per_kg"] == f"{order.dose_mg_per_kg:.0f}"


def test_no_dose_is_lost_in_the_count():
    order, by = make_order(), make_staff()
    day = order.starts_on
    at_once(
        *(lambda: note_dose_given(order=InfusionOrder.objects.get(pk=order.pk), given_on=day, by=by) for _ in range(5))
    )
    order.refresh_from_db()
    assert order.doses_given == 5
