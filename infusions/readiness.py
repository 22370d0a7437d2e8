"""Whether all that the application needs is there, as a code for each part. No names, no addresses, no patients."""

from __future__ import annotations

import datetime as dt
import shutil
from functools import cache
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from redis.backoff import NoBackoff
from redis.retry import Retry

from infusion_center.core import clock
from infusion_center.core.bounded import Bounded, answers
from infusions.reminders import heartbeat

OK = "ok"
BROKER_SECONDS = 1
ALL_SECONDS = 2  # for all parts together, whatever hangs
FREE_MB = 500
FREE_SHARE = 0.03
OF_WORKERS = ("never-started", "planner-silent", "sender-silent")
OF_MAIL = ("nothing-sent", "only-retries")


def readiness() -> dict[str, str]:
    return answers(QUESTIONS, ALL_SECONDS)


def of_database() -> dict[str, str]:
    """What only the database knows: also when worker and beat last did something."""
    now = clock.now()
    health, beat = heartbeat.health(now), heartbeat.last_beat(heartbeat.BEAT)
    return {
        "database": OK,
        "migrations": "not-applied" if unapplied_migrations() else OK,
        "worker": next((code for code in health.reasons if code in OF_WORKERS), OK),
        "beat": beat_code(beat.beat_at if beat else None, now),
        "reminders": next((code for code in health.reasons if code in OF_MAIL), OK),
    }


def beat_code(beat_at: dt.datetime | None, now: dt.datetime) -> str:
    """Who drives all by cron has no beat, and is told so by the worker's code when that stands still."""
    if beat_at is None:
        return "never-seen"
    return "silent" if beat_at < now - heartbeat.SILENT_AFTER else OK


def unapplied_migrations() -> set[tuple[str, str]]:
    return _shipped_migrations() - set(MigrationRecorder(connection).applied_migrations())


@cache
def _shipped_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations)


def of_broker() -> dict[str, str]:
    """One PING. Pages never do this: they work without a broker, however long it is away."""
    patience = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
    client = redis.Redis.from_url(settings.CELERY_BROKER_URL, retry=Retry(NoBackoff(), 0), **patience)
    try:
        client.ping()
    finally:
        client.close()
    return {"broker": OK}


def of_disk() -> dict[str, str]:
    """Room where the application keeps what it writes; the disk of a database server is its own affair."""
    folders = {settings.VAR_DIR}
    if connection.vendor == "sqlite":
        folders.add(Path(connection.settings_dict["NAME"]).parent)
    return {"disk": "full" if any(_is_full(folder) for folder in folders) else OK}


def _is_full(folder: Path) -> bool:
    usage = shutil.disk_usage(folder)
    return usage.free < FREE_MB * 1_000_000 or usage.free < FREE_SHARE * usage.total


UNKNOWN = dict.fromkeys(("migrations", "worker", "beat", "reminders"), "unknown")
QUESTIONS = {
    "database": Bounded(of_database, otherwise={"database": "away", **UNKNOWN}),
    "broker": Bounded(of_broker, otherwise={"broker": "away"}),
    "disk": Bounded(of_disk, otherwise={"disk": "unknown"}),
}
# A beat that was never seen is no fault: cron may do its work.
FINE = {OK, "never-seen"}


def is_ready(found: dict[str, str]) -> bool:
    return set(found.values()) <= FINE
