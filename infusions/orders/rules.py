"""What may be wrong with an order: for signing, for booking and starting, and with the interval between two doses.

Each rule names its source; the table of all of them is docs/clinical-rules.md.
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from types import EllipsisType

from infusion_center.core.rules import Problem, Severity, blocker, needs_approval, note, sort_problems, warning
from infusions.formulary import rules as formulary
from infusions.orders.models import InfusionOrder, OrderStatus, WeightMethod
from infusions.orders.queries import OrderFacts, ProductPlan, order_facts, rate_cap, risk_since_signing
from patients import queries as patients

ADULT_AGE = 18
WEIGHT_KEEPS_ADULT = dt.timedelta(days=183)
WEIGHT_KEEPS_CHILD = dt.timedelta(days=31)
MOST_WEIGHT_CHANGE_PERCENT = Decimal("10")
PUMP_CEILING_ML_PER_H = Decimal("999")
OBESE_BMI = Decimal("30")


def order_problems(order: InfusionOrder, *, facts: OrderFacts | None = None) -> list[Problem]:
    """Everything that speaks against signing the order as it stands, gravest first. It may be unsaved."""
    facts = facts or order_facts(order)
    found = [
        *(problem for one in facts.products for problem in _product_problems(order, one, facts)),
        *_weight_problems(order, facts),
        *weight_change_problems(order, facts.weight),
        *_dosing_weight_problems(order),
        *_date_problems(order, facts.on),
        *_first_dose_problems(order, facts),
        *_other_order_problems(facts),
        *_at_risk_problems(facts),
    ]
    return sort_problems(dict.fromkeys(found))  # two products may have the same problem


def _product_problems(order: InfusionOrder, one: ProductPlan, facts: OrderFacts) -> list[Problem]:
    """Sources: formulary.rules (fact sheet 1a, 1b, 1c, 2), for the ordered product and for each alternative."""
    return [
        *formulary.schedule_problems(product=one.product, indication=order.indication, schedule=one.schedule),
        *formulary.excipient_problems(one.product, conditions=facts.conditions | facts.risks),
        *formulary.dose_problems(
            schedule=one.schedule,
            indication=order.indication,
            dose_mg_per_kg=order.dose_mg_per_kg,
            days=order.days,
            age_years=facts.age_years,
            interval_days=order.interval_days,
        ),
        *_plan_problems(one),
    ]


def _plan_problems(one: ProductPlan) -> list[Problem]:
    """Rounding and pump. Source: fact sheet 2: not past 10 % without a new order; pumps stop at 999 mL/h."""
    if one.impossible:
        return [blocker("plan-impossible", f"{one.product}: {one.impossible}", field="dose_mg_per_kg")]
    if one.plan is None:
        return []
    problems = formulary.rounding_problems(one.plan.rounding_percent)
    fastest = max(step.rate_ml_per_h for day in one.plan.days for step in day.steps)
    if fastest > PUMP_CEILING_ML_PER_H:
        message = f"{one.product} would run at {fastest:.0f} mL/h; many pumps stop at {PUMP_CEILING_ML_PER_H}."
        problems.append(warning("rate-above-pump", message, remedy="Plan for the pump's limit, or a slower rate."))
    return problems


def _weight_problems(order: InfusionOrder, facts: OrderFacts) -> list[Problem]:
    """The weight must be recorded and fresh. Source: fact sheet 2, weight: six months; children at each visit."""
    remedy = "Weigh the patient, or have the prescriber decide with a reason."
    if order.weight_measured_on > facts.on:
        return [blocker("weight-in-future", "The weight's date lies in the future.", field="weight_measured_on")]
    if facts.weight is None:
        message = "No weight of this patient is on record."
        return [needs_approval("weight-missing", message, field="actual_weight_kg", remedy=remedy)]
    child = facts.age_years < ADULT_AGE
    if facts.on - order.weight_measured_on <= (WEIGHT_KEEPS_CHILD if child else WEIGHT_KEEPS_ADULT):
        return []
    limit = "a month, the limit under 18" if child else "six months"
    message = f"The weight is from {order.weight_measured_on:%d-%b-%Y}, older than {limit}."
    return [needs_approval("weight-old", message, field="weight_measured_on", remedy=remedy)]


def weight_change_problems(order: InfusionOrder, weight: patients.Weighed | None) -> list[Problem]:
    """A change of 10 % or more holds the next dose until a clinician confirms. Source: fact sheet 2 and 3, weight."""
    if weight is None or not order.actual_weight_kg:
        return []
    change = weight_change_percent(order, weight.kg)
    if abs(change) < MOST_WEIGHT_CHANGE_PERCENT:
        return []
    message = (
        f"The weight of {weight.kg.normalize():f} kg on {weight.measured_on:%d-%b-%Y} is {change:+.1f}% from the "
        f"{order.actual_weight_kg.normalize():f} kg that the dose was set on."
    )
    remedy = "The prescriber confirms the dose: a new order with today's weight."
    return [blocker("weight-changed", message, field="actual_weight_kg", remedy=remedy)]


def weight_change_percent(order: InfusionOrder, kg: Decimal) -> Decimal:
    """By how much `kg` differs from the weight that the order was made with; unrounded."""
    return (kg - order.actual_weight_kg) / order.actual_weight_kg * 100


def _dosing_weight_problems(order: InfusionOrder) -> list[Problem]:
    """Which weight doses and which drives the rate. Source: fact sheet 2, dosing weight."""
    problems = []
    height = order.patient.height_cm
    if order.weight_method != WeightMethod.ACTUAL and not height:
        message = f"{order.get_weight_method_display()} needs the height, and none is on record."
        remedy = "Record the height with the patient, or dose by actual weight."
        problems.append(blocker("height-missing", message, field="weight_method", remedy=remedy))
    elif order.weight_method == WeightMethod.ACTUAL and height and order.patient.age_on(order.starts_on) >= ADULT_AGE:
        bmi = (order.actual_weight_kg / (height / 100) ** 2).quantize(Decimal("0.1"), ROUND_HALF_UP)
        if bmi > OBESE_BMI:
            message = f"The body-mass index is {bmi}: many centers dose by adjusted weight above {OBESE_BMI}."
            problems.append(note("consider-adjusted-weight", message, field="weight_method"))
    if order.rate_weight_kg is not None and order.rate_weight_kg > order.dosing_weight_kg:
        message = "The rate is driven by a heavier weight than the dose, so it runs faster."
        remedy = "Use the dosing weight unless the prescriber asked for this."
        problems.append(needs_approval("rate-weight-heavier", message, field="rate_weight_kg", remedy=remedy))
    return problems


def _date_problems(order: InfusionOrder, on: dt.date) -> list[Problem]:
    """Source: fact sheet 3, order: blocked when missing or older than twelve months."""
    if order.valid_until < on:
        message = f"The order would already have ended on {order.valid_until:%d-%b-%Y}."
        return [blocker("order-expired", message, field="valid_until", remedy="Correct the last day.")]
    if order.valid_until > year_after(order.starts_on):
        message = "The order runs for more than twelve months."
        remedy = "Shorten it, or have the prescriber decide with a reason."
        return [needs_approval("validity-long", message, field="valid_until", remedy=remedy)]
    return []


def year_after(day: dt.date) -> dt.date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return dt.date(day.year + 1, 2, 28)


def _first_dose_problems(order: InfusionOrder, facts: OrderFacts) -> list[Problem]:
    """Sources: fact sheet 1b (naive or brand switch: lowest step again), 4 (first dose usually in a facility)."""
    problems = []
    before = facts.last_dose_product
    if before is not None and before.name != order.product.name and not order.is_first_dose:
        message = f"The last dose was {before.name}: this order changes the brand."
        remedy = 'Tick "first dose or change of brand", so that the patient is watched longer.'
        problems.append(needs_approval("brand-change-unmarked", message, field="is_first_dose", remedy=remedy))
    if order.is_first_dose:
        message = "First dose or change of brand: lowest rate first, one hour of observation."
        problems.append(note("first-dose", message, field="is_first_dose"))
        if order.home_allowed:
            message = "A first dose of a brand is usually given in a facility."
            remedy = "Book the first visits in a chair."
            problems.append(warning("home-first-dose", message, field="home_allowed", remedy=remedy))
    return problems


def _other_order_problems(facts: OrderFacts) -> list[Problem]:
    """Two orders in force at once may dose a patient twice; one beside an order on hold would get round the hold.

    Sources: caution, no label speaks of it; fact sheet 5, reaction -> app: the prescriber clears the next dose.
    """
    on_hold = [
        needs_approval(
            "other-order-held",
            f"Another order is on hold: {other.status_reason or other.product}.",
            remedy="The prescriber decides, with a reason.",
            url=other.get_absolute_url(),
        )
        for other in facts.other_orders
        if other.status == OrderStatus.HELD
    ]
    return on_hold + [
        warning(
            "other-order",
            f"Another order is in force until {other.valid_until:%d-%b-%Y}: {other.product} for {other.indication}.",
            remedy="Stop it when this one takes over.",
            url=other.get_absolute_url(),
        )
        for other in facts.other_orders
    ]


def _at_risk_problems(facts: OrderFacts) -> list[Problem]:
    """Source: fact sheet 1b, at-risk patient: lowest practicable rate, the number of the label or 3.3 mg/kg/min."""
    schedule = facts.products[0].schedule
    if not facts.at_risk or schedule is None:
        return []
    cap = rate_cap(schedule, at_risk=True)
    message = (
        "The patient is at risk of thrombosis or kidney failure: "
        f"the rate stays at or below {cap.quantize(Decimal('0.01')).normalize():f} mg/kg/min."
    )
    return [note("at-risk", message, remedy="Hydrate first; the smallest dose and rate that serve.")]


def validity_problems(
    order: InfusionOrder, on: dt.date, *, weight: patients.Weighed | EllipsisType | None = ...
) -> list[Problem]:
    """What forbids booking or starting by this order on the local day `on`.

    `weight`: the patient's current one where the caller has read it, for many orders at once; else it is read here.
    Source: fact sheet 3, order (missing or expired blocks) and weight (10 % holds).
    """
    return [
        *_status_problems(order),
        *_period_problems(order, on),
        *weight_change_problems(order, patients.current_weight(order.patient) if weight is ... else weight),
    ]


def standing_problems(order: InfusionOrder, found: list[Problem], on: dt.date) -> list[Problem]:
    """What the page of a signed order shows: what forbids to use it now, and the notes of `found` that still hold.

    What needed approval was decided with the signature, so it is not asked again.
    """
    if order.status == OrderStatus.STOPPED:
        return []
    now = [*validity_problems(order, on), *_risk_since_signing_problems(order)]
    told = {problem.code for problem in now}
    kept = [p for p in found if p.severity in (Severity.BLOCKER, Severity.NOTE) and p.code not in told]
    return sort_problems([*now, *kept])


def _risk_since_signing_problems(order: InfusionOrder) -> list[Problem]:
    """Source: fact sheet 1b, at-risk patient; visits booked before may be too short for the capped rate."""
    if not risk_since_signing(order):
        return []
    message = "A risk came to light after signing: the rate is capped now, and the infusion takes longer than before."
    return [warning("risk-since-signing", message, remedy="Check the length of visits already booked.")]


def _status_problems(order: InfusionOrder) -> list[Problem]:
    why = f": {order.status_reason}" if order.status_reason else ""
    after_hold = "A pharmacist releases it when the prescriber has decided."
    return {
        OrderStatus.SIGNED: [],
        OrderStatus.DRAFT: [blocker("order-unsigned", "The order is not signed.", remedy="Have it signed.")],
        OrderStatus.HELD: [blocker("order-held", f"The order is on hold{why}.", remedy=after_hold)],
        OrderStatus.STOPPED: [blocker("order-stopped", f"The order was stopped{why}.", remedy="Enter a new order.")],
    }[OrderStatus(order.status)]


def _period_problems(order: InfusionOrder, on: dt.date) -> list[Problem]:
    problems = []
    if on < order.starts_on:
        message = f"The order starts on {order.starts_on:%d-%b-%Y}."
        problems.append(blocker("order-not-started", message, remedy="Choose a later day."))
    if on > order.valid_until:
        message = f"The order ended on {order.valid_until:%d-%b-%Y}."
        problems.append(blocker("order-expired", message, remedy="Ask for a new order."))
    if order.doses_given >= order.visits_authorized:
        message = f"All {order.visits_authorized} authorized visits are used up."
        problems.append(blocker("visits-used-up", message, remedy="Ask for a new authorization."))
    return problems


def interval_problems(order: InfusionOrder, on: dt.date, *, last_on: dt.date | None = None) -> list[Problem]:
    """Whether `on` keeps the interval to the last dose, or to `last_on`, a visit booked before it.

    Source: fact sheet 2, date window: not earlier than the interval without a decision; a late dose is given soon.
    """
    window = dose_window(order, last_on=last_on)
    if window is None:
        return []
    earliest, latest = window
    if on < earliest:
        message = f"The next dose is due from {earliest:%d-%b-%Y}: {on:%d-%b-%Y} is {_days(earliest - on)} too early."
        return [needs_approval("dose-too-early", message, remedy="Choose a later day, or have a clinician decide.")]
    if on > latest:
        message = f"The dose was due by {latest:%d-%b-%Y}: {on:%d-%b-%Y} is {_days(on - latest)} late."
        return [warning("dose-late", message, remedy="Give it as soon as possible, then resume the rhythm.")]
    return []


def dose_window(order: InfusionOrder, *, last_on: dt.date | None = None) -> tuple[dt.date, dt.date] | None:
    """First and last day that keep the interval; None before any dose. Inside a course the next day is due."""
    last = last_on or order.last_dose_on
    if last is None:
        return None
    if last_on is None and order.doses_given % order.days:
        return last + dt.timedelta(days=1), last + dt.timedelta(days=1 + order.tolerance_days)
    course_started = last - dt.timedelta(days=order.days - 1 if last_on is None and order.doses_given else 0)
    due, tolerance = course_started + dt.timedelta(days=order.interval_days), dt.timedelta(days=order.tolerance_days)
    return due - tolerance, due + tolerance


def _days(span: dt.timedelta) -> str:
    return f"{span.days} day{'' if span.days == 1 else 's'}"
