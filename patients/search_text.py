"""Reads what was typed into the patient search: dates of birth, numbers, names. Holds no rows."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from patients.names import fold, typed_words

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
YEAR_FIRST = re.compile(r"\b(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})\b")
SLASHES = re.compile(r"\b(?P<a>\d{1,2})(?P<mark>[-/.])(?P<b>\d{1,2})(?P=mark)(?P<y>\d{4}|\d{2})\b")
DAY_MONTH = re.compile(r"\b(?P<d>\d{1,2})(?:st|nd|rd|th)?[\s./-]*(?P<name>[a-z]{3,9})[\s.,/-]*(?P<y>\d{4}|\d{2})\b")
MONTH_DAY = re.compile(r"\b(?P<name>[a-z]{3,9})[\s./-]*(?P<d>\d{1,2})(?:st|nd|rd|th)?[\s.,/-]+(?P<y>\d{4}|\d{2})\b")
# Digits with the marks of a telephone number between them; three digits or more in all.
PHONE_LIKE = re.compile(r"(?<!\w)(?<!\w[-/])\+?\(?\d(?:[\d\s().-]*\d)?(?![\w])")
HAS_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Term:
    """One thing looked for: any key that begins with one of `starts`. `kind` is date, number or name."""

    kind: str
    starts: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.starts[0]


def read_search(text: str, today: dt.date) -> list[Term]:
    """All that was typed; every term has to fit. `today` tells the century of a year of two digits."""
    rest = fold(text)
    terms: list[Term] = []
    for pattern in (YEAR_FIRST, SLASHES, DAY_MONTH, MONTH_DAY):
        for found in list(pattern.finditer(rest)):
            day = _day_of(found, today)
            if day is not None:
                terms.append(Term("date", (day_word(day),)))
                rest = rest.replace(found.group(), " ", 1)
    for found in list(PHONE_LIKE.finditer(rest)):
        terms.append(_number_term(re.sub(r"\D", "", found.group()), today))
        rest = rest.replace(found.group(), " ", 1)
    terms.extend(_word_terms(rest))
    return list(dict.fromkeys(terms))


def kinds_of(terms: list[Term]) -> list[str]:
    return sorted({term.kind for term in terms})


def day_word(day: dt.date) -> str:
    """How a date of birth stands among the search keys."""
    return f"{day:%Y%m%d}"


def _word_terms(text: str) -> Iterator[Term]:
    for part in text.split():
        if HAS_DIGIT.search(part):
            yield Term("number", (re.sub(r"[^a-z0-9]", "", part),))
        else:
            yield from (Term("name", (word,)) for word in typed_words(part))


def _number_term(digits: str, today: dt.date) -> Term:
    """A record or telephone number; eight digits may also be a date of birth without marks."""
    starts = [digits]
    if len(digits) == 8:
        days = (_real_day(digits[4:], digits[:2], digits[2:4], today), _real_day(digits[:4], *_pairs(digits), today))
        starts += [day_word(day) for day in days if day is not None]
    return Term("number", tuple(dict.fromkeys(starts)))


def _pairs(digits: str) -> tuple[str, str]:
    return digits[4:6], digits[6:]


def _day_of(found: re.Match, today: dt.date) -> dt.date | None:
    part = found.groupdict()
    if "name" in part:
        return _real_day(part["y"], _month_number(part["name"]), part["d"], today)
    if "mark" not in part:
        return _real_day(part["y"], part["m"], part["d"], today)
    month_first = _real_day(part["y"], part["a"], part["b"], today)
    day_first = _real_day(part["y"], part["b"], part["a"], today)
    # Dots are the European manner; slashes and hyphens between numbers the American one.
    return (day_first or month_first) if part["mark"] == "." else (month_first or day_first)


def _month_number(name: str) -> int:
    return next((number for number, month in enumerate(MONTHS, 1) if month.startswith(name)), 0)


def _real_day(year: str, month: str | int, day: str, today: dt.date) -> dt.date | None:
    number = int(year)
    if len(year) == 2:
        number += today.year // 100 * 100
        number -= 100 if number > today.year else 0
    try:
        found = dt.date(number, int(month), int(day))
    except ValueError:
        return None
    return found if 1880 <= found.year <= today.year else None
