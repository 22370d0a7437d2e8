"""Wapiti over the served application, signed in as each role: every page a role may open, and the forms on it."""

import time
from pathlib import Path

from django.urls import Resolver404, resolve

from infusion_center.accounts.roles import Role
from tests.attack import scanner
from tests.attack.findings import Report
from tests.attack.instance import Instance, serving
from tests.attack.pages import all_pages, cookies
from tests.attack.watch import NOBODY

# Each ends the session with which the scan walks, or locks it; tested by part "sessions" instead.
ENDS_SESSION = (
    "/accounts/logout/",
    "/lock/*",
    "/tablets/enroll/",
    "/accounts/password/change/",
    "/staff/*/deactivate/",
)
WHO = (NOBODY, *Role.values)
AT_A_TIME = 3
LEAST_ROUTES_A_SECOND = 1.5  # of those a scanner is given


def run(options) -> None:
    folder = Path(options.report).parent / "wapiti"
    folder.mkdir(exist_ok=True)
    scanner.install()
    report = Report("wapiti")
    with serving(folder, DJANGO_SETTINGS_MODULE="tests.attack.settings") as instance:
        attack(report, instance, folder, options.seconds)
    report.save(Path(options.report))


def attack(report: Report, instance: Instance, folder: Path, seconds: int) -> None:
    """Some scans at a time. A page that several roles may open is started from once, the rest is met by links."""
    waiting = [(who, starts) for who, starts in starts_by_identity().items() if starts]
    running: list = []
    patience = time.monotonic() + 3 * seconds  # each ends by itself, when it can
    while waiting or running:
        while waiting and len(running) < AT_A_TIME:
            who, starts = waiting.pop(0)
            running.append((who, start(instance, who, starts, folder, seconds * AT_A_TIME / len(WHO))))
        time.sleep(0.2)
        if time.monotonic() > patience:
            for _, scan in running:
                scan.terminate()
        for who, scan in running:
            if scan.poll() is not None:
                scanner.read(report, folder / f"wapiti-{who}.json")
        running = [(who, scan) for who, scan in running if scan.poll() is None]
    coverage(report, instance, seconds)


def start(instance: Instance, who: str, starts: list[str], folder: Path, seconds: float):
    """Half of its time for the crawl, as a page that was not met is not attacked; the rest for the modules."""
    return scanner.start(
        instance, f"wapiti-{who}", folder, cookie=cookies(who), starts=starts, without=list(ENDS_SESSION),
        crawl_seconds=seconds / 2, attack_seconds=seconds / 16,
    )  # fmt: skip


def starts_by_identity() -> dict[str, list[str]]:
    """The addresses with real ids; each page from the first identity that may open it."""
    starts: dict[str, list[str]] = {who: [] for who in WHO}
    for page in all_pages():
        who = next((one for one in WHO if one in page.identities), None)
        path = page.address()
        if who and path:
            starts[who].append(path)
    return starts


def coverage(report: Report, instance: Instance, seconds: int) -> None:
    """What was really answered, by the server's own log."""
    reached, signed_in = set(), set()
    closed = {page.name for page in all_pages() if NOBODY not in page.identities}
    for status, method, path, agent in instance.answers():
        report.count("requests")
        if status >= 500 and not path.startswith("/health/"):
            report.add("high", f"answer {status} to {agent}", f"{method} {path}")
        name = route(path)
        if name and status < 400:
            reached.add(name)
            signed_in |= {agent} if name in closed and status == 200 else set()
    names = {page.name for page in all_pages() if not page.name.startswith("admin:")}
    report.figures |= {"urls reached": len(reached & names), "of": len(names)}
    report.require("urls reached", int(LEAST_ROUTES_A_SECOND * seconds))
    report.too_little += [f"{who} was not signed in" for who in Role.values if f"wapiti-{who}" not in signed_in]


def route(path: str) -> str | None:
    try:
        return resolve(path).view_name
    except Resolver404:
        return None
