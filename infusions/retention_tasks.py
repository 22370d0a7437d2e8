"""The daily task of retention, where RETENTION_DAILY is on; harmless to run twice or at once."""

from celery import shared_task

from infusions import retention


@shared_task
def apply_retention() -> None:
    retention.apply_retention()
