"""Arithmetic of the pre-infusion check: weight change, fluids, dehydration, creatinine, vital signs. Pure."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal

from infusions.checklists.context import Limits
from patients.models import Risk

WEIGHT_HOLD_PERCENT = Decimal(10)
WEIGHT_LOSS_SIGN_PERCENT = Decimal(3)
LOW_INTAKE_ML = 1000
DEHYDRATION_HOLD = 2
POSTURAL_FALL = "postural-fall"
CREATININE_RISE = Decimal("0.3")
CREATININE_RATIO = Decimal("1.5")
CREATININE_FIRST_DOSE_DAYS = 92
CREATININE_DAYS = 366
PREMEDICATION_MINUTES = 30
NEPHROTOXIC = frozenset({"nsaid", "contrast", "aminoglycoside", "diuretic"})


def weight_change_percent(today_kg: Decimal, order_kg: Decimal) -> Decimal:
    """Signed change against the weight the order was written on, to a tenth of a percent for display."""
    return exact_change_percent(today_kg, order_kg).quantize(Decimal("0.1"), ROUND_HALF_UP)


def exact_change_percent(today_kg: Decimal, before_kg: Decimal) -> Decimal:
    return (today_kg - before_kg) * 100 / before_kg


def weight_holds(today_kg: Decimal, order_kg: Decimal) -> bool:
    """A change of 10 % or more holds the dose. Group Health order set: call the physician at 10 % from baseline."""
    return abs(exact_change_percent(today_kg, order_kg)) >= WEIGHT_HOLD_PERCENT


def daily_need_ml(kg: Decimal) -> int:
    """Holliday-Segar: 100 mL/kg for the first 10 kg, 50 for the next 10, 20 beyond. For children."""
    first, second = min(kg, Decimal(10)), min(max(kg - 10, Decimal(0)), Decimal(10))
    beyond = max(kg - 20, Decimal(0))
    return int((first * 100 + second * 50 + beyond * 20).to_integral_value(ROUND_HALF_UP))


def intake_target_ml(*, site_ml: int, restriction_ml: int | None, is_adult: bool, kg: Decimal | None) -> int:
    """What the patient should drink a day: his restriction, else the site's target, children by weight up to that."""
    if restriction_ml is not None:
        return restriction_ml
    if is_adult or kg is None:
        return site_ml
    return min(site_ml, daily_need_ml(kg))


def low_intake_ml(target_ml: int, *, is_adult: bool, restricted: bool) -> int:
    """Below this, the day before, the patient does not count as hydrated: 1 L, half the target for the others.

    Labels: never start volume depleted. The numbers are clinic defaults.
    """
    return LOW_INTAKE_ML if is_adult and not restricted else target_ml // 2


def dehydration_score(signs: Collection[str], *, today_kg: Decimal | None, last_kg: Decimal | None) -> int:
    """Number of signs, and one more for 3 % of weight lost since the last visit."""
    lost = (
        today_kg is not None
        and last_kg is not None
        and exact_change_percent(today_kg, last_kg) <= -WEIGHT_LOSS_SIGN_PERCENT
    )
    return len(set(signs) - {"none"}) + lost


def dehydration_holds(signs: Collection[str], score: int) -> bool:
    """Any two signs hold, and a postural fall alone (systolic 20 mmHg or more on standing)."""
    return score >= DEHYDRATION_HOLD or POSTURAL_FALL in signs


def creatinine_rose(today: Decimal, baseline: Decimal) -> bool:
    """KDIGO acute kidney injury: a rise of 0.3 mg/dL or more, or to 1.5 times the baseline or more."""
    return today - baseline >= CREATININE_RISE or today >= baseline * CREATININE_RATIO


def creatinine_max_age_days(*, is_first_dose: bool, at_risk: bool, interval_days: int) -> int:
    """Group Health order set: 3 months before a first treatment, each cycle at risk, else 12 months."""
    if is_first_dose:
        return CREATININE_FIRST_DOSE_DAYS
    return interval_days + 7 if at_risk else CREATININE_DAYS


def vital_sign_limits(limits: Limits) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    """Item code -> (lowest, highest) that may start. 38.0 °C and more is fever, so the highest is a tenth below."""
    return {
        "temperature": (None, limits.temperature_c - Decimal("0.1")),
        "systolic": (Decimal(limits.systolic_low), Decimal(limits.systolic_high)),
        "pulse": (Decimal(limits.pulse_low), Decimal(limits.pulse_high)),
        "spo2": (Decimal(limits.spo2_percent), None),
    }


def minutes_since(taken: dt.time, now: dt.datetime) -> int:
    """Minutes between a wall time of today and now; negative when it still lies ahead."""
    return int((now - now.replace(hour=taken.hour, minute=taken.minute, second=0, microsecond=0)).total_seconds() // 60)


def risks_of_answers(answers: Mapping[str, str | list[str]]) -> frozenset[str]:
    """Risk factors of the boxed warning that the answers tell of.

    Infection and dehydration are left out: they hold the infusion, and pass.
    """
    risks = set()
    if answers.get("pregnancy-estrogen") == "yes":
        risks.add(Risk.OESTROGEN.value)
    if NEPHROTOXIC & set(answers.get("new-drugs", ())):
        risks.add(Risk.NEPHROTOXIC_DRUGS.value)
    return frozenset(risks)
