"""Which questions other rules depend on by their code, and what of them must therefore stay as it is."""

from dataclasses import dataclass

from infusions.checklists.models import ItemKind


@dataclass(frozen=True)
class Shape:
    """What the arithmetic reads: the kind of the answer, its unit and how many decimal places it may have."""

    kind: ItemKind
    unit: str = ""
    decimal_places: int = 0


# No version goes without these: consequences, patients' reports, vital signs of the dose record find them by code.
SHAPES: dict[str, Shape] = {
    "identity-name": Shape(ItemKind.YES_NO),
    "identity-birth-date": Shape(ItemKind.YES_NO),
    "order-matches": Shape(ItemKind.YES_NO),
    "weight": Shape(ItemKind.NUMBER, "kg", 2),
    "intake-day-before": Shape(ItemKind.NUMBER, "mL"),
    "intake-today": Shape(ItemKind.NUMBER, "mL"),
    "urine-normal": Shape(ItemKind.YES_NO),
    "dehydration-signs": Shape(ItemKind.MULTI),
    "infection": Shape(ItemKind.YES_NO),
    "pregnancy-estrogen": Shape(ItemKind.YES_NO),
    "changes": Shape(ItemKind.MULTI),
    "new-drugs": Shape(ItemKind.MULTI),
    "creatinine": Shape(ItemKind.NUMBER, "mg/dL", 2),
    "creatinine-on": Shape(ItemKind.DATE),
    "temperature": Shape(ItemKind.NUMBER, "°C", 1),
    "systolic": Shape(ItemKind.NUMBER, "mmHg"),
    "diastolic": Shape(ItemKind.NUMBER, "mmHg"),
    "pulse": Shape(ItemKind.NUMBER, "/min"),
    "spo2": Shape(ItemKind.NUMBER, "%"),
    "respiration": Shape(ItemKind.NUMBER, "/min"),
    "premedication": Shape(ItemKind.CHOICE),
    "premedication-at": Shape(ItemKind.TIME),
    "room-temperature": Shape(ItemKind.YES_NO),
    "vials-inspected": Shape(ItemKind.YES_NO),
    "iv-access": Shape(ItemKind.YES_NO),
    "emergency-kit-home": Shape(ItemKind.YES_NO),
}

# Without them the wrong patient, product or dose could be started: asked at every visit, needed, a failing one stops.
GATE = frozenset(
    {
        "identity-name",
        "identity-birth-date",
        "order-matches",
        "weight",
        "temperature",
        "systolic",
        "diastolic",
        "pulse",
        "vials-inspected",
        "room-temperature",
        "iv-access",
    }
)
# The same, but of visits at home only: there the nurse has no other means to treat anaphylaxis.
HOME_GATE = frozenset({"emergency-kit-home"})
# Fluids: the labels say never to start volume depleted. Asked at every visit; how grave, the center decides.
ALWAYS_ASKED = frozenset({"intake-day-before", "dehydration-signs"})

# Answers that rules, or the texts of docs/clinical-rules.md, know by their value.
KNOWN_CHOICES: dict[str, frozenset[str]] = {
    "dehydration-signs": frozenset({"postural-fall", "none"}),
    "changes": frozenset({"headache", "rash", "dark-urine", "swelling", "er-visit", "new-allergy", "none"}),
    "new-drugs": frozenset({"nsaid", "contrast", "aminoglycoside", "diuretic", "other", "none"}),
    "premedication": frozenset({"taken", "not-ordered", "not-taken"}),
}
# Endings of problem codes that special rules use: a choice of that value could be mistaken for them.
RESERVED_VALUES: dict[str, frozenset[str]] = {
    "dehydration-signs": frozenset({"hold", "one"}),
    "premedication": frozenset({"ordered"}),
}
# Their limits are the site's, or computed for the patient: limits of their own would stand beside and contradict.
LIMITS_ELSEWHERE: dict[str, str] = {
    "weight": "by the weight of the order",
    "intake-day-before": "by the patient's target",
    "temperature": "on the page of the site",
    "systolic": "on the page of the site",
    "pulse": "on the page of the site",
    "spo2": "on the page of the site",
}
# What else makes an answer fail, beside limits, the answer that passes and graded choices.
RULED: dict[str, str] = {
    "dehydration-signs": "Two signs, or a postural fall",
    "creatinine": "A rise of 0.3 mg/dL, or to 1.5 times the last",
    "creatinine-on": "Too old for this patient",
    "premedication": "“None ordered” though the order asks for it",
    "premedication-at": "Less than 30 minutes ago",
}
