"""What a part of the run found and how much it looked at, as a file that the run reads back."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

LEVELS = ("high", "medium", "low", "info")
FAILING = ("high", "medium")
SHOWN = 25


@dataclass(frozen=True)
class Finding:
    level: str
    part: str
    what: str  # the same words for the same fault, so that it is told once
    where: str = ""
    how: str = ""  # one request that shows it


@dataclass
class Report:
    """`too_little`: why the part cannot be said to have run; such a run fails, whatever it found."""

    part: str
    figures: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    too_little: list[str] = field(default_factory=list)

    def add(self, level: str, what: str, where: str = "", how: str = "") -> None:
        if not any((known.what, known.where) == (what, where) for known in self.findings):
            self.findings.append(Finding(level, self.part, what, where, how[:600]))

    def count(self, name: str, more: int = 1) -> None:
        self.figures[name] = self.figures.get(name, 0) + more

    def require(self, name: str, least: int) -> None:
        if self.figures.get(name, 0) < least:
            self.too_little.append(f"{name}: {self.figures.get(name, 0)}, less than {least}")

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1, default=str))


def load(path: Path, part: str) -> Report:
    """A part that left no report has not run."""
    if not path.exists():
        return Report(part, too_little=["it ended without a report"])
    told = json.loads(path.read_text())
    return Report(**told | {"findings": [Finding(**finding) for finding in told["findings"]]})


def merged(part: str, reports: list[Report]) -> Report:
    """The shares of one part as one report."""
    whole = Report(part)
    for report in reports:
        for name, value in report.figures.items():
            whole.count(name, value)
        for found in report.findings:
            whole.add(found.level, found.what, found.where, found.how)
        whole.too_little += report.too_little
    return whole


def verdict(reports: list[Report]) -> tuple[str, bool]:
    """The text of the run's end, and whether it passed."""
    lines = [
        f"{report.part:<9} {'  '.join(f'{name} {value}' for name, value in report.figures.items())}"
        for report in reports
    ]
    found = sorted((one for report in reports for one in report.findings), key=lambda one: LEVELS.index(one.level))
    told = [one for one in found if one.level != "info"]
    lines += ["", *map(_told, told[:SHOWN])]
    lines += [f"... and {len(told) - SHOWN} more"] if len(told) > SHOWN else []
    levels = Counter(one.level for one in found)
    lines += ["", "findings  " + "  ".join(f"{level} {levels[level]}" for level in LEVELS)]
    lines += [f"NOT RUN   {report.part}: {why}" for report in reports for why in report.too_little]
    passed = not any(levels[level] for level in FAILING) and not any(report.too_little for report in reports)
    return "\n".join(lines), passed


def _told(one: Finding) -> str:
    return f"{one.level.upper():<9} {one.part}: {one.what}  {one.where}" + (f"\n          {one.how}" if one.how else "")
