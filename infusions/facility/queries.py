"""Reads about sites: which one is in use, when it is open, who works there and which chairs can be used.

Local days are resolved one by one in the zone of the site, so a day has 23, 24 or 25 hours as its clocks have it.
Each function costs a fixed number of queries, whatever the window.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from zoneinfo import ZoneInfo

from django.db.models import Exists, FilteredRelation, Max, Min, OuterRef, Prefetch, Q, QuerySet

from infusion_center.core import clock
from infusions.facility.models import Chair, ChairOutage, Closure, Nurse, OpeningHours, Shift, Site

SESSION_KEY = "site"
Span = tuple[dt.datetime, dt.datetime]


def current_site(request) -> Site | None:
    """The site that the person last chose, else the first of his sites; always one that he may see."""
    if not hasattr(request, "_current_site"):
        sites = list(Site.objects.visible_to(request.user))
        chosen = request.session.get(SESSION_KEY)
        request._current_site = next((s for s in sites if s.public_id == chosen), sites[0] if sites else None)
        request._visible_sites = sites
    return request._current_site


def tablet_lock_minutes(request) -> int:
    """After how many minutes a shared tablet at the site in use locks; the default where a person has no site."""
    site = current_site(request)
    return site.tablet_lock_minutes if site is not None else Site._meta.get_field("tablet_lock_minutes").default


def open_spans(site: Site, first_day: dt.date, last_day: dt.date) -> list[Span]:
    """When the site takes patients on the local days from first to last included, as instants; closures left out."""
    return open_spans_by_site([site], first_day, last_day)[site.pk]


def open_spans_by_site(sites: Collection[Site], first_day: dt.date, last_day: dt.date) -> dict[int, list[Span]]:
    """The same for each site's row number, every site by its own clock. One query: hours, beside each the closures."""
    hours: dict[int, dict[int, tuple[dt.time, dt.time]]] = defaultdict(dict)
    closed: dict[int, set[dt.date]] = defaultdict(set)
    during = Q(site__closures__starts_on__lte=last_day, site__closures__ends_on__gte=first_day)
    rows = OpeningHours.objects.filter(site__in=sites).annotate(
        closure=FilteredRelation("site__closures", condition=during)
    )
    columns = ("site_id", "weekday", "opens", "closes", "closure__starts_on", "closure__ends_on")
    for site_id, weekday, opens, closes, closed_from, closed_to in rows.order_by().values_list(*columns):
        hours[site_id][weekday] = opens, closes
        if closed_from is not None:
            closed[site_id].update(days_between(max(closed_from, first_day), min(closed_to, last_day)))
    days = days_between(first_day, last_day)
    return {
        site.pk: list(_spans((day for day in days if day not in closed[site.pk]), hours[site.pk], site.time_zone))
        for site in sites
    }


def _spans(days: Iterable[dt.date], hours: dict[int, tuple[dt.time, dt.time]], zone_name: str) -> Iterator[Span]:
    for day in days:
        if day.weekday() not in hours:
            continue
        opens, closes = hours[day.weekday()]
        start, end = wall_instant(day, opens, zone_name), wall_instant(day, closes, zone_name)
        if start < end:
            yield start, end


def wall_instant(day: dt.date, wall: dt.time, zone_name: str) -> dt.datetime:
    """The instant of a standing wall time; where clocks skip it, as long after the jump as it lay inside the gap.

    Standing hours must mean something on every day. What people type for one day goes through clock.from_local,
    which refuses such a time.
    """
    return dt.datetime.combine(day, wall, tzinfo=ZoneInfo(zone_name)).astimezone(dt.UTC)


def days_between(first_day: dt.date, last_day: dt.date) -> list[dt.date]:
    return [first_day + dt.timedelta(days=number) for number in range((last_day - first_day).days + 1)]


def closures_between(sites: Collection[Site], first_day: dt.date, last_day: dt.date) -> QuerySet[Closure]:
    return Closure.objects.filter(site__in=sites, starts_on__lte=last_day, ends_on__gte=first_day)


def closed_by(closure: Closure, first_day: dt.date, last_day: dt.date) -> list[dt.date]:
    """The days of the window that this closure closes."""
    return days_between(max(closure.starts_on, first_day), min(closure.ends_on, last_day))


def closed_days(site: Site, first_day: dt.date, last_day: dt.date) -> dict[dt.date, Closure]:
    """Each closed local day of the window, with a closure that closes it."""
    return {
        day: closure
        for closure in closures_between([site], first_day, last_day)
        for day in closed_by(closure, first_day, last_day)
    }


def shifts_between(site: Site, start: dt.datetime, end: dt.datetime, setting: str | None = None) -> list[Shift]:
    """Shifts that overlap [start, end) of nurses who still work here, earliest first, with nurse and user."""
    shifts = Shift.objects.filter(
        site=site, starts_at__lt=end, ends_at__gt=start, nurse__is_active=True, nurse__user__is_active=True
    )
    if setting is not None:
        shifts = shifts.filter(setting=setting)
    return list(shifts.select_related("nurse__user").order_by("starts_at", "nurse__user__full_name", "pk"))


def working_hours(nurse: Nurse, start: dt.datetime, end: dt.datetime) -> Span | None:
    """From the first to the last instant of the nurse's shifts, at any site, that begin in [start, end)."""
    shifts = Shift.objects.filter(nurse=nurse, starts_at__gte=start, starts_at__lt=end)
    found = shifts.aggregate(first=Min("starts_at"), last=Max("ends_at"))
    return (found["first"], found["last"]) if found["first"] else None


def chairs_in_service(site: Site, start: dt.datetime, end: dt.datetime) -> list[Chair]:
    """Chairs that can be used during the whole of [start, end), in the order of the board."""
    outages = overlapping_outages(start, end).filter(chair=OuterRef("pk"))
    return list(active_chairs(site).filter(~Exists(outages)))


def active_chairs(site: Site) -> QuerySet[Chair]:
    return Chair.objects.filter(site=site, is_active=True).order_by("position", "name")


def overlapping_outages(start: dt.datetime, end: dt.datetime) -> QuerySet[ChairOutage]:
    return ChairOutage.objects.filter(Q(ends_at=None) | Q(ends_at__gt=start), starts_at__lt=end)


def outages_between(site: Site, start: dt.datetime, end: dt.datetime) -> dict[int, list[Span]]:
    """For each chair's row number, when in [start, end) it is out of service; chairs without an outage are left out."""
    spans: dict[int, list[Span]] = defaultdict(list)
    for outage in overlapping_outages(start, end).filter(chair__site=site).order_by("starts_at"):
        spans[outage.chair_id].append((max(outage.starts_at, start), min(outage.ends_at or end, end)))
    return dict(spans)


def chairs_with_outages(site: Site, now: dt.datetime) -> list[Chair]:
    """All chairs of the site for its list; `current_outages` holds what is or will be out of service."""
    ahead = ChairOutage.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by("starts_at")
    return list(
        Chair.objects.filter(site=site)
        .prefetch_related(Prefetch("outages", queryset=ahead, to_attr="current_outages"))
        .order_by("-is_active", "position", "name")
    )


def nurses_of(site: Site) -> list[Nurse]:
    """Active nurses who belong to the site, by name."""
    return list(
        Nurse.objects.filter(is_active=True, user__is_active=True, user__site_memberships__site=site)
        .select_related("user")
        .order_by("user__full_name", "pk")
    )


def week_bounds(site: Site, monday: dt.date) -> Span:
    """First instant of the local week and of the next one."""
    return (
        clock.day_bounds(monday, site.time_zone)[0],
        clock.day_bounds(monday + dt.timedelta(days=6), site.time_zone)[1],
    )


def next_opening(site: Site, now: dt.datetime) -> dt.datetime | None:
    """Since when the site is open, or when it opens next; None where it does not within two weeks."""
    today = clock.local_date(now, site.time_zone)
    spans = open_spans(site, today, today + dt.timedelta(days=14))
    return next((start for start, end in spans if now < end), None)


def site_names() -> list[str]:
    return list(Site.objects.values_list("name", flat=True))
