"""A plan as pages show it: rates as a pump is set, volumes and grams in the digits that people read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from infusions.formulary.dosing import InfusionPlan, PlannedDay, pump_rate_ml_per_h
from infusions.orders.queries import OrderFacts, ProductPlan, VisitLength


@dataclass(frozen=True)
class StepRow:
    number: int
    mg_per_kg_per_min: str
    ml_per_h: str
    minutes: int
    volume_ml: str
    from_minute: int


@dataclass(frozen=True)
class DayRow:
    """Days with the same grams are shown once, with their numbers."""

    label: str
    grams: str
    volume_ml: str
    vials: str
    waste_g: str
    minutes: int
    steps: tuple[StepRow, ...]


@dataclass(frozen=True)
class PlanView:
    """One product's plan. Without a plan `days` is empty, and the problems say why."""

    one: ProductPlan
    total_g: str = ""
    exact_g: str = ""
    rounding: str = ""
    days: tuple[DayRow, ...] = ()

    @property
    def product(self):
        return self.one.product

    @property
    def schedule(self):
        return self.one.schedule

    @property
    def minutes(self) -> int:
        return max((day.minutes for day in self.days), default=0)


@dataclass(frozen=True)
class OrderView:
    """What the preview and the order page show of a judged order."""

    facts: OrderFacts
    plans: tuple[PlanView, ...]
    problems: list
    visit: VisitLength | None

    @property
    def main(self) -> PlanView:
        return self.plans[0]

    @property
    def others(self) -> tuple[PlanView, ...]:
        return self.plans[1:]


def plan_view(one: ProductPlan) -> PlanView:
    plan = one.plan
    if plan is None:
        return PlanView(one)
    return PlanView(
        one,
        total_g=digits(plan.total_g, "0.01"),
        exact_g=digits(plan.exact_g, "0.01"),
        rounding=f"{plan.rounding_percent.quantize(Decimal('0.1'), ROUND_HALF_UP):+f}%",
        days=_day_rows(plan),
    )


def _day_rows(plan: InfusionPlan) -> tuple[DayRow, ...]:
    numbers: dict[PlannedDay, list[int]] = {}
    for number, day in enumerate(plan.days, start=1):
        numbers.setdefault(day, []).append(number)
    single = len(plan.days) == 1
    return tuple(_day_row(day, "" if single else _day_label(which)) for day, which in numbers.items())


def _day_label(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"Day {numbers[0]}"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"Days {numbers[0]} to {numbers[-1]}, each"
    return f"Days {', '.join(map(str, numbers))}, each"


def _day_row(day: PlannedDay, label: str) -> DayRow:
    steps, passed = [], 0
    for number, step in enumerate(day.steps, start=1):
        steps.append(
            StepRow(
                number=number,
                mg_per_kg_per_min=digits(step.mg_per_kg_per_min, "0.01"),
                ml_per_h=digits(pump_rate_ml_per_h(step.rate_ml_per_h), "0.1"),
                minutes=step.minutes,
                volume_ml=digits(step.volume_ml, "0.1"),
                from_minute=passed,
            )
        )
        passed += step.minutes
    return DayRow(
        label=label,
        grams=digits(day.grams, "0.01"),
        volume_ml=digits(day.volume_ml, "0.1"),
        vials=vials_text(day.vials),
        waste_g=digits(day.waste_g, "0.01") if day.waste_g else "",
        minutes=day.minutes,
        steps=tuple(steps),
    )


def vials_text(vials: dict[Decimal, int] | Counter) -> str:
    """2 × 20 g + 1 × 10 g, largest first."""
    return " + ".join(f"{count} × {digits(grams, '0.01')} g" for grams, count in sorted(vials.items(), reverse=True))


def digits(number: Decimal, exponent: str) -> str:
    """Rounded half up and without trailing zeros: 30, 2.5."""
    return f"{number.quantize(Decimal(exponent), ROUND_HALF_UP).normalize():f}"
