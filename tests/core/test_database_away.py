"""A whole process with settings as in production whose database cannot be reached: calm pages, no word of why."""

import json
import os
import subprocess
import sys

import pytest

from tests.core.test_settings import GOOD

pytestmark = pytest.mark.once
AWAY = {"DATABASE_URL": "postgres://center:secret-word@127.0.0.1:1/center"}
ASK = """
import django, json
from django.conf import settings
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
django.setup()
from django.test import Client
signed_in, monitor = (Client(raise_request_exception=False, headers={"host": "center.example"}) for _ in range(2))
signed_in.cookies["__Host-session"] = "abcdefgh"
pages = [signed_in.get(path, secure=True) for path in ("/", "/patients/")]
pages += [monitor.get(path, secure=True) for path in ("/accounts/login/", "/health/live", "/health/ready")]
print(json.dumps([[page.status_code, page.headers.get("Retry-After", ""), page.content.decode()] for page in pages]))
"""


@pytest.fixture(scope="module")
def answered():
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    more = {"DJANGO_SETTINGS_MODULE": "infusion_center.settings", "LOG_FORMAT": "json", "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, "-c", ASK], env={**kept, **GOOD, **AWAY, **more}, capture_output=True, text=True, check=True
    )


def test_pages_say_calmly_that_nothing_was_saved(answered):
    pages = json.loads(answered.stdout)
    assert [(status, retry) for status, retry, _ in pages[:2]] == [(503, "30")] * 2
    for _, _, text in pages[:2]:
        assert "This will be back in a moment" in text
        assert not any(word in text for word in ("secret-word", "Operational", "psycopg", "Traceback", "127.0.0.1"))


def test_monitors_learn_that_it_lives_and_is_not_ready(answered):
    alive, ready = json.loads(answered.stdout)[3:]
    assert (alive[0], ready[0], json.loads(ready[2])["checks"]["database"]) == (200, 503, "away")


def test_the_log_tells_kind_and_place_and_nothing_of_the_address(answered):
    lines = [json.loads(line) for line in answered.stderr.splitlines()]
    assert [line["status"] for line in lines if line["logger"] == "infusion_center.access"] == [503, 503, 200, 200, 503]
    faults = [line for line in lines if "error" in line]
    assert len(faults) == 1  # of all the same in one minute
    assert (faults[0]["error"].startswith("OperationalError"), faults[0]["at"] != []) == (True, True)
    assert "secret-word" not in answered.stderr + answered.stdout
