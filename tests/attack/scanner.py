"""Wapiti: how it is installed, asked and read. It lives in an environment of its own, as it pins what we use newer."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.attack.findings import Report
from tests.attack.instance import Instance

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv-attack"
PINNED = "wapiti3==3.2.3"
LOOPBACK = Path(__file__).with_name("loopback.py")
LEVELS = {4: "high", 3: "high", 2: "medium", 1: "low", 0: "info"}
# Without those that ask the network (ssrf, xxe, log4shell), guess file names, or wait to see whether a database does.
MODULES = "sql,xss,permanentxss,exec,file,redirect,crlf,csrf,cookieflags,http_headers,csp,methods,htaccess"
# (kind of finding, where): each with the reason why it is no fault. They are counted.
BY_DESIGN = {
    (
        "Cross Site Request Forgery",
        re.compile(r"^/[vom]/"),
    ): "patients' pages use no session: the signed link is the authority",
}


def install() -> None:
    stamp = HOME / "installed"
    if stamp.exists() and stamp.read_text() == PINNED:
        return
    subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
    pip = [HOME / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install", PINNED]
    subprocess.run(pip, check=True)
    stamp.write_text(PINNED)


def start(
    instance: Instance,
    name: str,
    folder: Path,
    *,
    cookie: str,
    starts: list[str],
    without: list[str],
    modules: str = MODULES,
    crawl_seconds: float,
    attack_seconds: float,
) -> subprocess.Popen:
    """One scan, in the background; its report lies in the folder when it has ended."""
    listed = folder / f"{name}.txt"
    listed.write_text("\n".join(f"{instance.url}{path}" for path in starts))
    command = [
        HOME / "bin" / "python",
        LOOPBACK,
        HOME / "bin" / "wapiti",
        "-u",
        f"{instance.url}/",
        "-s",
        listed,
        "-m",
        modules,
        "--scope",
        "folder",
        "-A",
        name,
        "-f",
        "json",
        "-o",
        folder / f"{name}.json",
        "--no-bugreport",
        "--flush-session",
        "--store-session",
        folder / f"{name}-session",
        "--store-config",
        folder / f"{name}-config",
        "--tasks",
        "4",
        "--max-scan-time",
        crawl_seconds,
        "--max-attack-time",
        attack_seconds,
        "-S",
        "aggressive",
        "-d",
        "3",
        "--max-links-per-page",
        "60",
        "--max-files-per-dir",
        "40",
        "-t",
        "20",
        "-v",
        "1",
        "--endpoint",
        f"{instance.url}/",
        *([] if not cookie else ["-C", cookie]),
        *[part for name, value in instance.headers.items() for part in ("-H", f"{name}: {value}")],
        *[part for path in without for part in ("-x", f"{instance.url}{path}")],
    ]
    with (folder / f"{name}.out").open("wb") as out:
        return subprocess.Popen([str(part) for part in command], stdout=out, stderr=out, cwd=folder)


def read(report: Report, path: Path, *, anomalies: bool = True) -> None:
    """Findings of one scan into the report of the run."""
    if not path.exists():
        report.too_little.append(f"the scan {path.stem} left no report")
        return
    told = json.loads(path.read_text())
    report.count("pages crawled", told["infos"].get("crawled_pages_nbr", 0))
    for group in ("vulnerabilities", "anomalies", "additionals")[: 3 if anomalies else 1]:
        for category, found in told[group].items():
            for one in found:
                _note(report, group, category, one)


def _note(report: Report, group: str, category: str, one: dict) -> None:
    level = LEVELS[one["level"]] if group == "vulnerabilities" else "info"
    if group == "anomalies" and category == "Internal Server Error":
        level = "high"
    info = one["info"].splitlines()[0][:160]
    if any(category == kind and where.match(one["path"]) for kind, where in BY_DESIGN):
        report.count("by design")
        return
    report.add(level, f"{category}: {info}", "", one["http_request"].splitlines()[0] + f" [{one['module']}]")
