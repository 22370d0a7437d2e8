"""Pure: what is often given besides the dose, as tiles fill it in; the order's premedication read from its words.

Source: fact sheet 3 (premedication), 5 (reaction to act; epinephrine by weight). The other amounts are usual
adult ones (U) and can be changed in the form; what the line is flushed with follows from what the product may meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from infusions.doses.medication_models import DoseUnit, Purpose, Route
from infusions.formulary.epinephrine import epinephrine_dose

FLUSH_ML = Decimal(50)
SALINE, DEXTROSE = "0.9% saline", "5% dextrose"
AMOUNT = re.compile(
    r"(?P<name>[A-Za-z][\w -]*?)\s+(?P<dose>\d+(?:\.\d+)?)\s*(?P<unit>mg|mL|g|µg|mcg|units)\b(?P<rest>[^;]*)",
    re.IGNORECASE,
)
WHEN_NEEDED = re.compile(r"\b(at hand|prn|(if|as|when) needed|for (a )?reactions?)\b", re.IGNORECASE)
UNITS = {unit.value.casefold(): unit for unit in DoseUnit} | {"mcg": DoseUnit.UG}
ROUTE_WORDS = (
    (Route.IV, r"\b(iv|intravenous\w*|vein)\b"),
    (Route.IM, r"\b(im|intramuscular\w*|muscle)\b"),
    (Route.SC, r"\b(sc|subcutaneous\w*)\b"),
)


@dataclass(frozen=True)
class Preset:
    """One tile: the values of the form that it fills in."""

    purpose: str
    name: str
    dose: Decimal
    unit: str
    route: str

    @property
    def amount(self) -> str:
        return f"{self.dose.normalize():f} {self.unit}"

    @property
    def way(self) -> str:
        return Route(self.route).label.lower()


STANDARD = (
    Preset(Purpose.PREMEDICATION, "Acetaminophen", Decimal(650), DoseUnit.MG, Route.ORAL),
    Preset(Purpose.PREMEDICATION, "Diphenhydramine", Decimal(25), DoseUnit.MG, Route.ORAL),
    Preset(Purpose.PREMEDICATION, "Diphenhydramine", Decimal(50), DoseUnit.MG, Route.ORAL),
    Preset(Purpose.PREMEDICATION, "Cetirizine", Decimal(10), DoseUnit.MG, Route.ORAL),
    Preset(Purpose.PREMEDICATION, "Methylprednisolone", Decimal(40), DoseUnit.MG, Route.IV),
    Preset(Purpose.FLUID, SALINE, Decimal(250), DoseUnit.ML, Route.IV),
    Preset(Purpose.FLUID, SALINE, Decimal(500), DoseUnit.ML, Route.IV),
)


def flush_of(dilution: str) -> Preset:
    """Dextrose for a product that may meet it or must not meet saline, else saline. Source: fact sheet 1a, labels."""
    fluid = DEXTROSE if "dextrose" in dilution.casefold() else SALINE
    return Preset(Purpose.FLUSH, fluid, FLUSH_ML, DoseUnit.ML, Route.IV)


def presets(dilution: str, weight_kg: Decimal) -> list[Preset]:
    return [*STANDARD, _epinephrine(weight_kg), flush_of(dilution)]


def _epinephrine(weight_kg: Decimal) -> Preset:
    """By weight as on the emergency card, of its two maxima the lower: a child is not offered what an adult gets."""
    return Preset(Purpose.REACTION, "Epinephrine", epinephrine_dose(weight_kg).low_mg, DoseUnit.MG, Route.IM)


def ordered_presets(premedication: str) -> list[Preset]:
    """What an order's words name with an amount; what cannot be read, or is only for when it is needed, is left out."""
    found = []
    for part in re.split(r";|\band\b|\+|,(?=\s*[A-Za-z][\w -]*?\s+\d)", premedication):
        if (match := AMOUNT.search(part)) and not WHEN_NEEDED.search(part):
            name = match["name"].strip()
            unit, rest = UNITS[match["unit"].casefold()], match["rest"].casefold()
            route = next((route for route, words in ROUTE_WORDS if re.search(words, rest)), Route.ORAL)
            found.append(
                Preset(Purpose.PREMEDICATION, name[:1].upper() + name[1:], Decimal(match["dose"]), unit, route)
            )
    return found


def not_yet_given(wanted: Iterable[Preset], given: Iterable[str]) -> list[Preset]:
    """Left of `wanted` when medicines of these names are on the record."""
    names = {name.casefold() for name in given}
    return [one for one in wanted if one.name.casefold() not in names]
