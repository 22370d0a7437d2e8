"""What stands beside a question: facts to compare with, limits that hold, and what the answer comes to."""

from decimal import Decimal

from infusion_center.core.rules import Severity
from infusions.checklists import clinical
from infusions.checklists.caps import Caps
from infusions.checklists.consequences import fluid_target, today_kg
from infusions.checklists.models import ChecklistItem
from infusions.checklists.queries import RunState
from infusions.checklists.values import plain
from infusions.formulary import dosing
from infusions.orders.models import InfusionOrder
from infusions.orders.queries import product_plan


def facts_beside(item: ChecklistItem, state: RunState) -> list[str]:
    """What the nurse compares the answer with."""
    describe = BESIDE.get(item.code)
    return describe(state) if describe else []


def limits_of(item: ChecklistItem, state: RunState) -> str:
    """The limits beyond which the answer stops or warns, in words."""
    lowest, highest = clinical.vital_sign_limits(state.context.limits).get(item.code, (item.minimum, item.maximum))
    if item.code == "temperature":
        return f"Hold from {plain(state.context.limits.temperature_c)} °C"
    if lowest is not None and highest is not None:
        return f"Hold below {plain(lowest)}, above {plain(highest)}"
    if lowest is not None:
        word = "Hold below" if item.severity == Severity.BLOCKER else "At least"
        return f"{word} {plain(lowest)} {item.unit}"
    return f"Hold above {plain(highest)} {item.unit}" if highest is not None else ""


def consequence_of(item: ChecklistItem, state: RunState) -> str:
    """What an answer comes to, computed at once, whether or not anything is wrong with it."""
    answers, context = state.answers, state.context
    if item.code not in answers:
        return ""
    if item.code == "weight":
        change = clinical.weight_change_percent(Decimal(str(answers["weight"])), context.order_weight_kg)
        return f"{change:+} % against the order"
    if item.code == "dehydration-signs":
        score = clinical.dehydration_score(
            answers[item.code], today_kg=today_kg(answers), last_kg=context.last_weight_kg
        )
        lost = score - len(set(answers[item.code]) - {"none"})
        counted = f"{score} sign{'' if score == 1 else 's'}{', the weight lost among them' if lost else ''}"
        return f"{counted}; {clinical.DEHYDRATION_HOLD} hold the infusion"
    if clinical.risks_of_answers({item.code: answers[item.code]}):
        return cap_lowered(state.caps)
    return ""


def cap_lowered(caps: Caps | None) -> str:
    """What being at risk comes to for the rate. Source: labels, boxed warning; fact sheet 1b."""
    if caps is None:
        return "At risk: the lowest rate practicable"
    if caps.at_risk.ml_per_h >= caps.ordinary.ml_per_h:
        return f"At risk: at most {caps.at_risk}, as planned"
    return f"At risk: at most {caps.at_risk} instead of {plain(caps.ordinary.ml_per_h)}"


def identity_name(state: RunState) -> list[str]:
    return [state.run.appointment.patient.full_legal_name]


def identity_birth(state: RunState) -> list[str]:
    return [f"{state.run.appointment.patient.date_of_birth:%d-%b-%Y}"]


def order_in_hand(state: RunState) -> list[str]:
    order = state.run.appointment.order
    at_risk = state.at_risk_now
    return [
        order.product.label,
        *dose_lines(order, state.run.appointment.course_day, at_risk),
        *([cap_lowered(state.caps)] if at_risk else []),
        f"Premedication: {order.premedication or 'none ordered'}",
        f"Prescriber: {order.prescriber_name}",
    ]


def dose_lines(order: InfusionOrder, course_day: int, at_risk: bool) -> list[str]:
    """Grams and rates of this day; the bare dose while the schedule of the product is locked."""
    basis = f"{plain(order.dose_mg_per_kg)} mg/kg at {plain(order.dosing_weight_kg)} kg"
    plan = product_plan(order, order.product, at_risk).plan
    if plan is None:
        return [basis, "No rate plan: the schedule is not signed off"]
    day = plan.days[min(course_day, len(plan.days)) - 1]
    rates = " → ".join(plain(dosing.pump_rate_ml_per_h(step.rate_ml_per_h)) for step in day.steps)
    return [f"{plain(day.grams)} g ({plain(day.volume_ml)} mL), {basis}", f"Rate {rates} mL/h"]


def order_weight(state: RunState) -> list[str]:
    return [f"Order written at {plain(state.context.order_weight_kg)} kg"]


def fluids(state: RunState) -> list[str]:
    target = fluid_target(state.answers, state.context)
    restricted = state.context.fluid_restriction_ml is not None
    return [f"Fluid restriction {target} mL a day" if restricted else f"Target {target} mL a day"]


def earlier_creatinine(state: RunState) -> list[str]:
    context = state.context
    if context.last_creatinine is None:
        return ["No earlier value. Leave empty if none is known."]
    measured = f", measured {context.last_creatinine_on:%d-%b-%Y}" if context.last_creatinine_on else ""
    return [f"Last {plain(context.last_creatinine)} mg/dL{measured}. Leave empty if none is new."]


def premedication(state: RunState) -> list[str]:
    return [f"Order: {state.context.premedication or 'none'}"]


def warming(state: RunState) -> list[str]:
    product = state.run.appointment.order.product
    if not product.needs_warming:
        return [f"{product.label} is kept at room temperature"]
    minutes = product.warm_up_minutes
    return [f"{product.label} comes out of the refrigerator" + (f": {minutes} min to warm up" if minutes else "")]


BESIDE = {
    "identity-name": identity_name,
    "identity-birth-date": identity_birth,
    "order-matches": order_in_hand,
    "weight": order_weight,
    "intake-day-before": fluids,
    "creatinine": earlier_creatinine,
    "premedication": premedication,
    "room-temperature": warming,
}
