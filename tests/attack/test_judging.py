"""When a run of the attack fails, what it takes for a way out, and that its scanners stay on this machine."""

import subprocess
import sys

import pytest

from tests.attack.findings import Report, load, verdict
from tests.attack.scanner import LOOPBACK
from tests.attack.watch import faults, leads_away

pytestmark = pytest.mark.once


def report(*levels: str, too_little: tuple[str, ...] = ()) -> Report:
    found = Report("part", too_little=list(too_little))
    for level in levels:
        found.add(level, f"a {level} one")
    return found


@pytest.mark.parametrize(
    ("told", "passes"),
    [
        (report(), True),
        (report("low", "info"), True),
        (report("medium"), False),
        (report("high"), False),
        (report(too_little=("no page was crawled",)), False),
    ],
)
def test_a_run_passes_without_high_and_medium_findings_and_only_when_all_ran(told, passes):
    assert verdict([told])[1] is passes


def test_a_part_that_left_no_report_has_not_run(tmp_path):
    assert verdict([load(tmp_path / "none.json", "fuzz")])[1] is False


def test_a_report_comes_back_from_its_file_as_it_was(tmp_path):
    told = report("low", too_little=("few",))
    told.count("requests", 3)
    told.save(tmp_path / "part.json")
    assert load(tmp_path / "part.json", "part") == told


@pytest.mark.parametrize(
    "address",
    ["//evil.example/", "/\\evil.example/", "https://evil.example", "\t//evil.example", "JavaScript:alert(1)"],
)
def test_addresses_that_browsers_read_as_another_site_lead_away(address):
    assert leads_away(address)


def test_addresses_of_this_site_do_not_lead_away():
    assert not any(map(leads_away, ["", "/", "/accounts/login/?next=//evil.example/", "?page=2"]))


def test_every_page_has_the_headers_that_the_attack_looks_for(client, db):
    """Over plain http, as here, all but the one that asks for https."""
    answer = client.get("/accounts/login/")
    missing = faults("/accounts/login/", "nobody", answer, answer.content.decode())
    assert [what for _, what in missing if "Strict-Transport-Security" not in what] == []


def test_scanners_reach_this_machine_only(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)")
    done = subprocess.run([sys.executable, LOOPBACK, program], capture_output=True, text=True)
    assert "only the loopback may be asked" in done.stderr
