"""Pure arithmetic of the emergency card: epinephrine into the muscle by weight.

Source: fact sheet 5, anaphylaxis: 0.01 mg/kg, at most 0.3 to 0.5 mg; kits hold 1 mg/mL.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

MG_PER_KG = Decimal("0.01")
LOWER_MAXIMUM_MG, HIGHER_MAXIMUM_MG = Decimal("0.3"), Decimal("0.5")
STEP_MG = Decimal("0.01")


@dataclass(frozen=True)
class EpinephrineDose:
    """In mg, which is also mL of the 1 mg/mL solution. Two maxima are in use: above the lower one it is a range."""

    low_mg: Decimal
    high_mg: Decimal

    @property
    def text(self) -> str:
        low, high = (f"{mg.normalize():f}" for mg in (self.low_mg, self.high_mg))
        return low if low == high else f"{low} to {high}"


def epinephrine_dose(weight_kg: Decimal) -> EpinephrineDose:
    """Rounded down to 0.01 mg: never more than 0.01 mg/kg."""
    by_weight = (weight_kg * MG_PER_KG).quantize(STEP_MG, ROUND_FLOOR)
    return EpinephrineDose(min(by_weight, LOWER_MAXIMUM_MG), min(by_weight, HIGHER_MAXIMUM_MG))
