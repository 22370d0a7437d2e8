"""`make test-attack`: scanners and our own checks against the application, on the loopback; findings by severity."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.attack import scanner
from tests.attack.databases import ROOT, Databases
from tests.attack.findings import load, merged, verdict

# Own checks, then scanners: (part, share); two run at a time, the longest first.
CHECKS = [("fuzz", "0/2"), ("fuzz", "1/2"), ("sessions", "0/1"), ("ordering", "0/1"), ("bandit", "0/1")]
SCANS = [("wapiti", "0/1"), ("sqlmap", "0/1"), ("canary", "0/1")]
MODULES = {"bandit": "source_scan", "wapiti": "crawl", "sqlmap": "inject", "canary": "canary_check"}
PARTS = list(dict.fromkeys(name for name, _ in CHECKS + SCANS))
AT_A_TIME = 2


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options, began = parsed_options(), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="attack-"))
    print(f"Seed {options.seed}, {options.requests:,} requests, {options.engine}", flush=True)
    wanted = [job for job in CHECKS + SCANS if job[0] in options.parts]
    # What installs and what migrates wait for the network and the disk in turn.
    installing = subprocess.Popen(
        [sys.executable, "-c", "from tests.attack.scanner import install; install()"], cwd=ROOT
    )
    try:
        databases = Databases(folder, os.environ.get("DATABASE_URL", "") if options.engine == "postgresql" else "")
        databases.fill()
        run(wanted, databases, options, installing)
    finally:
        installing.wait()
        text, passed = verdict(reports(folder, wanted))
        print(f"\n{text}\n{time.monotonic() - began:.0f} seconds", flush=True)
        if options.keep:
            print(f"Logs and reports: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if not passed:
        print(f"FAILED. Again: make test-attack ARGS='--seed {options.seed} --engine {options.engine} --keep'")
    return 0 if passed else 1


def parsed_options():
    parser = argparse.ArgumentParser(prog="tests.attack", description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("ATTACK_SEED", "1")))
    parser.add_argument("--requests", type=int, default=10_000, help="of the fuzz")
    parser.add_argument("--seconds", type=int, default=75, help="that each scanner may take")
    parser.add_argument("--limit", type=int, default=900, help="seconds of all parts; a slow machine needs more")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and reports")
    return parser.parse_args()


def run(wanted: list, databases: Databases, options, installing: subprocess.Popen) -> None:
    waiting, running, until = list(wanted), [], time.monotonic() + options.limit
    try:
        while waiting or running:
            while waiting and len(running) < AT_A_TIME:
                part, share = waiting.pop(0)
                if part in ("wapiti", "canary") and installing.wait():
                    raise RuntimeError(f"{scanner.PINNED} could not be installed")
                running.append(started(part, share, databases, options))
            time.sleep(0.1)
            if time.monotonic() > until:
                break  # what has left no report has not run
            running = [process for process in running if process.poll() is None]
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def started(part: str, share: str, databases: Databases, options) -> subprocess.Popen:
    name = name_of(part, share)
    command = [
        sys.executable,
        "-m",
        "tests.attack.part",
        MODULES.get(part, part),
        "--share",
        share,
        "--seed",
        str(options.seed),
        "--requests",
        str(options.requests),
        "--seconds",
        str(options.seconds),
        "--report",
        str(databases.folder / f"{name}.json"),
    ]
    return subprocess.Popen(command, env=databases.copy(name), cwd=ROOT, start_new_session=True)


def name_of(part: str, share: str) -> str:
    return f"{part}_{share[0]}"


def reports(folder: Path, wanted: list) -> list:
    shares: dict[str, list] = {}
    for part, share in wanted:
        shares.setdefault(part, []).append(load(folder / f"{name_of(part, share)}.json", part))
    return [merged(part, found) for part, found in shares.items()]


if __name__ == "__main__":
    sys.exit(main())
