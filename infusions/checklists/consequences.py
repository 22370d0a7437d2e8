"""What one answer means: general rules read the item (expected, limits, graded choices), special ones go by code."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal

from infusion_center.core.rules import Problem, Severity, needs_approval, note, warning
from infusions.checklists import clinical
from infusions.checklists.context import CheckContext
from infusions.checklists.models import ChecklistItem, ItemKind
from infusions.checklists.values import Value, plain

Answers = Mapping[str, Value]


def item_problems(item: ChecklistItem, answers: Answers, context: CheckContext) -> list[Problem]:
    """Problems of one item: the special rule of its code if there is one, else the general rule of its kind."""
    special = SPECIAL.get(item.code)
    if item.code not in answers:
        return missing_creatinine(item, context) if item.code == "creatinine" else []
    return [*general_problems(item, answers[item.code]), *(special(item, answers, context) if special else [])]


def problem_of(item: ChecklistItem, suffix: str = "", message: str = "", severity: str = "") -> Problem:
    return Problem(
        code=f"{item.code}-{suffix}" if suffix else item.code,
        severity=Severity(severity or item.severity),
        message=message or item.problem_text or item.text,
        field=item.code,
        remedy=item.remedy,
    )


def general_problems(item: ChecklistItem, value: Value) -> list[Problem]:
    if item.kind == ItemKind.YES_NO:
        return [problem_of(item)] if item.expected and value != item.expected else []
    if item.kind == ItemKind.NUMBER:
        return outside(item, Decimal(str(value)), item.minimum, item.maximum)
    if item.kind in (ItemKind.CHOICE, ItemKind.MULTI):
        return picked_problems(item, [value] if isinstance(value, str) else list(value))
    return []


def outside(item: ChecklistItem, number: Decimal, lowest: Decimal | None, highest: Decimal | None) -> list[Problem]:
    shown = f"{plain(number)} {item.unit}"
    if lowest is not None and number < lowest:
        return [problem_of(item, "low", f"{item.problem_text} {shown}, at least {plain(lowest)} wanted.")]
    if highest is not None and number > highest:
        return [problem_of(item, "high", f"{item.problem_text} {shown}, at most {plain(highest)} wanted.")]
    return []


def picked_problems(item: ChecklistItem, picked: list[str]) -> list[Problem]:
    """The choices that carry a severity; those without one only inform, or are weighed by a special rule."""
    graded = [(value, label, *severity) for value, label, *severity in item.choices if severity and value in picked]
    return [
        problem_of(item, value, f"{item.problem_text} {label}.".strip(), severity) for value, label, severity in graded
    ]


def weight(item: ChecklistItem, answers: Answers, context: CheckContext) -> list[Problem]:
    """10 % or more against the weight of the order holds the dose (Group Health order set)."""
    today, ordered = Decimal(str(answers["weight"])), context.order_weight_kg
    if not clinical.weight_holds(today, ordered):
        return []
    change = clinical.weight_change_percent(today, ordered)
    message = f"{item.problem_text} {plain(ordered)} kg then, {plain(today)} kg now: {change:+} %."
    return [problem_of(item, "change", message)]


def today_kg(answers: Answers) -> Decimal | None:
    return Decimal(str(answers["weight"])) if "weight" in answers else None


def fluid_target(answers: Answers, context: CheckContext) -> int:
    return clinical.intake_target_ml(
        site_ml=context.hydration_target_ml,
        restriction_ml=context.fluid_restriction_ml,
        is_adult=context.is_adult,
        kg=today_kg(answers) or context.order_weight_kg,
    )


def intake_day_before(item: ChecklistItem, answers: Answers, context: CheckContext) -> list[Problem]:
    """Under 1 L the day before holds until as much was given; a fluid restriction asks the prescriber instead."""
    drunk, target = int(Decimal(str(answers[item.code]))), fluid_target(answers, context)
    restricted = context.fluid_restriction_ml is not None
    low = clinical.low_intake_ml(target, is_adult=context.is_adult, restricted=restricted)
    if restricted and drunk > target:
        message = f"{drunk} mL yesterday is more than the fluid restriction of {target} mL."
        return [warning(f"{item.code}-over", message, field=item.code, remedy="Tell the prescriber.")]
    if restricted and drunk < low:
        message = f"{drunk} mL yesterday is little, even for a restriction of {target} mL."
        remedy = "Ask the prescriber before giving fluids."
        return [needs_approval(f"{item.code}-low", message, field=item.code, remedy=remedy)]
    if drunk < low <= drunk + context.fluids_given_ml:
        # Yesterday cannot be made up for otherwise: the signs of dehydration, asked anew, still hold.
        message = f"{drunk} mL yesterday, {context.fluids_given_ml} mL given here since."
        return [warning(f"{item.code}-made-up", message, field=item.code, remedy="Go on offering fluids.")]
    if drunk < low:
        return [problem_of(item, "low", f"{item.problem_text} {drunk} mL, at least {low} mL wanted.")]
    if not restricted and drunk < target:
        message = f"{drunk} mL yesterday is below the target of {target} mL."
        return [note(f"{item.code}-below", message, field=item.code, remedy="Offer fluids before and during.")]
    return []


def dehydration(item: ChecklistItem, answers: Answers, context: CheckContext) -> list[Problem]:
    """Two signs, or a postural fall alone, hold; one sign warns."""
    signs = list(answers[item.code])
    score = clinical.dehydration_score(signs, today_kg=today_kg(answers), last_kg=context.last_weight_kg)
    if clinical.dehydration_holds(signs, score):
        counted = f"{score} signs" if score > 1 else "postural fall in pressure"
        return [problem_of(item, "hold", f"Dehydrated: {counted}.")]
    if score:
        message = "One sign of dehydration; two would hold the infusion."
        return [warning(f"{item.code}-one", message, field=item.code, remedy="Offer fluids and look again.")]
    return []


def creatinine(item: ChecklistItem, answers: Answers, context: CheckContext) -> list[Problem]:
    """KDIGO: a rise of 0.3 mg/dL or to 1.5 times the last known value holds. The same sample is not compared."""
    now, before = Decimal(str(answers[item.code])), context.last_creatinine
    if before is None or answers.get("creatinine-on") == str(context.last_creatinine_on or ""):
        return []
    if not clinical.creatinine_rose(now, before):
        return []
    return [problem_of(item, "rise", f"{item.problem_text} {plain(before)} then, {plain(now)} mg/dL now.")]


def missing_creatinine(item: ChecklistItem, context: CheckContext) -> list[Problem]:
    """A first treatment needs a baseline (Group Health order set); later its absence is only pointed out.

    Nobody has to type the value of an earlier visit again while it is young enough.
    """
    make = needs_approval if context.is_first_dose else warning
    message = "No creatinine before the first dose." if context.is_first_dose else "No creatinine value at hand."
    if context.last_creatinine_on is not None:
        age, allowed = (context.today - context.last_creatinine_on).days, allowed_creatinine_days(context)
        if age <= allowed:
            return []
        message = f"The last creatinine is {age} days old, at most {allowed} wanted."
    return [make("creatinine-missing", message, field=item.code, remedy="Ask the prescriber whether to take blood.")]


def allowed_creatinine_days(context: CheckContext) -> int:
    return clinical.creatinine_max_age_days(
        is_first_dose=context.is_first_dose, at_risk=context.at_risk, interval_days=context.interval_days
    )


def creatinine_age(item: ChecklistItem, answers: Answers, context: CheckContext) -> list[Problem]:
    """Older than 3 months before a first dose needs approval; else 12 months, or one cycle at risk, warns."""
    age = (context.today - dt.date.fromisoformat(str(answers[item.code]))).days
    allowed = allowed_creatinine_days(context)
    if age <= allowed:
        return []
    severity = Severity.APPROVAL if context.is_first_dose else ""
    return [problem_of(item, "old", f"{item.problem_text} {age} days, at most {allowed} wanted.", severity)]


def vital_sign(item: ChecklistItem, answers: Answers, context: CheckContext) -> list[Problem]:
    """The site's hold limits; no published standard gives numbers."""
    lowest, highest = clinical.vital_sign_limits(context.limits)[item.code]
    return outside(item, Decimal(str(answers[item.code])), lowest, highest)


def premedication(item: ChecklistItem, answers: Answers, context: CheckContext) -> list[Problem]:
    """What the order asks for cannot be "none ordered"."""
    if answers[item.code] != "not-ordered" or not context.premedication:
        return []
    return [problem_of(item, "ordered", f"{item.problem_text} the order asks for {context.premedication}.")]


def premedication_time(item: ChecklistItem, answers: Answers, context: CheckContext) -> list[Problem]:
    """Acetaminophen works after 30 minutes (Group Health order set)."""
    since = clinical.minutes_since(dt.time.fromisoformat(str(answers[item.code])), context.now)
    if since >= clinical.PREMEDICATION_MINUTES:
        return []
    if since < 0:
        return [problem_of(item, "ahead", "The premedication time lies ahead.")]
    return [problem_of(item, "recent", f"Premedication was taken {since} min ago.")]


SPECIAL: dict[str, Callable[[ChecklistItem, Answers, CheckContext], list[Problem]]] = {
    "weight": weight,
    "intake-day-before": intake_day_before,
    "dehydration-signs": dehydration,
    "creatinine": creatinine,
    "creatinine-on": creatinine_age,
    "temperature": vital_sign,
    "systolic": vital_sign,
    "pulse": vital_sign,
    "spo2": vital_sign,
    "premedication": premedication,
    "premedication-at": premedication_time,
}
