"""How gunicorn logs: as the application does (gunicorn --config python:infusion_center.gunicorn_conf).

Its own line for each request would hold addresses; ours, of core.request_log, holds routes.
"""

from infusion_center.conf.logs import LOGGING

accesslog = None
logconfig_dict = {
    **{part: LOGGING[part] for part in ("version", "disable_existing_loggers", "formatters", "filters", "handlers")},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"gunicorn.error": {"handlers": [], "level": LOGGING["root"]["level"], "propagate": True}},
}
