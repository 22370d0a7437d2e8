"""What a monitor asks: whether reminders are being planned and sent. No patient data, one statement."""

import logging

from django.db import DatabaseError
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from infusion_center.accounts.access import anonymous_allowed
from infusion_center.core import clock
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
    except DatabaseError:
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
