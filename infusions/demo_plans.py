"""What the orders of the bigger demo tiers look like: computed once for each course, weight and risk, then copied."""

from __future__ import annotations

from decimal import Decimal

from infusions.demo_people import Course
from infusions.formulary.models import Indication, Product
from infusions.orders.models import InfusionOrder
from infusions.orders.queries import ProductPlan, longest_day_minutes, product_plan


class PlanBook:
    """The plans of one build; rows of the formulary are read once."""

    def __init__(self):
        self.indications = {row.code: row for row in Indication.objects.all()}
        self.products = {row.key: row for row in Product.objects.all()}
        self._plans: dict[tuple[Course, int, bool], ProductPlan] = {}

    def fields(self, course: Course, kg: int) -> dict:
        """The fields of an order that follow from its course and the patient's weight."""
        indication = self.indications[course.indication]
        return {
            "indication": indication,
            "regimen": indication.regimen,
            "product": self.products[course.product],
            "prescriber_name": "Dr. Example Prescriber",
            "dose_mg_per_kg": course.mg_per_kg,
            "days": course.days,
            "round_to_g": Decimal(5),
            "actual_weight_kg": Decimal(kg),
            "dosing_weight_kg": Decimal(kg),
            "interval_days": course.interval_days,
            "tolerance_days": 4,
        }

    def plan(self, course: Course, kg: int, at_risk: bool) -> ProductPlan:
        key = (course, kg, at_risk)
        if key not in self._plans:
            order = InfusionOrder(**self.fields(course, kg))
            self._plans[key] = product_plan(order, order.product, at_risk)
        return self._plans[key]

    def minutes(self, course: Course, kg: int, at_risk: bool) -> int:
        return longest_day_minutes([self.plan(course, kg, at_risk)])
