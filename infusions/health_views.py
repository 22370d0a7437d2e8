"""What a monitor asks: does the process answer, is all there that it needs, do reminders go. No patient data."""

import logging

from django.db import Error
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import anonymous_allowed
from infusion_center.core import clock
from infusions.readiness import is_ready, readiness
from infusions.reminders import heartbeat

logger = logging.getLogger(__name__)
UNWELL = 503


@anonymous_allowed(reason="a monitor cannot sign in; it learns moments and codes, nothing of patients")
@never_cache
@require_safe
def health(request):
    """200 while reminders are worked on, 503 with the reasons otherwise."""
    now = clock.now()
    try:
        found = heartbeat.health(now)
    except Error:  # InterfaceError too, of a connection that broke
        logger.exception("health: the database does not answer")
        found = heartbeat.Health(reasons=("database",))
    waiting = found.oldest_due_at
    told = {
        "status": "unwell" if found.reasons else "ok",
        "reasons": list(found.reasons),
        "planner_beat_at": found.planner_at,
        "sender_beat_at": found.sender_at,
        "oldest_due_unsent_seconds": int((now - waiting).total_seconds()) if waiting else 0,
    }
    return JsonResponse(told, status=UNWELL if found.reasons else 200)


@anonymous_allowed(reason="a monitor cannot sign in; it learns that the process answers")
@never_cache
@require_safe
def health_live(request):
    """200 as long as requests are answered at all: asks nobody. For whoever restarts processes that hang."""
    return JsonResponse({"status": "alive"})


@anonymous_allowed(reason="a monitor cannot sign in; it learns codes, nothing of patients, names or addresses")
@never_cache
@require_safe
def health_ready(request):
    """200 when all is there, else 503, with a code for each part; within two seconds, whatever hangs."""
    found = readiness()
    ready = is_ready(found)
    return JsonResponse({"status": "ready" if ready else "unready", "checks": found}, status=200 if ready else UNWELL)
