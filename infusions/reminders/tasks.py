"""Thin Celery tasks: they wake the planner and the sender; the table decides what is owed.

They take no arguments, so nothing about patients lies in the broker, and may run twice or at once in any number.
"""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from infusion_center.core import clock
from infusions.reminders import heartbeat, queries, services

logger = logging.getLogger(__name__)

# A wake-up for whoever is free at this moment. When nobody is, it has no use: those who work wake others in their turn.
HELPER_SECONDS = 5


@shared_task
def plan_reminders() -> None:
    if services.plan_reminders()["left"]:
        _wake(plan_reminders)


@shared_task(bind=True)
def send_due_reminders(self) -> None:
    """A sweep; when more is due than it has time for, further sweeps follow at once, by whoever is free."""
    worker = f"{self.request.hostname}:{self.request.id}"[-60:]
    done = services.send_due(worker=worker, on_backlog=lambda: _wake(send_due_reminders))
    # A mail server that is away is left alone until beat wakes the next sweep.
    if not done["unavailable"] and queries.is_anything_due(clock.now()):
        _wake(send_due_reminders)


@shared_task
def note_beat() -> None:
    """Woken by nobody but beat: that it ran says that beat lives, while planner and sender also wake each other."""
    heartbeat.note_beat(heartbeat.BEAT, now=clock.now())


def _wake(task) -> None:
    """Not told, nothing is lost: beat wakes planner and sender anyway."""
    try:
        task.apply_async(expires=HELPER_SECONDS, retry=False)
    except (OperationalError, OSError) as trouble:
        logger.warning("could not wake another worker: %s", trouble)
