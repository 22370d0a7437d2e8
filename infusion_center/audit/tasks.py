"""Thin Celery tasks: seal what was written, check the chain a slice at a time. Safe to run twice or at once."""

from celery import shared_task

from infusion_center.audit import sealing, watching


@shared_task
def seal_events() -> None:
    sealing.seal_pending()


@shared_task
def check_chain() -> None:
    watching.check_slice()
