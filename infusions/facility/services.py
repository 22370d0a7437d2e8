"""Writes about sites: their settings, hours, closures and who belongs to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from django.core.exceptions import ValidationError
from django.db import models, transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, codes, refuse_if_blocking
from infusions.facility import queries, rules
from infusions.facility.models import Closure, OpeningHours, Setting, Site, SiteMembership
from infusions.facility.public_holidays import public_holidays

Hours = Mapping[int, tuple[dt.time, dt.time] | None]
MOST_CLOSED_DAYS = 366


@transaction.atomic
def create_site(*, by, hours: Hours | None = None, **fields) -> Site:
    """A new site; whoever creates it belongs to it."""
    site = Site(**fields)
    refuse_if_blocking(rules.mail_word_problems(fields))
    refuse_invalid(site)
    site.save()
    OpeningHours.objects.bulk_create(_hours_rows(site, hours or {}))
    if by is not None:
        SiteMembership.objects.create(site=site, user=by)
    audit.record("site.created", site, by=by, site=site)
    return site


@transaction.atomic
def amend_site(*, site: Site, by, override_reason: str = "", **fields) -> Site:
    """Change settings. A new time zone moves the wall time of booked visits, so it needs a reason."""
    site.refresh_from_db(from_queryset=Site.objects.select_for_update())
    changed = sorted(name for name, value in fields.items() if getattr(site, name) != value)
    problems = rules.mail_word_problems({name: fields[name] for name in changed})
    if "time_zone" in changed:
        number = rules.overlapping(site.appointments, clock.now(), None)
        problems += rules.uncovered_problems(number, "would start at another time by the clock")
    refuse_if_blocking(problems, override_reason)
    for name in changed:
        setattr(site, name, fields[name])
    refuse_invalid(site)
    site.save()
    if changed:
        audit.record("site.amended", site, by=by, site=site, changed=changed, overridden=codes(problems))
    return site


@transaction.atomic
def set_opening_hours(*, site: Site, hours: Hours, by, override_reason: str = "") -> None:
    """Make `hours` (weekday 0-6 to opening and closing, or None) the site's week from now on."""
    for opens, closes in filter(None, hours.values()):
        if closes <= opens:
            raise RuleViolation([blocker("hours-backwards", "A day closes after it opens.")])
    before = {row.weekday: (row.opens, row.closes) for row in OpeningHours.objects.filter(site=site)}
    after = {weekday: span for weekday, span in hours.items() if span is not None}
    if before == after:
        return
    OpeningHours.objects.filter(site=site).delete()
    OpeningHours.objects.bulk_create(_hours_rows(site, after))
    problems = _outside_new_hours(site)
    refuse_if_blocking(problems, override_reason)
    weekdays = sorted(day for day in range(7) if before.get(day) != after.get(day))
    audit.record("site.hours_changed", site, by=by, site=site, weekdays=weekdays, overridden=codes(problems))


def _hours_rows(site: Site, hours: Hours) -> list[OpeningHours]:
    return [
        OpeningHours(site=site, weekday=weekday, opens=span[0], closes=span[1])
        for weekday, span in sorted(hours.items())
        if span is not None
    ]


def _outside_new_hours(site: Site) -> list:
    """Asked after the new hours are written, inside the transaction that a refusal takes back."""
    ahead = rules.booked(site.appointments).filter(start__gte=clock.now(), setting=Setting.FACILITY)
    visits = list(ahead.values_list("start", "end"))
    if not visits:
        return []
    first = clock.local_date(min(start for start, _ in visits), site.time_zone)
    last = clock.local_date(max(end for _, end in visits), site.time_zone)
    spans = {clock.local_date(span[0], site.time_zone): span for span in queries.open_spans(site, first, last)}
    closed = queries.closed_days(site, first, last)  # whoever closed those days was asked then
    number = 0
    for start, end in visits:
        day = clock.local_date(start, site.time_zone)
        number += day not in closed and rules.outside([spans[day]] if day in spans else [], [(start, end)])
    return rules.uncovered_problems(number, "would lie outside the new hours")


@transaction.atomic
def add_closure(
    *,
    site: Site,
    starts_on: dt.date,
    ends_on: dt.date,
    reason: str,
    by,
    is_holiday: bool = False,
    override_reason: str = "",
) -> Closure:
    """Close whole local days, first to last included."""
    if (ends_on - starts_on).days >= MOST_CLOSED_DAYS:
        raise RuleViolation([blocker("closure-too-long", "At most a year at a time.", field="ends_on")])
    closure = Closure(site=site, starts_on=starts_on, ends_on=ends_on, reason=reason.strip(), is_holiday=is_holiday)
    refuse_invalid(closure)
    start, end = clock.day_bounds(starts_on, site.time_zone)[0], clock.day_bounds(ends_on, site.time_zone)[1]
    number = rules.overlapping(site.appointments, max(start, clock.now()), end) if end > clock.now() else 0
    problems = rules.uncovered_problems(number, "would fall on a closed day")
    refuse_if_blocking(problems, override_reason)
    closure.save()
    audit.record(
        "closure.added", closure, by=by, site=site, days=(ends_on - starts_on).days + 1, overridden=codes(problems)
    )
    return closure


@transaction.atomic
def remove_closure(*, closure: Closure, by) -> None:
    audit.record("closure.removed", closure, by=by, site=closure.site)
    closure.delete()


def holidays_to_add(site: Site, year: int) -> list[tuple[dt.date, str]]:
    """Public holidays of the year on days that the site would be open. Unknown country or region: ValueError."""
    open_weekdays = set(OpeningHours.objects.filter(site=site).values_list("weekday", flat=True))
    closed = queries.closed_days(site, dt.date(year, 1, 1), dt.date(year, 12, 31))
    found = public_holidays(site.country, site.region, year)
    return [(day, name) for day, name in found if day.weekday() in open_weekdays and day not in closed]


@transaction.atomic
def add_public_holidays(
    *, site: Site, year: int, by, days: Collection[dt.date] | None = None, override_reason: str = ""
) -> list[Closure]:
    """Close the site on public holidays of the year, or on those in `days`; closed days are left as they are."""
    chosen = [(day, name) for day, name in holidays_to_add(site, year) if days is None or day in days]
    number = sum(
        rules.overlapping(site.appointments, *clock.day_bounds(day, site.time_zone))
        for day, _ in chosen
        if clock.day_bounds(day, site.time_zone)[1] > clock.now()
    )
    problems = rules.uncovered_problems(number, "would fall on a closed day")
    refuse_if_blocking(problems, override_reason)
    return [
        add_closure(
            site=site,
            starts_on=day,
            ends_on=day,
            reason=name,
            is_holiday=True,
            by=by,
            override_reason=override_reason,
        )
        for day, name in chosen
    ]


@transaction.atomic
def add_member(*, site: Site, user, by) -> SiteMembership:
    """The person works at, and from now on sees, the site. Adding somebody twice changes nothing."""
    membership, is_new = SiteMembership.objects.get_or_create(site=site, user=user)
    if is_new:
        audit.record("site.member_added", user, by=by, site=site)
    return membership


@transaction.atomic
def remove_member(*, site: Site, user, by) -> None:
    """The person no longer sees the site. Nurses with shifts ahead stay until these are removed."""
    if by is not None and by.pk == user.pk:
        raise RuleViolation([blocker("own-membership", "Another manager must remove you from the site.")])
    nurse = getattr(user, "nurse", None)
    if nurse is not None and nurse.shifts.filter(site=site, ends_at__gt=clock.now()).exists():
        message = f"{user} still has shifts at {site}."
        raise RuleViolation([blocker("member-has-shifts", message, remedy="Remove the shifts first.")])
    gone, _ = SiteMembership.objects.filter(site=site, user=user).delete()
    if gone:
        audit.record("site.member_removed", user, by=by, site=site)


def refuse_invalid(instance: models.Model) -> None:
    """What the columns and constraints refuse, as problems at their fields."""
    try:
        instance.full_clean()
    except ValidationError as invalid:
        raise RuleViolation(
            [
                blocker("invalid", message, field="" if field == "__all__" else field)
                for field, found in invalid.message_dict.items()
                for message in found
            ]
        ) from invalid
