"""What a monitor collects: requests by route, and figures of the database. No patient, no id, no name of a site."""

import logging
from collections import Counter

from django.conf import settings
from django.db import Error
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from infusion_center.accounts.access import anonymous_allowed
from infusion_center.accounts.models import OpenSession
from infusion_center.audit.sealing import waiting_count
from infusion_center.core import clock, metrics
from infusions.facility.models import Site
from infusions.reminders import heartbeat
from infusions.reminders.models import UNSETTLED, Reminder
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State

logger = logging.getLogger(__name__)


@anonymous_allowed(reason="a monitor cannot sign in; it says a token, and learns counts, nothing of patients")
@never_cache
@require_safe
def metrics_page(request):
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        raise Http404
    try:
        gauges = of_database(clock.now())
    except Error as error:  # InterfaceError too, of a connection that broke
        logger.warning("metrics: %s", error)
        gauges = {UP: {"": 0}}
    return HttpResponse(metrics.page(gauges), content_type=CONTENT_TYPE_LATEST)


UP = ("infusion_database_up", "Whether the database answered")


def of_database(now) -> dict:
    health = heartbeat.health(now)
    oldest, ages = health.oldest_due_at, {name: (now - at).total_seconds() for name, at in heartbeat.beats().items()}
    backup_age = ages.pop(heartbeat.BACKUP, None)
    return {
        UP: {"": 1},
        ("infusion_reminders_due_unsent", "Messages due and not sent"): {
            "": Reminder.objects.filter(state__in=UNSETTLED, due_at__lte=now).count()
        },
        ("infusion_reminders_oldest_due_seconds", "How long the oldest of them has been due"): {
            "": (now - oldest).total_seconds() if oldest else 0
        },
        ("infusion_heartbeat_age_seconds", "Since planner, sender and beat last did something"): ages,
        ("infusion_backup_age_seconds", "Since a backup was made and read back; nothing before the first one"): (
            {} if backup_age is None else {"": backup_age}
        ),
        ("infusion_appointments_today", "Visits of today, by the sites' clocks"): visits_today(now),
        ("infusion_audit_unsealed", "Events of the trail that are not in its chain yet"): {"": waiting_count()},
        ("infusion_sessions", "Sign-ins in force"): {"": OpenSession.objects.filter(expire_date__gt=now).count()},
    }


def visits_today(now) -> dict[str, int]:
    found = Counter(dict.fromkeys(State.values, 0))
    for zone in Site.objects.order_by().values_list("time_zone", flat=True).distinct():
        first, end = clock.day_bounds(clock.local_date(now, zone), zone)
        visits = Appointment.objects.filter(site__time_zone=zone, start__gte=first, start__lt=end)
        found.update(dict(visits.order_by().values_list("state").annotate(Count("pk"))))
    return dict(found)
