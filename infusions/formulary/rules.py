"""What may be wrong with giving a product: dose, excipients, schedule. Table with sources: docs/clinical-rules.md."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from infusion_center.core.rules import Problem, blocker, needs_approval, warning
from infusions.formulary.models import Excipient, Indication, Product, RateSchedule, Regimen

MOST_G_PER_KG_PER_DAY = Decimal("2")
MOST_DAYS = 5
MOST_ROUNDING_PERCENT = Decimal("10")
USUAL_MG_PER_KG = {
    Regimen.REPLACEMENT: (Decimal("400"), Decimal("800")),
    Regimen.IMMUNOMODULATION: (Decimal("1000"), Decimal("2000")),
}


@dataclass(frozen=True)
class ExcipientRule:
    """An excipient that must not, or not without care, meet a condition of the patient."""

    excipient: Excipient
    condition: str
    code: str
    message: str
    remedy: str
    blocks: bool = True


ANOTHER = "Choose a product without it."
EXCIPIENT_RULES = (
    ExcipientRule(
        Excipient.SORBITOL,
        "hereditary_fructose_intolerance",
        "sorbitol-fructose-intolerance",
        "{product} contains sorbitol, which can be fatal in hereditary fructose intolerance.",
        ANOTHER,
    ),
    ExcipientRule(
        Excipient.L_PROLINE,
        "hyperprolinemia",
        "proline-hyperprolinemia",
        "{product} contains L-proline, which is contraindicated in hyperprolinemia.",
        ANOTHER,
    ),
    ExcipientRule(
        Excipient.MALTOSE,
        "corn",
        "maltose-corn-allergy",
        "{product} contains maltose made from corn, and the patient is allergic to corn.",
        ANOTHER,
    ),
    ExcipientRule(
        Excipient.MALTOSE,
        "diabetes",
        "maltose-glucose-meter",
        "{product} contains maltose, which some glucose meters read as sugar: the reading is falsely high.",
        "Measure glucose only with a glucose-specific meter or in the laboratory.",
        blocks=False,
    ),
    ExcipientRule(
        Excipient.GLUCOSE,
        "diabetes",
        "glucose-load-diabetes",
        "{product} contains glucose, and the patient has diabetes.",
        "Plan glucose checks, or choose a product without sugar.",
        blocks=False,
    ),
)


def dose_problems(
    *,
    schedule: RateSchedule | None,
    indication: Indication,
    dose_mg_per_kg: Decimal,
    days: int,
    age_years: int | None = None,
    interval_days: int | None = None,
) -> list[Problem]:
    """Whether the course of `dose_mg_per_kg` over `days` lies in what label, indication and regimen allow.

    Sources: fact sheet 1b (label ranges), 2 (regimens; more than 1 g/kg in a day is a named decision, except Kawasaki
    disease and MIS-C). More than 2 g/kg in a day lies beyond everything published and is refused.
    """
    return [
        *_dose_range_problems(schedule, indication, dose_mg_per_kg),
        *_daily_problems(indication, dose_mg_per_kg, days),
        *_days_problems(schedule, days),
        *_interval_problems(schedule, interval_days),
        *_age_problems(schedule, age_years),
    ]


def _dose_range_problems(schedule: RateSchedule | None, indication: Indication, dose: Decimal) -> list[Problem]:
    """Source: fact sheet 1b for the label's range, 2 for what the regimen usually gets."""
    if schedule is not None:
        low, high = schedule.dose_min_mg_per_kg, schedule.dose_max_mg_per_kg
        told = f"the label of {schedule.product} gives {_range(low, high)} mg/kg for {indication}"
        if dose < low:
            return [_dose_outside("dose-below-range", dose, f"lies below: {told}")]
        if dose > high:
            return [_dose_outside("dose-above-range", dose, f"lies above: {told}")]
    low, high = USUAL_MG_PER_KG[Regimen(indication.regimen)]
    if low <= dose <= high:
        return []
    regimen = Regimen(indication.regimen).label.lower()
    message = f"{_g(dose)} mg/kg is unusual: {regimen} is usually {_range(low, high)} mg/kg a course."
    if schedule is None:
        return [needs_approval("dose-unusual", message, field="dose_mg_per_kg", remedy="The prescriber decides.")]
    return [warning("dose-unusual", message, field="dose_mg_per_kg", remedy="Check it with the prescriber.")]


def _dose_outside(code: str, dose: Decimal, why: str) -> Problem:
    remedy = "Change the dose, or have the prescriber decide with a reason."
    return needs_approval(code, f"{_g(dose)} mg/kg {why}.", field="dose_mg_per_kg", remedy=remedy)


def _daily_problems(indication: Indication, dose: Decimal, days: int) -> list[Problem]:
    """Source: fact sheet 2, conflict to enforce; 1 g/kg a day, 2 g/kg in Kawasaki disease and MIS-C."""
    if days < 1:
        return [blocker("days-missing", "The dose must be given on at least one day.", field="days")]
    daily = dose / days / 1000
    allowed = indication.max_g_per_kg_per_day
    if daily > max(MOST_G_PER_KG_PER_DAY, allowed):
        message = f"{_g(daily)} g/kg in one day is more than is ever given ({_g(MOST_G_PER_KG_PER_DAY)} g/kg)."
        return [blocker("daily-dose-extreme", message, field="dose_mg_per_kg", remedy="Correct dose or days.")]
    if daily > allowed:
        message = f"{_g(daily)} g/kg in one day: more than {_g(allowed)} needs a named prescriber's decision."
        return [needs_approval("daily-dose-high", message, field="days", remedy="Split the dose over more days.")]
    return []


def _days_problems(schedule: RateSchedule | None, days: int) -> list[Problem]:
    """Source: fact sheet 1b; a course is never split over more than five days there."""
    low, high = (schedule.days_min, schedule.days_max) if schedule is not None else (1, MOST_DAYS)
    if low <= days <= high or days < 1:
        return []
    message = f"The label gives the course over {_range(low, high)} {'day' if high == 1 else 'days'}, not {days}."
    return [warning("days-outside-label", message, field="days")]


def _interval_problems(schedule: RateSchedule | None, interval_days: int | None) -> list[Problem]:
    """Source: fact sheet 1b; not earlier than the label's interval without a decision (2, date window)."""
    if schedule is None or interval_days is None or schedule.interval_min_days is None:
        return []
    low, high = schedule.interval_min_days, schedule.interval_max_days
    told = f"every {interval_days} days; the label gives every {_range(low, high)} days"
    if interval_days < low:
        remedy = "Lengthen the interval, or have the prescriber decide with a reason."
        return [needs_approval("interval-short", f"Too often: {told}.", field="interval_days", remedy=remedy)]
    if interval_days > high:
        return [warning("interval-long", f"Seldom: {told}.", field="interval_days")]
    return []


def _age_problems(schedule: RateSchedule | None, age_years: int | None) -> list[Problem]:
    """Source: fact sheet 1b, ages; the product's own limit where the indication names none."""
    if schedule is None or age_years is None:
        return []
    limits = (schedule.min_age_years, schedule.product.min_age_years)
    youngest = max((limit for limit in limits if limit is not None), default=None)
    if youngest is None or age_years >= youngest:
        return []
    message = f"The patient is {age_years}: the label of {schedule.product} starts at {youngest} years for this use."
    return [needs_approval("below-label-age", message, remedy="Choose another product, or have the prescriber decide.")]


def rounding_problems(rounding_percent: Decimal) -> list[Problem]:
    """Whether rounding to whole vials moves the dose too far. Source: fact sheet 2, not past 10 % without an order."""
    if abs(rounding_percent) <= MOST_ROUNDING_PERCENT:
        return []
    message = f"Rounding changes the dose by {rounding_percent:+.1f}%; more than 10% needs the prescriber's decision."
    return [needs_approval("rounding-large", message, field="round_to_g", remedy="Round to a smaller step.")]


def excipient_problems(product: Product, *, conditions: Collection[str]) -> list[Problem]:
    """Whether the patient's conditions forbid this product: codes of patients.models.Condition and of Risk, since
    diabetes may have been recorded as either.

    Sources: fact sheet 1a, stabiliser rule table and common contraindications CI-A and CI-B. Low IgA by itself is not
    a labelled contraindication, so only IgA deficiency with antibodies and earlier hypersensitivity blocks.
    """
    conditions = set(conditions)
    problems = []
    if "ig_reaction" in conditions:
        message = "The patient had an anaphylactic or severe systemic reaction to immune globulin."
        problems.append(blocker("ig-reaction", message, remedy="Contraindicated: ask the prescriber."))
    if "iga_deficiency_anti_iga" in conditions:
        message = "The patient lacks IgA and has antibodies against it."
        problems.append(blocker("anti-iga", message, remedy="Contraindicated: ask the prescriber."))
    for rule in EXCIPIENT_RULES:
        if rule.condition in conditions and rule.excipient in product.excipients:
            make = blocker if rule.blocks else warning
            problems.append(make(rule.code, rule.message.format(product=product), field="product", remedy=rule.remedy))
    forbidding = {rule.condition for rule in EXCIPIENT_RULES if rule.blocks}
    if Excipient.UNKNOWN in product.excipients and conditions & forbidding:
        message = f"The excipients of {product} are not known, and the patient must avoid some."
        remedy = "A pharmacist enters them in the formulary."
        url = product.get_absolute_url()
        problems.append(blocker("excipients-unknown", message, field="product", remedy=remedy, url=url))
    return problems


def schedule_problems(*, product: Product, indication: Indication, schedule: RateSchedule | None) -> list[Problem]:
    """Whether rates can be computed at all. `schedule` is what queries.schedule_for found, locked or not.

    Sources: fact sheet 1c (schedules belong to product and strength) and its status marks (an unverified rate gives no
    schedule before a pharmacist signs).
    """
    problems = []
    if not product.is_available:
        message = f"{product} is marked as not available."
        problems.append(blocker("product-unavailable", message, field="product", url=product.get_absolute_url()))
    if schedule is None:
        message = f"The formulary has no rates of {product} for {indication}."
        remedy = "Choose a product that has them; rates of another product or strength must not be used."
        problems.append(blocker("no-schedule", message, field="product", remedy=remedy, url=product.get_absolute_url()))
    elif not schedule.is_verified:
        message = f"The rates of {product} for {indication} are unverified, so they give no schedule."
        remedy = "A pharmacist checks them against the label and signs them in the formulary."
        problems.append(
            blocker("schedule-locked", message, field="product", remedy=remedy, url=schedule.get_absolute_url())
        )
    return problems


def schedule_shape_problems(
    *, steps: Sequence[tuple[Decimal, int | None]], maximum: Decimal, at_risk_maximum: Decimal | None
) -> list[Problem]:
    """Whether rows of (mg/kg/min, minutes) make a schedule that can be run. Source: arithmetic; labels' maximum."""
    if not steps:
        return [blocker("no-steps", "A schedule needs at least one step.", field="steps")]
    problems = []
    if any(minutes is None for _, minutes in steps[:-1]) or steps[-1][1] is not None:
        message = "Every step needs its minutes, except the last, which runs to the end of the dose."
        problems.append(blocker("step-minutes", message, field="steps"))
    if any(later[0] <= earlier[0] for earlier, later in pairwise(steps)):
        problems.append(blocker("steps-not-rising", "Each step must be faster than the one before.", field="steps"))
    if steps[-1][0] > maximum:
        problems.append(blocker("step-above-maximum", "No step may be faster than the maximum rate.", field="steps"))
    if at_risk_maximum is not None and at_risk_maximum > maximum:
        message = "The limit for patients at risk lies above the maximum rate."
        problems.append(blocker("at-risk-above-maximum", message, field="at_risk"))
    return problems


def _g(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.01')).normalize():f}"


def _range(low: Decimal | int, high: Decimal | int) -> str:
    low, high = _g(Decimal(low)), _g(Decimal(high))
    return low if low == high else f"{low}-{high}"
