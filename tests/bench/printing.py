"""The results as a table for people and as JSON lines for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from tests.bench.measuring import Result


def print_table(results: Iterable[Result]) -> Iterator[Result]:
    """Each result as it comes, and handed on."""
    phase = ""
    for one in results:
        if one.phase != phase:
            phase = one.phase
            print(f"\n{phase}")
        print(line_of(one), flush=True)
        yield one


def line_of(one: Result) -> str:
    time = f"{one.milliseconds:9.2f} ms" if one.milliseconds is not None else " " * 12
    value = " " * 10
    if one.ratio is not None or one.count is not None:
        value = f"{one.ratio:8.2f} x" if one.ratio is not None else f"{one.count:8.4g}  "
    goal = f"  goal {one.goal:g}{' MISSED' if one.is_missed else ''}" if one.goal is not None else ""
    note = f"  ({one.note})" if one.note else ""
    return f"  {one.name:<66}{time}{value}{goal}{note}"


def print_json(results: Iterable[Result]) -> None:
    for one in results:
        print(json.dumps({key: rounded(value) for key, value in asdict(one).items() if value not in (None, "")}))


def rounded(value):
    return round(value, 3) if isinstance(value, float) else value
