"""Words that tell what somebody is treated for, with or by whom: no mail, calendar entry or link may hold one.

45 CFR 164.530(c) asks for safeguards against incidental disclosure; the safest reminder names no treatment at all.
The list is written here; names of products, makers and diagnoses come from the formulary as it is.
"""

import re
import time
import unicodedata
from collections.abc import Iterable

from infusions.formulary.models import Indication, Product

# English and Spanish, as beginnings of words, without accents: "infus" finds infusion, infused, infusión.
CLINICAL_STEMS = (
    # what is given
    "infus", "ivig", "igiv", "scig", "immun", "inmun", "globulin", "gammaglob", "gamaglob", "antibod", "anticuerp",
    "plasma", "intraven", "subcutan", "dose", "dosis", "dosific", "dosag", "drug", "pharma", "farma", "medicat",
    "medicin", "medicam", "prescri", "inject", "inyec", "transfus", "vaccin", "antibiot", "biologic", "steroid",
    "esteroid", "corticost",
    # what it is given for
    "diagnos", "disease", "enfermedad", "deficien", "syndrome", "sindrome", "neuropath", "neuropat", "myasthen",
    "miasten", "myopath", "miopat", "cancer", "tumor", "leukemi", "leukaemi", "leucemi", "lymphom", "linfom",
    "allerg", "alerg", "autoimm", "autoinm", "hypogamma", "hipogamma", "thrombocyt", "trombocit", "sclero", "escleros",
    "arthrit", "artrit", "psoria", "crohn", "lupus", "encephalit", "encefalit",
    # who gives it, and how
    "therap", "terapi", "terapeut", "treatment", "tratamiento", "chemo", "quimio", "oncolog", "hematolog", "haematolog",
    "neurolog", "rheumat", "reumat", "dermatolog", "cardiolog", "nephrolog", "nefrolog", "endocrinolog", "pulmonolog",
    "neumolog", "gastroenterolog", "transplant", "trasplant", "dialys", "dialis", "catheter", "cateter", "enfermer",
)  # fmt: skip
# Whole words, because longer ones are harmless: nursery, Needles, Bloodgood, the Spanish vialidad.
CLINICAL_WORDS = frozenset("nurse nurses nursing needle blood sangre aguja vial vials viales igg mg mcg ml".split())
# A number and its unit; "12 G Street" is an address.
AMOUNT = re.compile(r"\b\d+(?:[.,]\d+)? ?(?:mg|mcg|µg|g|ml|mL|IU|UI)\b")
# Stems that mean the same in the middle of run-together words, as in addresses: riversideinfusion@, mycancercenter.org
STRONG_STEMS = (
    "infusion", "ivig", "immuno", "inmuno", "globulin", "plasma", "oncolog", "hematolog", "haematolog", "neurolog",
    "rheumatolog", "reumatolog", "chemother", "quimioter", "pharmac", "farmac", "diagnos", "cancer",
)  # fmt: skip
# Words of names of products, makers and indications that also mean something harmless.
EVERYDAY = frozenset(
    "adult adults after cell cells chronic described dif erc example general group health international laboratories"
    " laboratory liquid mis motor order other primary products secondary severe solution with without".split()
)
# Places that people live in.
PLACES = ("medicine bow", "medicine hat", "medicine lodge", "medicine park", "sangre de cristo")
NAMES_HOLD_SECONDS = 60
_names: dict[str, tuple[float, frozenset[str]]] = {}


def clinical_words(text: str, *, run_together: bool = False) -> list[str]:
    """The words of the text that must not be there, as they are written, in their order.

    `run_together`: addresses and host names, whose words have no spaces between them.
    """
    return _found(text, formulary_names(), run_together)


def written_words(text: str) -> list[str]:
    """The same for a host or mail address, by the written list alone: where no database may be asked."""
    return _found(text, frozenset(), True)


def is_neutral(text: str, *, run_together: bool = False) -> bool:
    return not clinical_words(text, run_together=run_together)


def stems_in(text: str, stems: Iterable[str] = CLINICAL_STEMS) -> list[str]:
    """The stems that some word of the text begins with, in order of the list; case and accents do not count."""
    words = {folded for _, folded in _words(text)}
    return [stem for stem in stems if any(word.startswith(stem) for word in words)]


def formulary_stems() -> list[str]:
    """Names of products, makers and indications, word by word, as the database has them now."""
    names = (
        Product.objects.order_by()
        .values_list("name")
        .union(Product.objects.order_by().values_list("maker"), Indication.objects.order_by().values_list("name"))
    )
    # Words of four letters or more, and abbreviations such as ITP.
    words = {_fold(word) for (name,) in names for word in re.findall(r"[^\W\d_]{4,}|\b[A-Z]{3}\b", name)}
    return sorted(words - EVERYDAY)


def formulary_names() -> frozenset[str]:
    """The same, asked once a minute: thousands of mails in a row need not ask each for itself."""
    since, names = _names.get("", (float("-inf"), frozenset()))
    if time.monotonic() - since > NAMES_HOLD_SECONDS:
        names = frozenset(formulary_stems())
        _names[""] = time.monotonic(), names
    return names


def forget_names() -> None:
    _names.clear()


def _found(text: str, names: frozenset[str], run_together: bool) -> list[str]:
    found = []
    for word, folded in _words(text):
        hit = folded in CLINICAL_WORDS or folded in names or folded.startswith(CLINICAL_STEMS)
        if hit or (run_together and any(stem in folded for stem in STRONG_STEMS)):
            found.append(word)
    return list(dict.fromkeys([*found, *AMOUNT.findall(text)]))


def _words(text: str) -> list[tuple[str, str]]:
    """Each word as written and folded, those of harmless places left out."""
    spaced = re.sub("|".join(PLACES), lambda place: " " * len(place[0]), text, flags=re.IGNORECASE)
    return [(word, _fold(word)) for word in re.findall(r"[^\W\d_]+", spaced)]


def _fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
