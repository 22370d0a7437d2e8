"""Pure: the picture of a trend as shapes of an SVG: a row of columns for each product, a column for each month.

A column is as high as the reactions per 100 infusions; its dark foot are those of grade 3 and more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from infusions.reports.reactions import Line

ROWS_SHOWN = 6
LEFT, WIDTH, ROW_HEIGHT, COLUMN_HEIGHT, FOOT = 190, 960, 92, 56, 26
LEAST_SCALE = Decimal(10)  # so that one reaction in a hundred infusions does not look like a wall


@dataclass(frozen=True)
class Column:
    """In pixels; `words` is what the figure above it says, empty where nothing was given."""

    x: int
    width: int
    top: int
    height: int
    grave_top: int
    grave_height: int
    middle: int
    words: str
    title: str


@dataclass(frozen=True)
class Row:
    label: str
    base: int
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    rows: tuple[Row, ...]
    months: tuple[tuple[int, str], ...]
    month_y: int
    left: int
    scale: Decimal


def picture_of(trend: Sequence[tuple[str, Sequence[Line]]], months: Sequence[str]) -> Picture | None:
    """None without a month. All rows share one scale, so that they can be compared."""
    if not months:
        return None
    shown = [(label, lines) for label, lines in trend if any(line.infusions for line in lines)][:ROWS_SHOWN]
    rates = [line.per_100 for _, lines in shown for line in lines if line.per_100 is not None]
    scale = max([LEAST_SCALE, *rates])
    slot = (WIDTH - LEFT) // len(months)
    rows = tuple(_row(label, lines, number, slot, scale) for number, (label, lines) in enumerate(shown))
    return Picture(
        width=WIDTH,
        height=len(rows) * ROW_HEIGHT + FOOT,
        rows=rows,
        months=tuple((LEFT + slot * at + slot // 2, month) for at, month in enumerate(months)),
        month_y=len(rows) * ROW_HEIGHT + FOOT - 8,
        left=LEFT,
        scale=scale,
    )


def _row(label: str, lines: Sequence[Line], number: int, slot: int, scale: Decimal) -> Row:
    base = (number + 1) * ROW_HEIGHT - 8
    return Row(label, base, tuple(_column(line, LEFT + slot * at, slot, base, scale) for at, line in enumerate(lines)))


def _column(line: Line, left: int, slot: int, base: int, scale: Decimal) -> Column:
    width = min(36, slot * 2 // 3)
    height, grave = (_pixels(rate, scale) for rate in (line.per_100, line.grave_per_100))
    words = "" if line.per_100 is None else f"{line.per_100:.0f}"
    return Column(
        x=left + (slot - width) // 2,
        width=width,
        top=base - height,
        height=height,
        grave_top=base - grave,
        grave_height=grave,
        middle=left + slot // 2,
        words=words,
        title=f"{line.label}: {line.reactions} reactions in {line.infusions} infusions, {line.grave} grave",
    )


def _pixels(rate: Decimal | None, scale: Decimal) -> int:
    """At least two for anything that is not nothing."""
    return max(2, int(rate * COLUMN_HEIGHT / scale)) if rate else 0
