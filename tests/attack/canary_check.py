"""Whether the scanners and our own checks find anything: against an application that is broken on purpose."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.attack import scanner
from tests.attack.findings import Report
from tests.attack.inject import Target, told_by_sqlmap
from tests.attack.instance import Instance, serving

SECONDS = 25
WAPITI = {"SQL Injection", "Reflected Cross Site Scripting", "Open Redirect"}


def run(options) -> None:
    folder = Path(options.report).parent / "canary"
    folder.mkdir(exist_ok=True)
    report = Report("canary")
    with serving(folder, "tests.attack.canary") as instance:
        scan = scanner.start(
            instance, "canary", folder, cookie="", starts=["/"], without=[], modules="sql,xss,redirect",
            crawl_seconds=10, attack_seconds=SECONDS // 3,
        )  # fmt: skip
        sqlmap_finds_it(report, instance, folder)
        scan.wait(2 * SECONDS)
    wapiti_finds_them(report, folder / "canary.json")
    ours_find_them(report)
    report.save(Path(options.report))


def sqlmap_finds_it(report: Report, instance: Instance, folder: Path) -> None:
    told = told_by_sqlmap(instance, folder / "sqlmap", Target("", "/people/?name=ann", "name"), SECONDS, "SQLite")
    expect(report, "sqlmap: injection", "Parameter: name (GET)" in told)


def wapiti_finds_them(report: Report, path: Path) -> None:
    found = json.loads(path.read_text())["vulnerabilities"] if path.exists() else {}
    for category in sorted(WAPITI):
        expect(report, f"wapiti: {category}", any(category in name and one for name, one in found.items()))


def ours_find_them(report: Report) -> None:
    """In a process of its own: settings can be set once only."""
    command = [sys.executable, "-m", "tests.attack.canary_own"]
    env = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL")}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    found = set(done.stdout.splitlines())
    for what in ("echo", "redirect", "order", "error", "header"):
        expect(report, f"own: {what}", what in found)


def expect(report: Report, what: str, is_found: bool) -> None:
    report.count("expected")
    if is_found:
        report.count("found")
    else:
        report.too_little.append(f"{what} was not found in what is broken on purpose")
