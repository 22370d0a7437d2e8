"""The application refuses to start insecurely; each case starts a real process."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "SECRET_KEY": "a1b2c3d4e5-" * 6,
    "FIELD_KEYS": "0123456789abcdef0123456789abcdef0123456789A=",
    "AUDIT_KEYS": "e5d4c3b2a1-" * 6,
    "ALLOWED_HOSTS": "center.example",
    "READ_DOT_ENV": "false",
    "SITE_URL": "https://center.example",
}


def start(**environment):
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={**kept, "READ_DOT_ENV": "false", **environment},
        capture_output=True,
        text=True,
    )


def test_settings_are_clean_for_deployment():
    done = start(**GOOD)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_a_second_factor_for_everybody_covers_everybody():
    assert start(**GOOD, MFA_REQUIRED_ROLES="all").returncode == 0


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"SECRET_KEY": ""}, "Set SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "Set SECRET_KEY"),
        ({"SECRET_KEY": "for-development-only-never-with-patients-0123456789abcdef"}, "Set SECRET_KEY"),
        ({"FIELD_KEYS": ""}, "Set FIELD_KEYS"),
        ({"FIELD_KEYS": "too-short"}, "Set FIELD_KEYS"),
        ({"FIELD_KEYS": "Zm9yLWRldmVsb3BtZW50LW9ubHktbm8tcGF0aWVudHM="}, "Set FIELD_KEYS"),
        ({"AUDIT_KEYS": ""}, "Set AUDIT_KEYS"),
        ({"AUDIT_KEYS": "e5d4c3b2a1-" * 6 + ",short"}, "Set AUDIT_KEYS"),
        ({"AUDIT_KEYS": GOOD["SECRET_KEY"]}, "Set AUDIT_KEYS"),
        ({"ALLOWED_HOSTS": ""}, "Set ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*"}, "Set ALLOWED_HOSTS"),
        ({"ANYMAIL_WEBHOOK_SECRET": "reports:short"}, "Set ANYMAIL_WEBHOOK_SECRET"),
        ({"MFA_REQUIRED_ROLES": "managers,pharmacist"}, "names no role: 'managers'"),
        ({"MFA_REQUIRED_ROLES": ""}, "leaves out manager and pharmacist"),
        ({"MFA_REQUIRED_ROLES": "manager,nurse"}, "leaves out pharmacist"),
        ({"MAIL_PROVIDER": "nobody"}, "MAIL_PROVIDER to one of"),
        ({"SITE_URL": ""}, "core.E002"),
        ({"SITE_URL": "http://localhost:8000"}, "core.E002"),
    ],
)
def test_settings_refuse_to_start_insecurely(changed, complaint):
    done = start(**{**GOOD, **changed})
    assert done.returncode != 0
    assert complaint in done.stderr


def test_nobody_else_may_look_into_the_folder_of_what_is_written(tmp_path):
    folder = tmp_path / "srv" / "var"
    before = os.umask(0o022)
    try:
        done = start(**GOOD, VAR_DIR=str(folder))
    finally:
        os.umask(before)
    assert (done.returncode, stat.S_IMODE(folder.stat().st_mode)) == (0, 0o700)


def test_every_setting_of_the_environment_is_told_to_whoever_runs_it():
    sources = [ROOT / "infusion_center" / "settings.py", *(ROOT / "infusion_center" / "conf").glob("*.py")]
    read = {
        name
        for path in sources
        for name in re.findall(r"""env(?:iron)?(?:\.\w+\(|\[)["']([A-Z_]+)["']""", path.read_text())
    }
    told = (ROOT / ".env.example").read_text() + (ROOT / "docs" / "operations.md").read_text()
    assert len(read) > 30
    assert read - set(re.findall(r"[A-Z][A-Z_]+", told)) == set()
