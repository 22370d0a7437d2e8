"""Lays a day out as rows of a table: each chair's or nurse's day in quarter-hours, filled by visits and gaps. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from infusion_center.core import clock

Span = tuple[dt.datetime, dt.datetime]
LATE = "late"


class Bar(NamedTuple):
    """A visit as the layout sees it: when it holds its row, what the page shows of it, until when it overruns."""

    start: dt.datetime
    end: dt.datetime
    card: object
    late_until: dt.datetime | None = None


class Cell(NamedTuple):
    """Some neighbouring quarter-hours of a row: a visit (`card`), what it overruns, or a gap of one kind."""

    span: int
    kind: str
    card: object | None = None


class Hour(NamedTuple):
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

    @cached_property
    def marks(self) -> list[int]:
        """The quarters with which a column of the headings begins: the first one and each full hour of wall time."""
        return [quarter for quarter in range(self.first, self.stop) if quarter == self.first or self.is_hour(quarter)]

    @cached_property
    def hour_spans(self) -> list[range]:
        """The quarters under each heading."""
        return [range(at, end) for at, end in zip(self.marks, [*self.marks[1:], self.stop], strict=True)]

    def hours(self, *, uses_24h_clock: bool) -> list[Hour]:
        """The hour that comes twice when clocks go back says of which time it is."""
        labels = [self._label(at, uses_24h_clock) for at in self.marks]
        zones = [f"{self._local(at):%Z}" for at in self.marks]
        twice = {label for label in labels if labels.count(label) > 1}
        named = [f"{label} {zone}" if label in twice else label for label, zone in zip(labels, zones, strict=True)]
        return [Hour(len(span), label) for span, label in zip(self.hour_spans, named, strict=True)]

    def is_hour(self, quarter: int) -> bool:
        return self._local(quarter).minute == 0

    def share_of(self, instant: dt.datetime) -> float | None:
        """Where the instant lies between left (0) and right (100); None outside."""
        start, stop = clock.quarter_start(self.first), clock.quarter_start(self.stop)
        if not start <= instant < stop:
            return None
        return round((instant - start) / (stop - start) * 100, 3)

    def _local(self, quarter: int) -> dt.datetime:
        return clock.to_local(clock.quarter_start(quarter), self.zone_name)

    def _label(self, quarter: int, uses_24h_clock: bool) -> str:
        local = self._local(quarter)
        return f"{local:%H}" if uses_24h_clock else f"{local:%I %p}".lstrip("0")


def axis_for(open_spans: Sequence[Span], bars: Iterable[Bar], zone_name: str, fallback: Span) -> Axis:
    """From the first opening or visit to the last closing or end, widened to whole hours of wall time."""
    spans = [*open_spans, *((bar.start, max(bar.end, bar.late_until or bar.end)) for bar in bars)] or [fallback]
    first = clock.quarter_of(min(start for start, _ in spans))
    stop = clock.quarters_between(max(end for _, end in spans), max(end for _, end in spans)).stop
    axis = Axis(first, stop, zone_name)
    while not axis.is_hour(first):
        first -= 1
    while not axis.is_hour(stop):
        stop += 1
    return Axis(first, stop, zone_name)


class Strip(NamedTuple):
    """The ground of a row: for each quarter of the axis its kind, and where the run of that kind stops."""

    kinds: list[str]
    stops: list[int]


def painted(axis: Axis, shades: Sequence[tuple[str, Iterable[Span]]], default: str = "closed") -> Strip:
    """Each quarter gets the kind of the first of the shades that touches it."""
    kinds = [default] * len(axis.columns)
    for kind, spans in reversed(shades):
        for start, end in spans:
            touched = clock.quarters_between(start, end)
            first, stop = max(touched.start, axis.first), min(touched.stop, axis.stop)
            kinds[first - axis.first : max(stop, first) - axis.first] = [kind] * max(stop - first, 0)
    stops = [axis.stop] * len(kinds)
    for number in range(len(kinds) - 2, -1, -1):
        same = kinds[number] == kinds[number + 1]
        stops[number] = stops[number + 1] if same else axis.first + number + 1
    return Strip(kinds, stops)


def rows_of(axis: Axis, bars: Sequence[Bar], ground: Strip) -> list[list[Cell]]:
    """The cells of a lane. One row as a rule; more where visits overlap, so that none is ever hidden."""
    layers: list[list[Bar]] = []
    for bar in sorted(bars, key=lambda one: one.start):
        free = next((layer for layer in layers if layer[-1].end <= bar.start), None)
        if free is None:
            layers.append([bar])
        else:
            free.append(bar)
    return [_row(axis, layer, ground) for layer in layers or [[]]]


def _row(axis: Axis, bars: Sequence[Bar], ground: Strip) -> list[Cell]:
    cells: list[Cell] = []
    at = axis.first
    for number, bar in enumerate(bars):
        quarters = clock.quarters_between(bar.start, bar.end)
        start, stop = max(quarters.start, at), min(quarters.stop, axis.stop)
        _fill(cells, axis, at, start, ground)
        cells.append(Cell(stop - start, "visit", bar.card))
        at = stop
        if bar.late_until is not None and bar.late_until > bar.end:
            following = clock.quarter_of(bars[number + 1].start) if number + 1 < len(bars) else axis.stop
            until = min(clock.quarters_between(bar.end, bar.late_until).stop, following, axis.stop)
            if until > at:
                cells.append(Cell(until - at, LATE, bar.card))
                at = until
    _fill(cells, axis, at, axis.stop, ground)
    return cells


def _fill(cells: list[Cell], axis: Axis, at: int, stop: int, ground: Strip) -> None:
    """The gaps of [at, stop), one for each run of a kind."""
    while at < stop:
        end = min(ground.stops[at - axis.first], stop)
        cells.append(Cell(end - at, ground.kinds[at - axis.first]))
        at = end
