"""Reads about orders: what is known when one is judged, its computed plan, its visit length, and the work lists."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile

from django.db.models import Max, Q, QuerySet

from infusion_center.core import clock
from infusions.facility.models import Site
from infusions.formulary import queries as formulary
from infusions.formulary.dosing import InfusionPlan, RateStep, plan_infusion
from infusions.formulary.models import Product, RateSchedule
from infusions.orders.models import InfusionOrder, OrderStatus
from patients import queries as patients
from patients.models import Patient, Weight

LONG_GAP = dt.timedelta(weeks=8)
EXPIRING_WITHIN = dt.timedelta(days=30)
QUARTER_MINUTES = 15


@dataclass(frozen=True)
class VisitLength:
    """Minutes of one visit by its parts; `total` is rounded up to whole quarters of an hour."""

    preparation: int
    infusion: int
    observation: int

    @property
    def before_observation(self) -> int:
        return self.preparation + self.infusion

    @property
    def total(self) -> int:
        return -(-(self.preparation + self.infusion + self.observation) // QUARTER_MINUTES) * QUARTER_MINUTES


@dataclass(frozen=True)
class ProductPlan:
    """One product of an order: its schedule, locked or not, and the plan, or why there is none."""

    product: Product
    schedule: RateSchedule | None
    plan: InfusionPlan | None
    impossible: str = ""


@dataclass(frozen=True)
class OrderFacts:
    """Everything that the rules look at besides the order itself, read once."""

    on: dt.date
    age_years: int
    conditions: frozenset[str]
    risks: frozenset[str]
    at_risk: bool
    weight: Weight | None
    products: tuple[ProductPlan, ...]  # the ordered one first
    last_dose_product: Product | None = None
    other_orders: tuple[InfusionOrder, ...] = ()  # of the same patient, in force at the same time


def order_facts(order: InfusionOrder, *, on: dt.date | None = None, alternatives=None) -> OrderFacts:
    """Facts about an order, saved or still being typed; of the latter the alternatives are handed in."""
    patient, on = order.patient, on or patient_today(order.patient)
    if alternatives is None:
        alternatives = order.alternatives.all() if order.pk else ()
    at_risk = order.at_risk or patients.is_at_risk(patient, on)
    given = last_given_order(patient, before=order)
    return OrderFacts(
        on=on,
        age_years=patient.age_on(on),
        conditions=patients.conditions_of(patient),
        risks=patients.risks_of(patient),
        at_risk=at_risk,
        weight=patients.current_weight(patient),
        products=tuple(
            product_plan(order, product, at_risk)
            for product in [order.product, *(other for other in alternatives if other != order.product)]
        ),
        last_dose_product=given.product if given else None,
        other_orders=tuple(orders_in_force_beside(order)),
    )


def product_plan(order: InfusionOrder, product: Product, at_risk: bool) -> ProductPlan:
    schedule = formulary.schedule_for(product, order.indication)
    if schedule is None or not schedule.is_verified:
        return ProductPlan(product, schedule, None)
    try:
        plan = plan_infusion(
            dose_mg_per_kg=order.dose_mg_per_kg,
            dosing_weight_kg=order.dosing_weight_kg,
            days=order.days,
            concentration_mg_per_ml=product.concentration_mg_per_ml,
            vial_sizes_g=formulary.vial_sizes_g(product),
            round_to_g=order.round_to_g,
            steps=steps_up_to(rate_cap(schedule, at_risk), formulary.dosing_steps(schedule)),
            max_mg_per_kg_per_min=rate_cap(schedule, at_risk),
            rate_weight_kg=order.rate_weight_kg,
        )
    except ValueError as impossible:
        return ProductPlan(product, schedule, None, str(impossible))
    return ProductPlan(product, schedule, plan)


def rate_cap(schedule: RateSchedule, at_risk: bool) -> Decimal:
    """mg/kg/min never to be passed. Source: fact sheet 1b, maximum rates and the at-risk patient."""
    return schedule.at_risk_cap_mg_per_kg_per_min if at_risk else schedule.max_mg_per_kg_per_min


def steps_up_to(cap: Decimal, steps: tuple[RateStep, ...]) -> tuple[RateStep, ...]:
    """The steps below the cap, then the cap to the end: nobody is told to change to a rate that already runs."""
    below = tuple(takewhile(lambda step: step.mg_per_kg_per_min < cap, steps))
    return steps if len(below) == len(steps) else (*below, RateStep(mg_per_kg_per_min=cap))


def order_plan(
    order: InfusionOrder, product: Product | None = None, *, on: dt.date | None = None
) -> InfusionPlan | None:
    """The plan of the ordered product, or of another; None while there is no verified schedule to plan by.

    A risk that came to light after signing caps the rate as well.
    """
    at_risk = order.at_risk or patients.is_at_risk(order.patient, on or patient_today(order.patient))
    return product_plan(order, product or order.product, at_risk).plan


def longest_day_minutes(plans: tuple[ProductPlan, ...] | list[ProductPlan]) -> int:
    """The longest day of any product that may be given, so that the visit is long enough for each of them."""
    return max((day.minutes for one in plans if one.plan for day in one.plan.days), default=0)


def visit_length(
    order: InfusionOrder,
    site: Site,
    setting: str,
    *,
    on: dt.date | None = None,
    infusion_minutes: int | None = None,
    last_on: dt.date | None = None,
) -> VisitLength:
    """How long a visit of this order takes at the site on the local day `on`, today when not given.

    `last_on`: the day of a visit booked before it, which by then will have been the last dose.

    The setting makes no difference yet: a home nurse prepares and observes alike, and travel lies outside the visit.
    Source: fact sheet 4, observation: an hour after a first infusion, a change of brand or a long gap.
    """
    if infusion_minutes is None:
        infusion_minutes = infusion_minutes_of(order)
    observation = site.observation_minutes
    if needs_long_observation(order, on or patient_today(order.patient), last_on=last_on):
        observation = max(observation, site.first_observation_minutes)
    return VisitLength(
        preparation=site.preparation_minutes + order.product.reconstitution_minutes,
        infusion=infusion_minutes,
        observation=observation,
    )


def infusion_minutes_of(order: InfusionOrder, *, has_risk: bool | None = None) -> int:
    """Minutes of the longest day as kept at signing; computed anew for a draft, or when a risk came to light since.

    Kept on the instance, because a slot search asks for every day of its window. `has_risk`: whether the patient has
    a recorded risk, where that was read already.
    """
    if not hasattr(order, "_infusion_minutes_now"):
        order._infusion_minutes_now = max(order.infusion_minutes, _minutes_beyond_signing(order, has_risk))
    return order._infusion_minutes_now


def _minutes_beyond_signing(order: InfusionOrder, has_risk: bool | None) -> int:
    if order.infusion_minutes and (order.at_risk or not risk_since_signing(order, has_risk=has_risk)):
        return 0
    return longest_day_minutes(order_facts(order).products)


def risk_since_signing(order: InfusionOrder, *, has_risk: bool | None = None) -> bool:
    return not order.at_risk and patients.is_at_risk(order.patient, patient_today(order.patient), has_risk=has_risk)


def needs_long_observation(order: InfusionOrder, on: dt.date, *, last_on: dt.date | None = None) -> bool:
    """First dose, change of brand, or more than eight weeks since the last one. Source: fact sheet 1b and 4."""
    if order.is_first_dose and order.doses_given == 0 and last_on is None:
        return True
    last = max(filter(None, (order.last_dose_on, last_on)), default=None)
    return last is not None and on - last > LONG_GAP


def patient_today(patient: Patient) -> dt.date:
    return clock.local_date(clock.now(), patient.time_zone)


def active_order(patient: Patient) -> InfusionOrder | None:
    """The order that the patient is treated by: signed before held, not expired, latest start first."""
    orders = _with_names(InfusionOrder.objects.filter(patient=patient, valid_until__gte=patient_today(patient)))
    for status in (OrderStatus.SIGNED, OrderStatus.HELD):
        if found := orders.filter(status=status).order_by("-starts_on", "-pk").first():
            return found
    return None


def orders_of(patient: Patient) -> QuerySet[InfusionOrder]:
    return _with_names(InfusionOrder.objects.filter(patient=patient)).order_by("-created_at", "-pk")


def last_given_order(patient: Patient, *, before: InfusionOrder) -> InfusionOrder | None:
    """The other order by which the patient was last infused."""
    return (
        InfusionOrder.objects.filter(patient=patient, last_dose_on__isnull=False, doses_given__gt=0)
        .exclude(pk=before.pk)
        .select_related("product")
        .order_by("-last_dose_on", "-pk")
        .first()
    )


def orders_in_force_beside(order: InfusionOrder) -> QuerySet[InfusionOrder]:
    """Signed or held orders of the patient whose days overlap with those of this one."""
    return (
        _with_names(InfusionOrder.objects.filter(patient=order.patient))
        .filter(status__in=(OrderStatus.SIGNED, OrderStatus.HELD))
        .filter(starts_on__lte=order.valid_until, valid_until__gte=order.starts_on)
        .exclude(pk=order.pk)
        .order_by("starts_on", "pk")
    )


def last_dose_day(patient: Patient) -> dt.date | None:
    return InfusionOrder.objects.filter(patient=patient).aggregate(day=Max("last_dose_on"))["day"]


def _with_names(orders: QuerySet[InfusionOrder]) -> QuerySet[InfusionOrder]:
    return orders.select_related("patient", "product", "indication")


# The work lists of the order list, by their names in its URL.
WORK_LISTS = {
    "to-sign": "To sign",
    "held": "On hold",
    "expiring": "Expiring",
    "active": "Signed",
    "stopped": "Stopped",
    "all": "All",
}
COUNTED = ("to-sign", "held", "expiring", "active")  # the others grow with history


def work_list(name: str, on: dt.date, *, among: QuerySet[InfusionOrder]) -> QuerySet[InfusionOrder]:
    """`among`: those that the person sees. What ends first on top, drafts by age, history newest first."""
    orders = _with_names(among.filter(_work_list_condition(name, on)))
    first = {"to-sign": "created_at", "expiring": "valid_until", "active": "valid_until"}.get(name, "-created_at")
    return orders.order_by(first, "pk")


def work_list_counts(on: dt.date, *, among: QuerySet[InfusionOrder]) -> dict[str, int]:
    return {name: among.filter(_work_list_condition(name, on)).count() for name in COUNTED}


def _work_list_condition(name: str, on: dt.date) -> Q:
    signed = Q(status=OrderStatus.SIGNED)
    return {
        "to-sign": Q(status=OrderStatus.DRAFT),
        "held": Q(status=OrderStatus.HELD),
        "expiring": signed & Q(valid_until__range=(on, on + EXPIRING_WITHIN)),
        "active": signed & Q(valid_until__gte=on),
        "stopped": Q(status=OrderStatus.STOPPED),
        "all": Q(),
    }[name]
