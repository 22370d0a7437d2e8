"""Thin Celery tasks of the schedule; harmless to run twice or at once."""

from celery import shared_task

from infusions.scheduling import housekeeping


@shared_task
def trim_claims() -> None:
    housekeeping.trim_claims()
