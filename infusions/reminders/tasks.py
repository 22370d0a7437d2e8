"""Thin Celery tasks: they wake the planner and the sender; the table decides what is owed.

They take no arguments, so nothing about patients lies in the broker, and may run twice or at once in any number.
"""

from celery import shared_task

from infusions.reminders import services


@shared_task
def plan_reminders() -> None:
    services.plan_reminders()


@shared_task(bind=True)
def send_due_reminders(self) -> None:
    services.send_due(worker=f"{self.request.hostname}:{self.request.id}"[-60:])
