"""The Celery application as its workers run it here: by the run's clock, and with a death before the claim in reach."""

import os

from celery import signals
from celery.app.task import Task
from django.db.models import Q

from infusion_center.celery import app as app
from tests.faults import breaks
from tests.faults.ground import CLOCK, DECK, FAULTS, die
from tests.faults.kinds import KILLED_BEFORE_CLAIM

SENDING = "infusions.reminders.tasks.send_due_reminders"
CLOCK.install()
held = {}


@signals.worker_init.connect
def break_on_purpose(**_) -> None:
    breaks.apply(os.environ.get("FAULTS_BREAK", ""))


@signals.task_prerun.connect
def before_task(task_id: str, task: Task, **_) -> None:
    held[task_id] = CLOCK.hold()
    if task.name == SENDING and is_anything_due() and DECK.draw({KILLED_BEFORE_CLAIM}, chance=0.4):
        FAULTS.write(kind=KILLED_BEFORE_CLAIM)
        die()


@signals.task_postrun.connect
def after_task(task_id: str, **_) -> None:
    if task_id in held:
        held.pop(task_id).close()


def is_anything_due() -> bool:
    from infusions.reminders.models import Reminder

    now = CLOCK.now()
    due = Q(state="owed", due_at__lte=now) | Q(state="claimed", lease_until__lte=now)
    return Reminder.objects.filter(due).exists()
