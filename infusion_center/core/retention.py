"""How long what is kept, and why: read from retention.toml, where every column of ours is named once."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.apps import apps

FILE = Path(__file__).resolve().parent.parent / "retention.toml"
OUR_PACKAGES = ("infusion_center", "patients", "infusions")
# delete: the program does it. by hand: a person decides about each. keep: stays, with the reason.
WAYS = ("delete", "by hand", "keep")
HOURS, DAYS, YEARS = {"hour", "hours"}, {"day", "days"}, {"year", "years"}


@dataclass(frozen=True)
class Rule:
    """One period, with all tables that it holds for. `keep` such as "2 years", or words where no clock decides."""

    name: str
    what: str
    purpose: str
    decides: str
    keep: str
    counted_from: str
    then: str
    why: str = ""
    done_by: str = ""

    def before(self, now: dt.datetime) -> dt.datetime:
        """What is counted from an earlier instant may go. Only for rules that a clock decides."""
        number, unit = self.keep.split()
        if unit in YEARS:
            return _years_before(now, int(number))
        return now - (dt.timedelta(hours=int(number)) if unit in HOURS else dt.timedelta(days=int(number)))

    @property
    def is_of_the_program(self) -> bool:
        """About what the program made for its own use: it goes without anybody's asking."""
        return self.decides == "the program"

    @property
    def has_period(self) -> bool:
        words = self.keep.split()
        return len(words) == 2 and words[0].isdigit() and words[1] in HOURS | DAYS | YEARS


@dataclass(frozen=True)
class Table:
    name: str
    rule: str
    personal: tuple[str, ...]
    other: tuple[str, ...]


@cache
def policy() -> tuple[dict[str, Rule], dict[str, Table]]:
    """Rules and tables by name."""
    found = tomllib.loads(FILE.read_text())
    rules = {name: Rule(name=name, **fields) for name, fields in found["rules"].items()}
    tables = {
        name: Table(name, fields["rule"], tuple(fields.get("personal", ())), tuple(fields.get("other", ())))
        for name, fields in found["tables"].items()
    }
    return rules, tables


def kept_for(name: str) -> dt.timedelta:
    """The period of a rule of hours or days, for the code that asks for it at each use."""
    now = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    return now - policy()[0][name].before(now)


def policy_errors() -> list[str]:
    """Columns of ours that the file does not name exactly once, names of nothing, and rules that cannot be."""
    return [*_rule_errors(), *_column_errors()]


def _rule_errors() -> Iterator[str]:
    rules, tables = policy()
    used = {table.rule for table in tables.values()}
    yield from (f"{name}: no table has this rule" for name in rules.keys() - used)
    yield from (f"{table.name}: there is no rule {table.rule}" for table in tables.values() if table.rule not in rules)
    for rule in rules.values():
        if rule.then not in WAYS:
            yield f"{rule.name}: then must be one of {', '.join(WAYS)}"
        if rule.then == "delete" and not rule.has_period:
            yield f"{rule.name}: what is deleted needs a period such as 2 years"
        if rule.then != "delete" and not rule.why:
            yield f"{rule.name}: say why the program does not delete it"


def _column_errors() -> Iterator[str]:
    _, tables = policy()
    # Of packages only what is named: not all of their tables are about somebody.
    columns = {name: real for name, real in columns_of(apps.get_models()).items() if name in tables} | our_columns()
    for name, real in sorted(columns.items()):
        if name not in tables:
            yield f"{name}: not named, nor its columns {', '.join(sorted(real))}"
            continue
        named = Counter([*tables[name].personal, *tables[name].other])
        yield from (f"{name}.{column}: not named" for column in sorted(real - named.keys()))
        yield from (f"{name}.{column}: there is no such column" for column in sorted(named.keys() - real))
        yield from (f"{name}.{column}: named twice" for column, times in sorted(named.items()) if times > 1)
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} | {"cache_entries"}
    yield from (f"{name}: there is no such table" for name in sorted(tables.keys() - known))


def our_columns() -> dict[str, set[str]]:
    """Table -> columns of each model of ours, many-to-many relations among them."""
    return columns_of(
        model
        for config in apps.get_app_configs()
        if config.name.split(".")[0] in OUR_PACKAGES
        for model in config.get_models(include_auto_created=True)
    )


def columns_of(models: Iterable[type]) -> dict[str, set[str]]:
    return {
        model._meta.db_table: {field.column for field in model._meta.concrete_fields}
        for model in models
        if model._meta.managed and not model._meta.proxy
    }


def as_markdown() -> str:
    """The table of docs/data-handling.md."""
    rules, _ = policy()
    lines = ["| what | for | kept | counted from | then | who decides |", "|---|---|---|---|---|---|"]
    for rule in rules.values():
        then = f"{rule.then} ({rule.done_by})" if rule.done_by else rule.then
        then += f": {rule.why}" if rule.why else ""
        lines.append(f"| {rule.what} | {rule.purpose} | {rule.keep} | {rule.counted_from} | {then} | {rule.decides} |")
    return "\n".join(lines)


def _years_before(now: dt.datetime, years: int) -> dt.datetime:
    try:
        return now.replace(year=now.year - years)
    except ValueError:  # 29 February
        return now.replace(year=now.year - years, day=28)
