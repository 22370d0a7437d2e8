"""sqlmap on a handful of query strings and forms, signed in and with the token of the form."""

import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from django.db import connection

from tests.attack.findings import Report
from tests.attack.instance import Instance, serving
from tests.attack.pages import TOKEN, cookies, world
from tests.attack.scanner import LOOPBACK

PROGRAM = "/usr/share/sqlmap/sqlmap.py"
# Told by sqlmap itself: what it tried and found nothing in, and what it found.
CLEAN = "all tested parameters do not appear to be injectable"
TESTED = re.compile(r"(?:GET|POST) parameter '([^']+)' does not seem to be injectable")
INJECTABLE = re.compile(r"^Parameter: (\S+) \((GET|POST)\)", re.M)


LEAST_PARAMETERS = 4


@dataclass(frozen=True)
class Target:
    who: str
    path: str
    parameters: str  # those that are tried
    data: dict | None = None
    by_htmx: bool = False  # else what is searched for is sealed, and asked for by a redirect


def targets() -> list[Target]:
    known = world()["known"]
    patient, order = known["patient_id"][0], known["order_id"][0]
    return [
        Target("scheduler", "/patients/", "q", {"q": "number"}, by_htmx=True),
        Target("scheduler", f"/orders/{order}/slots/?start=2026-11-26&setting=facility", "start"),
        Target("scheduler", "/reminders/?state=owed", "state"),
        Target("manager", "/audit/?action=chart.opened", "action"),
        Target("pharmacist", "/lots/?lot=LOT1", "lot"),
        Target("nurse", "/scan/", "code", {"code": "0100"}),
        Target("scheduler", "/waitlist/?state=waiting", "state"),
        Target("manager", "/staff/?q=number", "q"),
        Target("scheduler", "/patients/new/", "last_name", {"last_name": "Number", "birth_date": "1980-01-01"}),
        Target("scheduler", f"/patients/{patient}/booking-preference/", "note", {"note": "mornings"}),
    ]


def run(options) -> None:
    folder = Path(options.report).parent / "sqlmap"
    folder.mkdir(exist_ok=True)
    report = Report("sqlmap")
    if shutil.which("sqlmap") is None:
        report.too_little.append("sqlmap is not installed (Debian: apt-get install sqlmap)")
    else:
        with serving(folder, DJANGO_SETTINGS_MODULE="tests.attack.settings") as instance:
            attack(report, instance, folder, targets(), options.seconds)
    report.save(Path(options.report))


def attack(report: Report, instance: Instance, folder: Path, wanted: list[Target], seconds: int) -> None:
    """One after the other, within the seconds given to all."""
    until = time.monotonic() + seconds
    dbms = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    for number, target in enumerate(wanted):
        if time.monotonic() < until:
            told = told_by_sqlmap(instance, folder / str(number), target, until - time.monotonic(), dbms)
            read(report, target, told)
    failed = [f"{method} {path}" for status, method, path, _ in instance.answers() if status >= 500]
    for what in dict.fromkeys(failed):
        report.add("high", "answer 5xx to sqlmap", what)
    report.figures |= {"requests": len(instance.answers()), "of": len(wanted)}
    report.require("parameters", LEAST_PARAMETERS)


def told_by_sqlmap(instance: Instance, folder: Path, target: Target, seconds: float, dbms: str) -> str:
    sent = instance.headers | ({"HX-Request": "true"} if target.by_htmx else {})
    headers = "\\n".join(f"{name}: {value}" for name, value in sent.items())
    command = [
        sys.executable,
        LOOPBACK,
        PROGRAM,
        "-u",
        f"{instance.url}{target.path}",
        "-p",
        target.parameters,
        "--batch",
        "--level",
        "1",
        "--risk",
        "1",
        "--technique",
        "BEU",
        "--timeout",
        "30",
        "--retries",
        "0",
        "--threads",
        "2",
        "--flush-session",
        "--skip-waf",
        "--output-dir",
        folder,
        "--headers",
        headers,
        "--disable-coloring",
        "--dbms",
        dbms,
        "--cookie",
        cookies(target.who),
        "--drop-set-cookie",
    ]
    if target.data is not None:
        command += ["--data", urlencode(target.data | {"csrfmiddlewaretoken": TOKEN})]
    how = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": max(1, seconds)}
    try:
        done = subprocess.run([str(part) for part in command], **how)
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace")
    return done.stdout + done.stderr


def read(report: Report, target: Target, told: str) -> None:
    found = INJECTABLE.findall(told)
    for name, method in found:
        report.add("high", f"sqlmap injects by {name}", f"{method} {target.path}", told[-400:])
    tested = set(TESTED.findall(told)) | {name for name, _ in found}
    report.count("targets")
    report.count("parameters", len(tested))
    missing = set(target.parameters.split(",")) - tested
    if missing and CLEAN not in told:
        report.add("info", f"not tried in time: {', '.join(sorted(missing))}", target.path, told[-300:])
