"""What the cells of an uploaded sheet mean. Refuses in words for the person who typed them; holds no rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from infusion_center.core.clock import FIRST_YEAR, LAST_YEAR
from patients.models import Condition, Language, Risk, Sex

MONTH_FIRST, DAY_FIRST = "month-first", "day-first"
KG_IN_LB = Decimal("0.45359237")
CM_IN_INCH = Decimal("2.54")
CENTI, TENTH = Decimal("0.01"), Decimal("0.1")

ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]00:00(?::00)?)?")
SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
NAMED = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3})[a-z]*[- ,]+(\d{4})")
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\w{1,9}[/.-]\d{2}")

SEX_WORDS = {"f": Sex.FEMALE, "female": Sex.FEMALE, "woman": Sex.FEMALE, "w": Sex.FEMALE, "m": Sex.MALE}
SEX_WORDS |= {"male": Sex.MALE, "man": Sex.MALE}
LANGUAGE_WORDS = {"en": Language.ENGLISH, "eng": Language.ENGLISH, "english": Language.ENGLISH, "es": Language.SPANISH}
LANGUAGE_WORDS |= {"spa": Language.SPANISH, "spanish": Language.SPANISH, "español": Language.SPANISH}
YES_WORDS = frozenset({"yes", "y", "true", "1", "x", "si", "sí", "agreed"})
NO_WORDS = frozenset({"no", "n", "false", "0", "refused"})
NOT_ASKED = frozenset({"", "not asked", "unknown", "?"})


def plain_text(text: str) -> str:
    """Without the apostrophe by which spreadsheets, and our own lists of refused rows, keep a cell from being run."""
    text = text.strip()
    return text[1:].strip() if re.match(r"'[=+\-@]", text) else text


def read_text(text: str) -> str:
    return " ".join(text.split())


def slashed_parts(text: str) -> tuple[int, int] | None:
    """First and second number of 3/12/1961; None for what is no day whichever is the month.

    With points the day always comes first, so nobody has to ask.
    """
    found = SLASHED.fullmatch(text.strip())
    if not found or "/" not in text:
        return None
    return (int(found[1]), int(found[2])) if any(_is_day(text, order) for order in (MONTH_FIRST, DAY_FIRST)) else None


def _is_day(text: str, order: str) -> bool:
    try:
        return read_date(text, order) is not None
    except ValueError:
        return False


def order_told_by(texts: Iterable[str]) -> str | None:
    """Whether dates with slashes put the month first: as the sheet itself tells, "" where it does not.

    None: there is no such date, or none that could be read in two ways.
    """
    pairs = [pair for pair in map(slashed_parts, texts) if pair]
    if any(first > 12 >= second for first, second in pairs):
        return DAY_FIRST if not any(second > 12 for _, second in pairs) else ""
    if any(second > 12 for _, second in pairs):
        return MONTH_FIRST
    return "" if any(first != second for first, second in pairs) else None


def read_date(text: str, order: str = "") -> dt.date | None:
    text = text.strip()
    if not text:
        return None
    if found := ISO.fullmatch(text):
        return _day(text, int(found[1]), int(found[2]), int(found[3]))
    if found := NAMED.fullmatch(text):
        if found[2].lower() not in MONTHS:
            raise ValueError(f"“{text}” names no month.")
        return _day(text, int(found[3]), MONTHS.index(found[2].lower()) + 1, int(found[1]))
    if found := SLASHED.fullmatch(text):
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        day_first = "." in text or order == DAY_FIRST
        return _day(text, year, *((second, first) if day_first else (first, second)))
    if SHORT_YEAR.fullmatch(text):
        raise ValueError(f"“{text}”: write the year with four digits.")
    raise ValueError(f"“{text}” is no date. Write 1961-03-12 or 3/12/1961.")


def _day(text: str, year: int, month: int, day: int) -> dt.date:
    try:
        found = dt.date(year, month, day)
    except ValueError:
        raise ValueError(f"“{text}”: there is no such day.") from None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"“{text}”: the year must lie between {FIRST_YEAR} and {LAST_YEAR}.")
    return found


def read_number(text: str) -> Decimal | None:
    text = text.strip()
    if not text:
        return None
    if not re.fullmatch(r"\d{1,6}(?:[.,]\d{1,6})?", text):
        raise ValueError(f"“{text}” is no number. Write digits only, such as 72.5, and no unit.")
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise ValueError(f"“{text}” is no number.") from None


def read_pounds(text: str) -> Decimal | None:
    number = read_number(text)
    return None if number is None else (number * KG_IN_LB).quantize(CENTI)


def read_kilograms(text: str) -> Decimal | None:
    number = read_number(text)
    return None if number is None else number.quantize(CENTI)


def read_centimetres(text: str) -> Decimal | None:
    number = read_number(text)
    return None if number is None else number.quantize(TENTH)


def read_inches(text: str) -> Decimal | None:
    number = read_number(text)
    return None if number is None else (number * CM_IN_INCH).quantize(TENTH)


def read_whole(text: str) -> int | None:
    number = read_number(text)
    if number is not None and number != number.to_integral_value():
        raise ValueError(f"“{text.strip()}” must be a whole number.")
    return None if number is None else int(number)


def read_sex(text: str) -> str:
    return _one_of(text, SEX_WORDS, "Write F or M: the sex for dosing.")


def read_language(text: str) -> str:
    return _one_of(text, LANGUAGE_WORDS, "Write English or Spanish.") or Language.ENGLISH


def _one_of(text: str, words: dict[str, str], remedy: str) -> str:
    word = text.strip().casefold()
    if word and word not in words:
        raise ValueError(f"“{text.strip()}” is not known here. {remedy}")
    return str(words[word]) if word else ""


def read_consent(text: str) -> bool | None:
    """None: nobody asked."""
    word = text.strip().casefold()
    if word in NOT_ASKED:
        return None
    if word not in YES_WORDS | NO_WORDS:
        raise ValueError(f"“{text.strip()}”: write yes or no, or leave it empty where nobody asked.")
    return word in YES_WORDS


def read_allergies(text: str) -> list[str]:
    return _codes(text, [choice for choice in Condition if choice != Condition.OTHER], "allergy", "Other allergy")


def read_risks(text: str) -> list[str]:
    return _codes(text, list(Risk), "risk factor", "")


def _codes(text: str, known, what: str, elsewhere: str) -> list[str]:
    """Codes or the words shown for them, separated by semicolons."""
    words = {_folded(key): choice.value for choice in known for key in (choice.value, choice.label)}
    found = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        if _folded(part) not in words:
            hint = f" or put it into the column “{elsewhere}”" if elsewhere else ""
            raise ValueError(f"“{part}” is no {what} of the list. Use its words{hint}; separate several by ;")
        found.append(words[_folded(part)])
    return list(dict.fromkeys(found))


def _folded(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.casefold())
