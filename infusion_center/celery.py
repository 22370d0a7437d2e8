"""The Celery application. Feature folders are named here: autodiscovery looks for tasks only at app roots."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infusion_center.settings")

app = Celery("infusion_center")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ["infusions.reminders.tasks", "infusions.scheduling.tasks", "infusions.retention_tasks"]
