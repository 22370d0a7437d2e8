"""Jobs. The ledger in the database decides what is owed; Celery only wakes the planner and the sender."""

import datetime as dt

from celery.schedules import schedule

from infusion_center.conf.audit import AUDIT_SEAL_SECONDS
from infusion_center.conf.base import VAR_DIR, env

CELERY_BROKER_URL = env.str("REDIS_URL", f"redis://127.0.0.1:{env.str('BROKER_PORT', '6389')}/0")
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 45
CELERY_TASK_TIME_LIMIT = 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
# What runs when the broker goes away comes to its end: a sweep killed in between would leave a mail unrecorded.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # the broker may be away for a day; the worker waits
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
# Whether what the center decides about goes every day by itself, once kept long enough (retention.toml); else by
# manage.py apply_retention. What the program made for its own use, as uploaded sheets, goes in any case.
RETENTION_DAILY = env.bool("RETENTION_DAILY", False)
# How long a claimed reminder belongs to its sender: longer than the hard time limit of the task that claimed it.
REMINDER_LEASE_SECONDS = env.int("REMINDER_LEASE_SECONDS", 120)
# How many mails one receiving domain gets a minute, from all senders together; 0: no limit.
REMINDER_DOMAIN_PER_MINUTE = env.int("REMINDER_DOMAIN_PER_MINUTE", 300)
REMINDER_SCAN_SECONDS = env.int("REMINDER_SCAN_SECONDS", 30)
NOTE_BEAT_SECONDS = 60
FORGET_SECONDS = 60 * 60
TRIM_CLAIMS_SECONDS = 6 * 60 * 60
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
TASKS = "infusions.reminders.tasks"
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def every(seconds: int, task: str, *, expires: int = 0, **more) -> dict:
    return {"task": task, "schedule": schedule(seconds), "options": {"expires": expires or seconds}, **more}


# An expired wake-up is dropped: the next one does all that is due. That of the planner lasts longer, so that it is not
# always dropped while senders wake each other for a long backlog. The first beat wakes both.
CELERY_BEAT_SCHEDULE = {
    "plan-reminders": every(
        REMINDER_SCAN_SECONDS, f"{TASKS}.plan_reminders", expires=4 * REMINDER_SCAN_SECONDS, last_run_at=LONG_AGO
    ),
    "send-reminders": every(REMINDER_SCAN_SECONDS, f"{TASKS}.send_due_reminders", last_run_at=LONG_AGO),
    "seal-audit": every(AUDIT_SEAL_SECONDS, "infusion_center.audit.tasks.seal_events"),
    "check-audit": every(60, "infusion_center.audit.tasks.check_chain"),
    "note-beat": every(NOTE_BEAT_SECONDS, f"{TASKS}.note_beat", last_run_at=LONG_AGO),
    "forget-passing": every(FORGET_SECONDS, "infusions.retention_tasks.forget_passing", last_run_at=LONG_AGO),
    "trim-claims": every(TRIM_CLAIMS_SECONDS, "infusions.scheduling.tasks.trim_claims"),
}
if RETENTION_DAILY:
    CELERY_BEAT_SCHEDULE["apply-retention"] = every(24 * 60 * 60, "infusions.retention_tasks.apply_retention")
