"""Pure arithmetic of one dose: grams, vials, volume and rate steps. Holds no rows, knows no patient, decides nothing.

Everything is Decimal; the unit is in the name. Impossible input raises ValueError with a sentence that can be shown.
Times are whole minutes: the step that ends the dose is rounded up, while its volume stays exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, Inexact, localcontext
from functools import lru_cache

SMALLEST, LARGEST = Decimal("0.000001"), Decimal("1000000")  # outside lies a typing error, not a quantity
SHARE_G = SHARE_ML = Decimal("0.000001")  # shares that do not divide evenly are cut here; the last takes the rest
NEGLIGIBLE_ML = Decimal("0.001")  # no pump gives less, so it never earns a step of its own
CM_PER_INCH, DEVINE_INCHES, DEVINE_KG_PER_INCH = Decimal("2.54"), Decimal(60), Decimal("2.3")
DEVINE_KG = {"M": Decimal("50"), "F": Decimal("45.5")}


@dataclass(frozen=True, kw_only=True)
class RateStep:
    """One step as a schedule writes it. `minutes=None` runs to the end of the dose."""

    mg_per_kg_per_min: Decimal
    minutes: int | None = None


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One step as it will run for this patient: never above the cap, exact rate, whole minutes."""

    mg_per_kg_per_min: Decimal
    rate_ml_per_h: Decimal
    minutes: int
    volume_ml: Decimal


@dataclass(frozen=True, kw_only=True)
class PlannedDay:
    """One day's infusion. `vials` maps a vial size in grams to how many are opened, largest first."""

    grams: Decimal
    volume_ml: Decimal
    vials: dict[Decimal, int] = field(hash=False)
    steps: tuple[PlannedStep, ...]

    @property
    def minutes(self) -> int:
        return sum(step.minutes for step in self.steps)

    @property
    def opened_g(self) -> Decimal:
        return sum((size * count for size, count in self.vials.items()), Decimal(0))

    @property
    def waste_g(self) -> Decimal:
        return self.opened_g - self.grams


@dataclass(frozen=True, kw_only=True)
class InfusionPlan:
    """A whole course. `exact_g` is dose times weight, `total_g` what the days add up to after rounding."""

    exact_g: Decimal
    total_g: Decimal
    days: tuple[PlannedDay, ...]

    @property
    def rounding_percent(self) -> Decimal:
        return (self.total_g - self.exact_g) / self.exact_g * 100

    @property
    def minutes(self) -> int:
        return sum(day.minutes for day in self.days)


def plan_infusion(
    *,
    dose_mg_per_kg: Decimal,
    dosing_weight_kg: Decimal,
    days: int,
    concentration_mg_per_ml: Decimal,
    vial_sizes_g: Iterable[Decimal],
    steps: Iterable[RateStep],
    round_to_g: Decimal | None = None,
    max_mg_per_kg_per_min: Decimal | None = None,
    rate_weight_kg: Decimal | None = None,
) -> InfusionPlan:
    """Plan a course of `dose_mg_per_kg` in all, split evenly over `days`.

    `round_to_g` rounds each day's grams to the nearest multiple, ties up; a day that would round to nothing is refused,
    because one whole step could be several times the dose. None keeps the exact dose. Every step is cut to
    `max_mg_per_kg_per_min`. Rates are driven by `rate_weight_kg`, or by the dosing weight when it is None.
    """
    dose = _quantity("dose in mg/kg", dose_mg_per_kg)
    weight = _quantity("dosing weight in kg", dosing_weight_kg)
    rate_weight = weight if rate_weight_kg is None else _quantity("rate weight in kg", rate_weight_kg)
    concentration = _quantity("concentration in mg/mL", concentration_mg_per_ml)
    sizes = tuple(sorted({_quantity("vial size in g", size) for size in vial_sizes_g}, reverse=True))
    cap = None if max_mg_per_kg_per_min is None else _quantity("highest rate in mg/kg/min", max_mg_per_kg_per_min)
    step_to = None if round_to_g is None else _quantity("rounding in g", round_to_g)
    checked_steps = _checked_steps(steps, cap)
    if not sizes:
        raise ValueError("There are no vial sizes to make the dose from.")
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise ValueError(f"The number of days must be a whole number of at least 1, not {days!r}.")

    with localcontext(Context(prec=28)):
        exact_g = dose * weight / 1000
        grams_of_days = _equal_days(exact_g, days) if step_to is None else _rounded_days(exact_g, days, step_to)
        planned = {
            grams: _plan_day(grams, concentration, sizes, checked_steps, rate_weight) for grams in set(grams_of_days)
        }
        return InfusionPlan(
            exact_g=exact_g,
            total_g=sum(grams_of_days, Decimal(0)),
            days=tuple(planned[grams] for grams in grams_of_days),
        )


def adjusted_weight_kg(
    *, sex: str, height_cm: Decimal, actual_kg: Decimal, factor: Decimal = Decimal("0.4")
) -> Decimal:
    """Devine ideal weight plus `factor` times the excess over it; the actual weight when there is no excess.

    Devine is defined from 60 inches (152.4 cm) up. Shorter people get the ideal weight of 60 inches, so that there is
    no jump at that height and a child, who weighs less than that, keeps the actual weight. Not rounded.
    Source: fact sheet section 2, dosing weight (Devine; 0.4 in most centres, 0.5 in the Harriet Lane handbook).
    """
    if sex not in DEVINE_KG:
        raise ValueError(f"The sex for dosing must be M or F, not {sex!r}.")
    height, actual = _quantity("height in cm", height_cm), _quantity("actual weight in kg", actual_kg)
    share = factor if factor == 0 else _quantity("share of the excess weight", factor)
    if share > 1:
        raise ValueError("The share of the excess weight must lie between 0 and 1.")
    with localcontext(Context(prec=28)):
        inches_over = max(Decimal(0), height / CM_PER_INCH - DEVINE_INCHES)
        ideal = DEVINE_KG[sex] + DEVINE_KG_PER_INCH * inches_over
        return actual if actual <= ideal else ideal + share * (actual - ideal)


def ml_per_kg_per_h(mg_per_kg_per_min: Decimal, concentration_mg_per_ml: Decimal) -> Decimal:
    """The same rate in mL/kg/h. On a 10% product 1 mg/kg/min is 0.6 mL/kg/h, on a 5% product 1.2."""
    return mg_per_kg_per_min * 60 / concentration_mg_per_ml


def mg_per_kg_per_min(ml_per_kg_per_h: Decimal, concentration_mg_per_ml: Decimal) -> Decimal:
    """The same rate in mg/kg/min."""
    return ml_per_kg_per_h * concentration_mg_per_ml / 60


def pump_rate_ml_per_h(rate_ml_per_h: Decimal) -> Decimal:
    """What to set on a pump: a tenth of a mL/h, cut and never rounded up, so that no rate passes its maximum.

    A rate derived from mL/kg/h may sit a hair under its round number (349.9999998); that hair is given back first.
    """
    return rate_ml_per_h.quantize(Decimal("0.0001"), ROUND_HALF_UP).quantize(Decimal("0.1"), ROUND_FLOOR)


@lru_cache(maxsize=2048)
def choose_vials(grams: Decimal, sizes_g: tuple[Decimal, ...]) -> tuple[tuple[Decimal, int], ...]:
    """The vials that reach `grams` with the least waste and, among those, the fewest; largest size first.

    Exact, not greedy: 30 g from 25 and 10 is three tens. Supply is taken as unlimited.
    """
    numerators = [size.as_integer_ratio() for size in sizes_g]
    scale = math.lcm(*(below for _, below in numerators))
    whole = [above * (scale // below) for above, below in numerators]
    unit = math.gcd(*whole)
    sizes = sorted(((units // unit, size) for units, size in zip(whole, sizes_g, strict=True)), reverse=True)
    above, below = grams.as_integer_ratio()
    target = -(-above * scale // (below * unit))  # whole units, up: a vial cannot be opened in part

    # Any `largest` smaller vials hold a group that adds up to a multiple of `largest`, which fewer of the largest
    # vials replace. So beyond a bound the dose is made of largest vials only, and the search below stays small.
    largest = sizes[0][0]
    second = sizes[1][0] if len(sizes) > 1 else 0
    surely_largest = max(0, -(-(target - (largest - 1) * second) // largest))
    counts = _fewest([units for units, _ in sizes], max(0, target - surely_largest * largest))
    counts[0] += surely_largest
    return tuple((size, count) for (_, size), count in zip(sizes, counts, strict=True) if count)


def _fewest(sizes: Sequence[int], target: int) -> list[int]:
    """How many of each size (largest first) reach the smallest possible sum >= target in the fewest pieces."""
    limit = target + sizes[-1]  # pieces of the smallest size alone always land below this
    fewest: list[int | None] = [0] + [None] * limit
    last_piece = [0] * (limit + 1)
    for total in range(1, limit + 1):
        for index, size in enumerate(sizes):
            before = fewest[total - size] if size <= total else None
            if before is not None and (fewest[total] is None or before + 1 < fewest[total]):
                fewest[total], last_piece[total] = before + 1, index
    total = next(total for total in range(target, limit + 1) if fewest[total] is not None)
    counts = [0] * len(sizes)
    while total:
        counts[last_piece[total]] += 1
        total -= sizes[last_piece[total]]
    return counts


def _plan_day(
    grams: Decimal, concentration: Decimal, sizes: tuple[Decimal, ...], steps: Sequence[RateStep], weight: Decimal
) -> PlannedDay:
    volume_ml = grams * 1000 / concentration
    return PlannedDay(
        grams=grams,
        volume_ml=volume_ml,
        vials=dict(choose_vials(grams, sizes)),
        steps=tuple(_planned_steps(volume_ml, concentration, steps, weight)),
    )


def _planned_steps(
    volume_ml: Decimal, concentration: Decimal, steps: Sequence[RateStep], weight: Decimal
) -> Iterable[PlannedStep]:
    left = volume_ml
    for step in steps:
        mg_per_min = step.mg_per_kg_per_min * weight
        given = None if step.minutes is None else mg_per_min * step.minutes / concentration
        ends_here = step is steps[-1] or given is None or given >= left - NEGLIGIBLE_ML
        if ends_here:  # the last rate goes on until the dose is done, however long the schedule holds it
            given, minutes = left, _whole_minutes(left * concentration / mg_per_min)
        else:
            given, minutes = _short(given), step.minutes
        with localcontext(rounding=ROUND_FLOOR):  # not even the last digit may pass the cap
            rate = mg_per_min * 60 / concentration
        yield PlannedStep(
            mg_per_kg_per_min=step.mg_per_kg_per_min, rate_ml_per_h=rate, minutes=minutes, volume_ml=given
        )
        left -= given
        if ends_here:
            return


def _short(volume_ml: Decimal) -> Decimal:
    short = volume_ml.quantize(SHARE_ML, ROUND_HALF_UP)
    return volume_ml if volume_ml == short else short


def _whole_minutes(minutes: Decimal) -> int:
    """Up to a whole minute, unless the excess is only the tail of a division."""
    return max(1, int(minutes.quantize(Decimal("0.0001"), ROUND_HALF_UP).to_integral_value(ROUND_CEILING)))


def _rounded_days(exact_g: Decimal, days: int, step_g: Decimal) -> list[Decimal]:
    grams = (exact_g / (days * step_g)).to_integral_value(ROUND_HALF_UP) * step_g
    if not grams:
        raise ValueError(
            f"A day's dose of {(exact_g / days).normalize():f} g rounds to nothing in steps of {step_g:f} g: "
            "round to a smaller step, or keep the exact dose."
        )
    return [grams] * days


def _equal_days(exact_g: Decimal, days: int) -> list[Decimal]:
    """Equal days that add up exactly; when that has no end (100 g over 3 days), the last takes the millionths."""
    with localcontext(Context(prec=28)) as context:
        grams = exact_g / days
        if not context.flags[Inexact]:
            return [grams] * days
    grams = grams.quantize(SHARE_G, ROUND_FLOOR)
    return [grams] * (days - 1) + [exact_g - grams * (days - 1)]


def _checked_steps(steps: Iterable[RateStep], cap: Decimal | None) -> tuple[RateStep, ...]:
    checked = []
    for step in steps:
        rate = _quantity("rate in mg/kg/min", step.mg_per_kg_per_min)
        minutes = None if step.minutes is None else _quantity("minutes of a rate step", step.minutes)
        if minutes is not None and minutes != int(minutes):
            raise ValueError(f"The minutes of a rate step must be whole, not {minutes}.")
        rate = rate if cap is None else min(rate, cap)
        checked.append(RateStep(mg_per_kg_per_min=rate, minutes=None if minutes is None else int(minutes)))
    if not checked:
        raise ValueError("The rate schedule has no steps.")
    return tuple(checked)


def _quantity(name: str, value: Decimal) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise ValueError(f"The {name} must be a Decimal, not {value!r}.")
    if not value.is_finite() or not SMALLEST <= value <= LARGEST:
        raise ValueError(f"The {name} must be a number above 0 and below a million, not {value}.")
    return value
