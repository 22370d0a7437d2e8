from infusion_center.celery import app as celery_app

# Of the release: in every backup, so that whoever restores one knows which release wrote it.
VERSION = "2026.11"

__all__ = ["VERSION", "celery_app"]
