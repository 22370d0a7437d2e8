"""What the reminders page shows at a glance: what needs somebody, and how much went out on each day.

Both look at a stretch of days, however old the ledger is, and are remembered for a while for all desks of a site.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import Count
from django.db.models.functions import TruncDate

from infusion_center.core import clock
from infusions.facility.models import Site
from infusions.reminders.blocks import blocks_of_patients
from infusions.reminders.models import UNSETTLED, Reminder, ReminderState
from infusions.reminders.queries import came_back
from infusions.reminders.unreached import unreached_visits
from infusions.reminders.untold import untold_cancellations
from patients.models import Patient

LATELY = dt.timedelta(days=7)
DAYS_SHOWN = 14
NEEDS_SECONDS, VOLUME_SECONDS = 30, 300


@dataclass(frozen=True)
class Needs:
    """Counts: of the last seven days, of today, and of the next two weeks."""

    failed: int
    came_back: int
    blocked: int
    unreached: int

    @property
    def is_calm(self) -> bool:
        return not (self.failed or self.came_back or self.blocked or self.unreached)


@dataclass(frozen=True)
class DayVolume:
    day: dt.date
    sent: int = 0
    skipped: int = 0
    failed: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        return self.sent + self.skipped + self.failed + self.waiting


def needs_of(site: Site, now: dt.datetime) -> Needs:
    return cache.get_or_set(f"reminder-needs-{site.pk}", lambda: _count_needs(site, now), NEEDS_SECONDS)


def volume_of(site: Site, now: dt.datetime) -> list[DayVolume]:
    """Of each of the last fourteen days by the site's calendar, today last: the messages that were due, by state."""
    today = clock.local_date(now, site.time_zone)
    key = f"reminder-volume-{site.pk}-{today:%Y%m%d}"
    return cache.get_or_set(key, lambda: _count_volume(site, today), VOLUME_SECONDS)


def _count_needs(site: Site, now: dt.datetime) -> Needs:
    lately = Reminder.objects.of_sites([site]).filter(due_at__gte=now - LATELY, due_at__lte=now)
    return Needs(
        failed=lately.filter(state=ReminderState.FAILED).count(),
        came_back=lately.filter(came_back(), state=ReminderState.SENT).count(),
        blocked=blocks_of_patients(among=Patient.objects.filter(site_links__site=site)).count(),
        unreached=unreached_visits(site, now).count() + untold_cancellations(site, now).count(),
    )


def _count_volume(site: Site, today: dt.date) -> list[DayVolume]:
    days = [today - dt.timedelta(days=back) for back in reversed(range(DAYS_SHOWN))]
    first, _ = clock.day_bounds(days[0], site.time_zone)
    _, after = clock.day_bounds(today, site.time_zone)
    due = Reminder.objects.of_sites([site]).filter(due_at__gte=first, due_at__lt=after).order_by()
    due = due.annotate(due_on=TruncDate("due_at", tzinfo=ZoneInfo(site.time_zone)))
    found: dict[dt.date, dict[str, int]] = {day: {} for day in days}
    for day, state, number in due.values_list("due_on", "state").annotate(Count("pk")):
        word = "waiting" if state in UNSETTLED else state
        found[day][word] = found[day].get(word, 0) + number
    return [DayVolume(day, **counts) for day, counts in found.items()]
