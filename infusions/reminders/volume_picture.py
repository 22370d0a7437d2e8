"""Pure: the picture of the messages of some days as shapes of an SVG: a column for each day, a part for each state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infusions.reminders.glance import DayVolume

SLOT, COLUMN, HEIGHT, HEAD, FOOT = 44, 28, 84, 24, 24
LEAST_SCALE = 8  # so that one message of a quiet site does not look like a wall
STATES = ("sent", "skipped", "waiting", "failed")  # from the foot of a column upwards


@dataclass(frozen=True)
class Part:
    state: str
    y: int
    height: int


@dataclass(frozen=True)
class Column:
    """In pixels; `words` stands above it, `title` is read out."""

    x: int
    top: int
    middle: int
    parts: tuple[Part, ...]
    words: str
    label: str
    title: str


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    base: int
    label_y: int
    column: int
    columns: tuple[Column, ...]


def picture_of(days: Sequence[DayVolume]) -> Picture:
    scale = max([LEAST_SCALE, *(day.total for day in days)])
    base = HEAD + HEIGHT
    columns = tuple(_column(day, at, scale, base, is_last=at == len(days) - 1) for at, day in enumerate(days))
    return Picture(len(days) * SLOT, base + FOOT, base, base + FOOT - 5, COLUMN, columns)


def _column(day: DayVolume, at: int, scale: int, base: int, *, is_last: bool) -> Column:
    parts, top = [], base
    for state in STATES:
        if number := getattr(day, state):
            height = max(3, number * HEIGHT // scale)
            top -= height
            parts.append(Part(state, top, height))
    told = ", ".join(f"{getattr(day, state)} {state}" for state in STATES if getattr(day, state))
    return Column(
        x=at * SLOT + (SLOT - COLUMN) // 2,
        top=top,
        middle=at * SLOT + SLOT // 2,
        parts=tuple(parts),
        words=str(day.total) if day.total else "",
        label="Today" if is_last else f"{day.day:%a} {day.day.day}",
        title=f"{day.day:%a} {day.day.day} {day.day:%b}: {told or 'no messages'}",
    )
