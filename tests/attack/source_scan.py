"""bandit over our own source; what pyproject.toml leaves out says why there, and a skip at a line says so there."""

import json
import subprocess
import sys
from pathlib import Path

from tests.attack.findings import Report
from tests.guards.source import PACKAGES, ROOT

LEAST_LINES = 20_000


def run(options) -> None:
    command = [
        sys.executable,
        "-m",
        "bandit",
        "--quiet",
        "-c",
        "pyproject.toml",
        "-f",
        "json",
        "-r",
        *PACKAGES,
        "manage.py",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    report = read(done.stdout)
    report.save(Path(options.report))


def read(text: str) -> Report:
    report, told = Report("bandit"), json.loads(text)
    report.figures = {"lines": told["metrics"]["_totals"]["loc"], "skipped": told["metrics"]["_totals"]["nosec"]}
    report.require("lines", LEAST_LINES)
    report.too_little += [f"{error['filename']}: {error['reason']}" for error in told["errors"]]
    for one in told["results"]:
        where = f"{one['filename']}:{one['line_number']}"
        report.add(one["issue_severity"].lower(), f"{one['test_id']} {one['issue_text']}", where)
    return report
