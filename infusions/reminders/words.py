"""Words that mail, calendar entries and links must not hold: whoever looks over a shoulder learns nothing of health.

45 CFR 164.530(c) asks for safeguards against incidental disclosure; the safest reminder names no treatment at all.
"""

import re
from collections.abc import Iterable

from infusions.formulary.models import Indication, Product

# English and Spanish, as stems: "infus" finds infusion, infused, infusión.
CLINICAL_STEMS = (
    # what is given
    "infus", "ivig", "igiv", "immun", "inmun", "globulin", "antibod", "anticuerp", "plasma", "intraven", "vial",
    "dose", "dosis", "dosag", "drug", "medicat", "medicin", "medicam", "fármac", "farmac",
    # what it is given for
    "diagnos", "disease", "enfermedad", "deficien", "syndrome", "síndrome", "neuropath", "neuropat", "myasthenia",
    "miastenia", "cancer", "cáncer", "allerg", "alerg",
    # who gives it, and how
    "therap", "terap", "treatment", "tratamiento", "chemo", "quimio", "oncolog", "hematolog", "haematolog", "hematólog",
    "neurolog", "rheumat", "reumat", "nurse", "enfermer", "needle", "aguja", "blood", "sangre",
)  # fmt: skip
# Words of names of indications that also mean something harmless.
EVERYDAY = frozenset(
    {"adult", "adults", "chronic", "general", "other", "primary", "secondary", "severe", "with", "after"}
)


def stems_in(text: str, stems: Iterable[str] = CLINICAL_STEMS) -> list[str]:
    """The stems that some word of the text begins with, in order of the list; case does not count."""
    words = set(re.findall(r"[^\W_]+", text.casefold()))
    return [stem for stem in stems if any(word.startswith(stem) for word in words)]


def formulary_stems() -> list[str]:
    """Names of products, makers and indications, word by word."""
    names = [*Product.objects.values_list("name", flat=True), *Product.objects.values_list("maker", flat=True)]
    names += Indication.objects.values_list("name", flat=True)
    words = {word for name in names for word in re.findall(r"[^\W\d_]{4,}", name.casefold())}
    return sorted(words - EVERYDAY)


def is_neutral(text: str) -> bool:
    return not stems_in(text)
