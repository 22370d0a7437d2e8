"""Day sheets: to each nurse, the evening before, how many visits she has, from when to when. No patient is named."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from django.db import transaction
from django.db.models import Min, QuerySet

from infusion_center.core import clock
from infusions.facility.models import Shift, Site
from infusions.reminders import rules
from infusions.reminders.about import DaySheet
from infusions.reminders.models import Reason, Reminder
from infusions.reminders.owing import ledger_row
from infusions.reminders.planning import planned_day_sheet
from infusions.scheduling.models import Appointment

# From the evening before to the last shift that begins on the day itself.
LOOK_AHEAD = dt.timedelta(hours=36)
# Shifts that began during an outage: the ledger tells that their sheets came too late.
LOOK_BACK = dt.timedelta(days=2)
# Row numbers of nurse and site, and the day by the site's calendar.
Key = tuple[int, int, dt.date]


def plan_day_sheets(now: dt.datetime) -> int:
    """Owe a sheet to each nurse with a shift tomorrow; how many messages were added to the ledger."""
    missing = _missing_sheets(now)
    return _owe(missing, now) if missing else 0


def reason_to_skip(reminder: Reminder, now: dt.datetime) -> Reason | None:
    sheet = reminder.about
    return rules.reason_to_skip_day_sheet(reminder, now, begins=shift_begins(sheet), booked=visits_of(sheet).count())


def shift_begins(sheet: DaySheet) -> dt.datetime | None:
    """When the nurse's first shift at the site begins that day; None once it was taken away."""
    first, following = clock.day_bounds(sheet.day, sheet.site.time_zone)
    shifts = Shift.objects.filter(nurse=sheet.nurse, site=sheet.site, starts_at__gte=first, starts_at__lt=following)
    return shifts.aggregate(begins=Min("starts_at"))["begins"]


def visits_of(sheet: DaySheet) -> QuerySet[Appointment]:
    first, following = clock.day_bounds(sheet.day, sheet.site.time_zone)
    visits = Appointment.objects.holding().filter(nurse=sheet.nurse, site=sheet.site)
    return visits.filter(start__gte=first, start__lt=following).order_by("start")


def _missing_sheets(now: dt.datetime) -> dict[Key, dt.datetime]:
    """When the first shift begins, of each nurse and day that has no row yet. Costs the shifts of these days."""
    shifts = Shift.objects.filter(
        site__sends_day_sheet=True,
        starts_at__gt=now - LOOK_BACK,
        starts_at__lte=now + LOOK_AHEAD,
        nurse__is_active=True,
        nurse__user__is_active=True,
    )
    begins: dict[Key, list[dt.datetime]] = defaultdict(list)
    columns = ("nurse_id", "site_id", "site__time_zone", "starts_at")
    for nurse_id, site_id, zone, starts_at in shifts.order_by().values_list(*columns):
        begins[nurse_id, site_id, clock.local_date(starts_at, zone)].append(starts_at)
    if not begins:
        return {}
    nurses, days = {nurse_id for nurse_id, _, _ in begins}, {day for _, _, day in begins}
    owed = Reminder.objects.filter(nurse__in=nurses, day__in=days)
    for key in owed.values_list("nurse_id", "day_site_id", "day"):
        begins.pop(key, None)
    return {key: min(starts) for key, starts in begins.items()}


@transaction.atomic
def _owe(missing: dict[Key, dt.datetime], now: dt.datetime) -> int:
    sites, rows = Site.objects.in_bulk({site_id for _, site_id, _ in missing}), []
    for (nurse_id, site_id, day), begins in sorted(missing.items()):
        site = sites[site_id]
        planned = planned_day_sheet(day=day, begins=begins, zone=site.time_zone, quiet=rules.quiet_hours(site), now=now)
        rows.append(ledger_row(planned, now, nurse_id=nurse_id, day=day, day_site=site))
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
