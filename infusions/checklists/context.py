"""What the rules must know beside the answers: limits of the site, the order, the patient. Values only, no rows."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Limits:
    """Vital signs beyond these hold the infusion; each site sets its own."""

    temperature_c: Decimal
    systolic_low: int
    systolic_high: int
    pulse_low: int
    pulse_high: int
    spo2_percent: int


@dataclass(frozen=True)
class CheckContext:
    """`now` is the site's wall time. Weights in kg, creatinine in mg/dL, fluids in mL a day."""

    now: dt.datetime
    limits: Limits
    order_weight_kg: Decimal
    order_signed: bool = True
    is_home: bool = False
    is_first_dose: bool = False
    is_adult: bool = True
    at_risk: bool = False
    interval_days: int = 28
    premedication: str = ""
    hydration_target_ml: int = 2000
    fluid_restriction_ml: int | None = None
    fluids_given_ml: int = 0  # at this visit, after an earlier check that held
    last_weight_kg: Decimal | None = None
    last_creatinine: Decimal | None = None
    last_creatinine_on: dt.date | None = None

    @property
    def today(self) -> dt.date:
        return self.now.date()
