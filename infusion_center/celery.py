"""The Celery application. Feature folders are named here: autodiscovery looks for tasks only at app roots."""

import os

from celery import Celery
from celery.signals import task_postrun, task_prerun
from django_guid import clear_guid, set_guid

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infusion_center.settings")

app = Celery("infusion_center")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ["infusions.reminders.tasks", "infusions.scheduling.tasks"]


@task_prerun.connect
def begin_lines(task_id: str, **kwargs) -> None:
    """Lines of one run carry its id, as those of a request do."""
    set_guid(task_id)


@task_postrun.connect
def end_lines(**kwargs) -> None:
    clear_guid()
