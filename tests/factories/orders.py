"""Orders for tests: by default signed, lawful, 400 mg/kg every 28 days for the patient's weight on record."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from infusion_center.accounts.models import User
from infusion_center.accounts.roles import Role
from infusion_center.core import clock
from infusions.formulary.models import Indication, Product, RateSchedule
from infusions.orders import queries, signing
from infusions.orders.models import InfusionOrder, OrderStatus, Signature
from infusions.orders.services import EDITABLE, fill_in
from patients.models import Patient
from tests.factories.accounts import make_staff
from tests.factories.formulary import make_rate_schedule
from tests.factories.patients import make_patient


def make_order(
    *,
    patient: Patient | None = None,
    product: Product | None = None,
    indication: Indication | None = None,
    status: str = OrderStatus.SIGNED,
    dose_mg_per_kg: str | Decimal = "400",
    infusion_minutes: int | None = None,
    alternatives: Iterable[Product] = (),
    signed_by: User | None = None,
    **fields,
) -> InfusionOrder:
    """Started four weeks ago, valid for a year. A product without a schedule for the indication gets one.

    `fields` are columns of the order, those kept by services (last_dose_on, doses_given, at_risk) included.
    """
    patient = patient or make_patient()
    product, indication = _product_and_indication(product, indication)
    today = clock.now().date()
    at_risk = fields.pop("at_risk", None)
    kept = {name: fields.pop(name) for name in list(fields) if name not in EDITABLE}
    entered = {
        "product": product,
        "indication": indication,
        "dose_mg_per_kg": Decimal(dose_mg_per_kg),
        "prescriber_name": "Dr. Pat Example",
        "starts_on": today - dt.timedelta(days=28),
        "valid_until": today + dt.timedelta(days=337),
        **fields,
    }
    order = InfusionOrder(patient=patient)
    fill_in(order, entered)
    for name, value in kept.items():
        setattr(order, name, value)
    order.save()
    order.alternatives.set(alternatives)
    if status != OrderStatus.DRAFT:
        _sign(order, status, infusion_minutes, at_risk, signed_by)
    order.refresh_from_db()
    return order


def _product_and_indication(product, indication) -> tuple[Product, Indication]:
    found = RateSchedule.objects.filter(**{"product": product} if product else {"pk": None})
    if indication is not None:
        found = found.filter(indication=indication)
    schedule = found.order_by("pk").first() or make_rate_schedule(product=product, indication=indication)
    return schedule.product, schedule.indication


def _sign(order: InfusionOrder, status: str, infusion_minutes, at_risk, signed_by) -> None:
    facts = queries.order_facts(order)
    order.status = status
    order.at_risk = facts.at_risk if at_risk is None else at_risk
    order.infusion_minutes = infusion_minutes or queries.longest_day_minutes(facts.products)
    order.save()
    content = signing.signed_content(order, facts, [])
    Signature.objects.create(
        order=order,
        prescriber_name=order.prescriber_name,
        signed_by=signed_by or make_staff(role=Role.PHARMACIST),
        signed_at=clock.now(),
        content=content,
        content_hash=signing.content_hash(content),
    )
