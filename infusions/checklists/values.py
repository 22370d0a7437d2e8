"""Reads what was typed or tapped for an item into the value that is kept. Pure: no rows, no clock."""

import datetime as dt
import re
from collections.abc import Iterable
from decimal import Decimal

from infusions.checklists.models import ChecklistItem, ItemKind

NONE = "none"
MAX_TEXT = 500
NUMBER = re.compile(r"\d{1,6}(\.\d{1,6})?", re.ASCII)

Value = str | list[str]


class UnreadableAnswer(ValueError):
    """The text is no answer to the item; the message says what is."""


def read_value(item: ChecklistItem, raw: str | Iterable[str]) -> Value:
    """The value to keep: 'yes'/'no', a plain number as text, one choice, a sorted list, ISO date, HH:MM or text.

    Raises UnreadableAnswer. An empty answer is none: nothing is ever taken back to "not asked".
    """
    if item.kind == ItemKind.MULTI:
        return read_multi(item, [raw] if isinstance(raw, str) else list(raw))
    text = raw.strip() if isinstance(raw, str) else "".join(raw).strip()
    if not text:
        raise UnreadableAnswer("Give an answer.")
    return READERS[item.kind](item, text)


def read_yes_no(item: ChecklistItem, text: str) -> str:
    if text not in ("yes", "no"):
        raise UnreadableAnswer("Answer yes or no.")
    return text


def read_number(item: ChecklistItem, text: str) -> str:
    """A number without exponent, sign or comma, in the item's plausible range, with no more places than it has."""
    if not NUMBER.fullmatch(text):
        raise UnreadableAnswer(f"“{text[:20]}” is not a number. Write it like {example_of(item)}.")
    number = Decimal(text)
    if -number.normalize().as_tuple().exponent > item.decimal_places:
        places = f"at most {item.decimal_places}" if item.decimal_places else "no"
        raise UnreadableAnswer(f"Use {places} decimal places.")
    lowest, highest = item.lowest, item.highest
    if (lowest is not None and number < lowest) or (highest is not None and number > highest):
        raise UnreadableAnswer(f"{text} {item.unit} cannot be right. Expected {plain(lowest)} to {plain(highest)}.")
    return plain(number)


def read_choice(item: ChecklistItem, text: str) -> str:
    if text not in choice_values(item):
        raise UnreadableAnswer("Choose one of the answers shown.")
    return text


def read_multi(item: ChecklistItem, picked: list[str]) -> list[str]:
    known = choice_values(item)
    chosen = set(picked) - {""}
    if not chosen:
        raise UnreadableAnswer("Choose what applies, or “none”.")
    if not chosen <= set(known):
        raise UnreadableAnswer("Choose among the answers shown.")
    if NONE in chosen and len(chosen) > 1:
        raise UnreadableAnswer("Choose either what applies or “none”, not both.")
    return [value for value in known if value in chosen]


def read_date(item: ChecklistItem, text: str) -> str:
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise UnreadableAnswer("Write the date as year-month-day, like 2026-11-03.") from None


def read_time(item: ChecklistItem, text: str) -> str:
    try:
        return f"{dt.time.fromisoformat(text):%H:%M}"
    except ValueError:
        raise UnreadableAnswer("Write the time in 24 hours, like 09:30.") from None


def read_text(item: ChecklistItem, text: str) -> str:
    if len(text) > MAX_TEXT or "\x00" in text:
        raise UnreadableAnswer(f"Write at most {MAX_TEXT} characters.")
    return text


READERS = {
    ItemKind.YES_NO: read_yes_no,
    ItemKind.NUMBER: read_number,
    ItemKind.CHOICE: read_choice,
    ItemKind.TEXT: read_text,
    ItemKind.DATE: read_date,
    ItemKind.TIME: read_time,
}


def choice_values(item: ChecklistItem) -> list[str]:
    return [choice[0] for choice in item.choices]


def example_of(item: ChecklistItem) -> str:
    return {0: "72", 1: "36.8"}.get(item.decimal_places, "72.5")


def plain(number: Decimal | None) -> str:
    """Without trailing zeros and never as an exponent: 70, 2.5, 1500."""
    return "" if number is None else f"{number.normalize():f}"


def show_value(item: ChecklistItem, value: Value | None) -> str:
    """The answer as people read it: Yes, 70 kg, Thirst, Dry mouth."""
    if value is None:
        return ""
    if item.kind == ItemKind.YES_NO:
        return str(value).capitalize()
    if item.kind == ItemKind.NUMBER:
        return f"{value} {item.unit}".strip()
    if item.kind == ItemKind.DATE:
        day = dt.date.fromisoformat(str(value))
        return f"{day.day} {day:%b %Y}"
    if item.kind in (ItemKind.CHOICE, ItemKind.MULTI):
        labels = {choice[0]: choice[1] for choice in item.choices}
        return ", ".join(labels.get(v, v) for v in ([value] if isinstance(value, str) else value))
    return str(value)
