"""Figures for a monitor: for who says the token, by route and state, without anything of patients."""

import datetime as dt
import os
import subprocess
import sys

import pytest
from django.test import Client

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusions.reminders.heartbeat import BACKUP, PLANNER, note_beat
from infusions.reminders.models import ReminderState
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment

pytestmark = [pytest.mark.django_db, pytest.mark.once]
TOKEN = "a-token-of-the-monitor-012345"
NOON = dt.datetime(2026, 6, 1, 16, tzinfo=dt.UTC)


def ask(token=TOKEN):
    return Client().get("/metrics", headers={"Authorization": f"Bearer {token}"})


def figures(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.mark.parametrize(("known", "said"), [("", ""), ("", TOKEN), (TOKEN, ""), (TOKEN, TOKEN[:-1]), (TOKEN, "é")])
def test_without_the_token_there_is_no_such_page(settings, known, said):
    settings.METRICS_TOKEN = known
    assert ask(said).status_code == 404


def test_figures_of_the_database(settings, site, time_machine):
    settings.METRICS_TOKEN = TOKEN
    time_machine.move_to(NOON, tick=False)
    note_beat(PLANNER, now=NOON - dt.timedelta(seconds=30))
    note_beat(BACKUP, now=NOON - dt.timedelta(hours=9))
    visit = make_appointment(site=site, day=clock.local_date(NOON, site.time_zone))
    make_appointment(site=site, day=dt.date(2026, 6, 2))
    make_reminder(appointment=visit, state=ReminderState.OWED, due_at=NOON - dt.timedelta(minutes=5))
    audit.record("chart.opened", visit.patient, by=None, patient=visit.patient)
    response = ask()
    found = figures(response.content.decode())
    assert (response.status_code, response.headers["Content-Type"].startswith("text/plain")) == (200, True)
    shown = {name: value for name, value in found.items() if name.startswith("infusion_") and value}
    assert shown == {
        "infusion_database_up": 1,
        "infusion_reminders_due_unsent": 1,
        "infusion_reminders_oldest_due_seconds": 300,
        'infusion_heartbeat_age_seconds{of="planner"}': 30,
        "infusion_backup_age_seconds": 9 * 3600,
        f'infusion_appointments_today{{of="{visit.state}"}}': 1,
        "infusion_audit_unsealed": 1,
    }


def test_requests_are_counted_by_route_and_status(settings, client_for):
    settings.METRICS_TOKEN = TOKEN
    line = 'http_requests_total{method="GET",route="/patients/<slug:patient_id>/",status="404"}'
    before = figures(ask().content.decode()).get(line, 0)
    client_for("nurse").get("/patients/markerofapatient/")
    page = ask().content.decode()
    assert figures(page)[line] == before + 1
    assert "markerofapatient" not in page


ONE_PROCESS = """
from infusion_center.core import metrics
metrics.note_request("GET", "/patients/", 200, 0.2)
print(metrics.page({("asked", "about"): {"": 7}, ("each", "about"): {"a": 1}}).decode())
"""


def test_processes_of_a_web_server_count_together(tmp_path):
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    run = [sys.executable, "-c", ONE_PROCESS]
    pages = [subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    found = {name: value for name, value in figures(pages[1]).items() if "_bucket" not in name}
    assert found == {
        'http_requests_total{method="GET",route="/patients/",status="200"}': 2,
        'http_request_seconds_sum{route="/patients/"}': 0.4,
        'http_request_seconds_count{route="/patients/"}': 2,
        "asked": 7,
        'each{of="a"}': 1,
    }
