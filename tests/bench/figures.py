"""Writes the results into docs/benchmarks.md, between the two marks."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from django.db import connection
from django.utils import timezone

from tests.bench.measuring import Result

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: written by make bench ARGS=--write -->\n", "<!-- end of figures -->\n"


def write_figures(results: Iterable[Result], how: str) -> None:
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(before + BEGIN + "\n" + table_of(list(results), how) + "\n" + END + after)


def table_of(results: list[Result], how: str) -> str:
    day, cores = timezone.now(), os.cpu_count()
    engine = f"PostgreSQL {connection.pg_version // 10000}" if connection.vendor == "postgresql" else "SQLite"
    lines = [f"{day:%d %B %Y}, {cores} cores, {engine}, Python {platform.python_version()}; {how}."]
    for phase, group in groupby(results, key=lambda one: one.phase):
        lines += [
            "",
            f"### {phase[:1].upper()}{phase[1:]}",
            "",
            "| what | ms | ratio or count | goal |",
            "|---|---:|---:|---|",
        ]
        lines += [line_of(one) for one in group]
    return "\n".join(lines) + "\n"


def line_of(one: Result) -> str:
    milliseconds = f"{one.milliseconds:.1f}" if one.milliseconds is not None else ""
    value = f"{one.ratio:.2f} x" if one.ratio is not None else f"{one.count:.3g}" if one.count is not None else ""
    goal = "" if one.goal is None else f"{one.goal:g}, **missed**" if one.is_missed else f"{one.goal:g}"
    note = f" ({one.note})" if one.note else ""
    return f"| {one.name.strip()}{note} | {milliseconds} | {value} | {goal} |"
