"""The kinds of reactions as the chairside form groups them, each with the signs to ask and look for.

Source: fact sheet 5, the complications and their signs. Every kind stands in exactly one group.
"""

from __future__ import annotations

from infusions.doses.reaction_models import ReactionKind as Kind

GROUPS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    (
        "Common",
        (
            Kind.HEADACHE,
            Kind.FLUSHING,
            Kind.CHILLS_FEVER,
            Kind.NAUSEA,
            Kind.MYALGIA,
            Kind.FATIGUE,
            Kind.RASH,
            Kind.BLOOD_PRESSURE,
            Kind.TACHYCARDIA,
            Kind.SITE_PAIN,
        ),
    ),
    (
        "Serious now",
        (
            Kind.ANAPHYLAXIS,
            Kind.THROMBOSIS,
            Kind.PULMONARY,
            Kind.HAEMOLYSIS,
            Kind.ASEPTIC_MENINGITIS,
            Kind.HYPERVISCOSITY,
            Kind.PSEUDOHYPONATREMIA,
        ),
    ),
    (
        "Days later",
        (
            Kind.RENAL_FAILURE,
            Kind.VASCULITIS,
            Kind.ECZEMA,
            Kind.PARVOVIRUS_B19,
            Kind.HEPATITIS_C,
            Kind.INFECTION,
            Kind.HAIR_LOSS,
        ),
    ),
    ("Something else", (Kind.OTHER,)),
)
SIGNS: dict[Kind, str] = {
    Kind.HEADACHE: "the commonest; with a stiff neck, light hurting or vomiting think of meningitis",
    Kind.FLUSHING: "warm red face or neck; with hives or wheeze think of anaphylaxis",
    Kind.CHILLS_FEVER: "shivering, temperature above 38 °C",
    Kind.NAUSEA: "nausea, vomiting",
    Kind.MYALGIA: "backache, aching muscles",
    Kind.FATIGUE: "tired, dizzy, faint on standing",
    Kind.RASH: "itching, red patches; with swelling or wheeze think of anaphylaxis",
    Kind.BLOOD_PRESSURE: "well above or below the first value of today",
    Kind.TACHYCARDIA: "fast pulse, palpitations",
    Kind.SITE_PAIN: "pain, swelling or redness where the line is",
    Kind.ANAPHYLAXIS: "hives, wheeze, stridor, swelling, low pressure, collapse",
    Kind.THROMBOSIS: "chest pain, breathless, one-sided weakness, swollen painful limb",
    Kind.PULMONARY: "low oxygen, new breathlessness, 1 to 6 hours in",
    Kind.HAEMOLYSIS: "dark urine, pale, yellow skin or eyes, falling hemoglobin",
    Kind.ASEPTIC_MENINGITIS: "severe headache, stiff neck, light hurts, fever, vomiting",
    Kind.HYPERVISCOSITY: "confusion, blurred vision, headache",
    Kind.PSEUDOHYPONATREMIA: "low sodium with normal or high osmolality: not treated as a true lack of salt",
    Kind.RENAL_FAILURE: "less urine, swelling, weight gain, breathless, rising creatinine",
    Kind.VASCULITIS: "purple spots, a rash that can be felt, blisters",
    Kind.ECZEMA: "itching, scaling, small blisters, often on the hands",
    Kind.PARVOVIRUS_B19: "fever, rash, joint pain, anemia, 4 to 21 days after",
    Kind.HEPATITIS_C: "yellow skin or eyes, raised liver values, weeks to months after",
    Kind.INFECTION: "fever or an infection that the product may have carried: keep the lot, tell the maker",
    Kind.HAIR_LOSS: "shedding, weeks to 3 months after; it grows back",
    Kind.OTHER: "describe it below",
}


def grouped_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    return [(name, [(kind.value, kind.label) for kind in kinds]) for name, kinds in GROUPS]
