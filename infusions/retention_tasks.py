"""What retention erases by itself: hourly what is the program's own, daily the rest where RETENTION_DAILY is on.

Harmless to run twice or at once.
"""

from celery import shared_task

from infusions import retention


@shared_task
def apply_retention() -> None:
    retention.apply_retention()


@shared_task
def forget_passing() -> None:
    retention.forget_passing()
