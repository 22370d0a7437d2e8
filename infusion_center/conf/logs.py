"""Log lines: where they go, in which form, what is kept out of them; the id of each request; figures for a monitor."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from infusion_center.conf.base import DEBUG, env

LOG_FORMAT = env.str("LOG_FORMAT", "plain" if DEBUG else "json")
if LOG_FORMAT not in ("json", "plain"):
    raise ImproperlyConfigured("Set LOG_FORMAT to json or plain.")
LINES, FILTERS = "infusion_center.core.log_lines", "infusion_center.core.log_filters"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": f"{LINES}.JsonLines"}, "plain": {"()": f"{LINES}.PlainLines"}},
    "filters": {"seldom": {"()": f"{FILTERS}.Seldom"}, "has_error": {"()": f"{FILTERS}.HasError"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["seldom"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},  # and so no mail to anybody
        "django.request": {"filters": ["has_error"], "level": "ERROR"},
        "django_guid": {"level": "ERROR"},
    },
}
# Errors are looked up in the log by their request's id. Nobody is mailed what a page held.
ADMINS = MANAGERS = []
DJANGO_GUID = {"GUID_HEADER_NAME": "X-Request-ID", "EXPOSE_HEADER": False}

# Figures for a monitor: who asks for /metrics says this token. Without one the page does not exist.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
if METRICS_TOKEN and len(METRICS_TOKEN) < 24:
    raise ImproperlyConfigured("Set METRICS_TOKEN to 24 or more random characters.")
if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(folder).mkdir(parents=True, exist_ok=True)
