"""Lays a day out as rows of a table: each chair's or nurse's day in quarter-hours, filled by visits and gaps. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infusion_center.core import clock

Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Bar:
    """A visit as the layout sees it: when it holds its row, and whatever the page shows of it."""

    start: dt.datetime
    end: dt.datetime
    card: object


@dataclass(frozen=True)
class Cell:
    """Some neighbouring quarter-hours of a row: a visit (`card`), or a gap of one kind: free, closed or out."""

    span: int
    kind: str
    card: object | None = None
    begins_hour: bool = False


@dataclass(frozen=True)
class Hour:
    """One heading of the time axis."""

    span: int
    label: str


@dataclass(frozen=True)
class Axis:
    """The quarter-hours [first, stop) that the table shows, counted from the epoch, in a zone."""

    first: int
    stop: int
    zone_name: str

    @property
    def columns(self) -> range:
        return range(self.stop - self.first)

    def hours(self, *, uses_24h_clock: bool) -> list[Hour]:
        marks = [quarter for quarter in range(self.first, self.stop) if quarter == self.first or self.is_hour(quarter)]
        ends = [*marks[1:], self.stop]
        return [Hour(end - at, self._label(at, uses_24h_clock)) for at, end in zip(marks, ends, strict=True)]

    def is_hour(self, quarter: int) -> bool:
        return clock.to_local(clock.quarter_start(quarter), self.zone_name).minute == 0

    def share_of(self, instant: dt.datetime) -> float | None:
        """Where the instant lies between left (0) and right (100); None outside."""
        start, stop = clock.quarter_start(self.first), clock.quarter_start(self.stop)
        if not start <= instant < stop:
            return None
        return round((instant - start) / (stop - start) * 100, 3)

    def _label(self, quarter: int, uses_24h_clock: bool) -> str:
        local = clock.to_local(clock.quarter_start(quarter), self.zone_name)
        return f"{local:%H}" if uses_24h_clock else f"{local:%I %p}".lstrip("0")


def axis_for(open_spans: Sequence[Span], bars: Iterable[Bar], zone_name: str, fallback: Span) -> Axis:
    """From the first opening or visit to the last closing or end, widened to whole hours of wall time."""
    spans = [*open_spans, *((bar.start, bar.end) for bar in bars)] or [fallback]
    first = clock.quarter_of(min(start for start, _ in spans))
    stop = clock.quarters_between(max(end for _, end in spans), max(end for _, end in spans)).stop
    axis = Axis(first, stop, zone_name)
    while not axis.is_hour(first):
        first -= 1
    while not axis.is_hour(stop):
        stop += 1
    return Axis(first, stop, zone_name)


def rows_of(axis: Axis, bars: Sequence[Bar], open_spans: Sequence[Span], out_spans: Sequence[Span] = ()) -> list:
    """The cells of a lane. One row as a rule; more where visits overlap, so that none is ever hidden."""
    layers: list[list[Bar]] = []
    for bar in sorted(bars, key=lambda one: one.start):
        free = next((layer for layer in layers if layer[-1].end <= bar.start), None)
        if free is None:
            layers.append([bar])
        else:
            free.append(bar)
    open_quarters = _quarters(open_spans)
    out_quarters = _quarters(out_spans)
    return [_row(axis, layer, open_quarters, out_quarters) for layer in layers or [[]]]


def _row(axis: Axis, bars: Sequence[Bar], open_quarters: list[range], out_quarters: list[range]) -> list[Cell]:
    def kind(quarter: int) -> str:
        if any(quarter in span for span in out_quarters):
            return "out"
        return "free" if any(quarter in span for span in open_quarters) else "closed"

    cells: list[Cell] = []
    at = axis.first
    for bar in bars:
        quarters = clock.quarters_between(bar.start, bar.end)
        start, stop = max(quarters.start, at), min(quarters.stop, axis.stop)
        cells += _gaps(axis, at, start, kind)
        cells.append(Cell(stop - start, "visit", bar.card, axis.is_hour(start)))
        at = stop
    return cells + _gaps(axis, at, axis.stop, kind)


def _gaps(axis: Axis, at: int, stop: int, kind) -> list[Cell]:
    """Gaps end at each hour, so that the hour lines show, and where the kind changes."""
    cells = []
    while at < stop:
        end = at + 1
        while end < stop and not axis.is_hour(end) and kind(end) == kind(at):
            end += 1
        cells.append(Cell(end - at, kind(at), None, axis.is_hour(at)))
        at = end
    return cells


def _quarters(spans: Iterable[Span]) -> list[range]:
    return [clock.quarters_between(start, end) for start, end in spans]
