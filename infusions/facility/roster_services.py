"""Writes about nurses and their shifts. Shifts are entered by the wall clock of the site and kept in UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, codes, refuse_if_blocking
from infusions.facility import queries, rules
from infusions.facility.models import Nurse, Setting, Shift, Site
from infusions.facility.queries import Span

WEEK = dt.timedelta(days=7)


@transaction.atomic
def add_nurse(*, user, by, visits_homes: bool = False) -> Nurse:
    """Make a member of staff somebody who may infuse. Whether he holds the nurse's role decides what he may open."""
    if Nurse.objects.filter(user=user).exists():
        raise RuleViolation([blocker("already-nurse", f"{user} is already a nurse here.", field="user")])
    nurse = Nurse.objects.create(user=user, visits_homes=visits_homes)
    audit.record("nurse.added", nurse, by=by, visits_homes=visits_homes)
    return nurse


@transaction.atomic
def amend_nurse(*, nurse: Nurse, visits_homes: bool, is_active: bool, by, override_reason: str = "") -> Nurse:
    """Somebody who stops infusing may leave booked visits behind, so that needs a reason."""
    problems = []
    if nurse.is_active and not is_active:
        number = rules.overlapping(nurse.appointments, clock.now(), None)
        problems = rules.uncovered_problems(number, "would be left without a nurse")
    elif nurse.visits_homes and not visits_homes:
        number = rules.overlapping(nurse.appointments.filter(setting=Setting.HOME), clock.now(), None)
        problems = rules.uncovered_problems(number, "at home would be left without a nurse")
    refuse_if_blocking(problems, override_reason)
    nurse.visits_homes, nurse.is_active = visits_homes, is_active
    nurse.save(update_fields=["visits_homes", "is_active"])
    audit.record(
        "nurse.amended", nurse, by=by, visits_homes=visits_homes, is_active=is_active, overridden=codes(problems)
    )
    return nurse


def wall_span(site: Site, day: dt.date, starts: dt.time, ends: dt.time) -> tuple[dt.datetime, dt.datetime]:
    """The instants of a shift by the site's clock; one that ends at or before its start ends the next day.

    Refuses a time that the clocks skip, at its field.
    """
    last_day = day if ends > starts else day + dt.timedelta(days=1)
    instants = []
    for field, on, wall in (("starts", day, starts), ("ends", last_day, ends)):
        try:
            instants.append(clock.from_local(on, wall, site.time_zone))
        except clock.NonexistentTime as gap:
            raise RuleViolation(
                [blocker("time-skipped", str(gap), field=field, remedy="Choose another time.")]
            ) from gap
    return instants[0], instants[1]


def add_shift(
    *,
    nurse: Nurse,
    site: Site,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    by,
    setting: str = Setting.FACILITY,
    ratio: int | None = None,
) -> Shift:
    """Hours of a nurse at a site, or on the road from it. On the road there is one patient at a time."""
    spans = [(starts_at, ends_at)]
    return _add_spans(nurse=nurse, site=site, spans=spans, setting=setting, ratio=ratio, by=by)[0]


def add_shifts(
    *,
    nurse: Nurse,
    site: Site,
    days: Iterable[dt.date],
    starts: dt.time,
    ends: dt.time,
    by,
    setting: str = Setting.FACILITY,
    ratio: int | None = None,
) -> list[Shift]:
    """The same hours on several days: all of them, or none when one is refused."""
    spans = [wall_span(site, day, starts, ends) for day in sorted(set(days))]
    return _add_spans(nurse=nurse, site=site, spans=spans, setting=setting, ratio=ratio, by=by) if spans else []


@transaction.atomic
def _add_spans(*, nurse: Nurse, site: Site, spans: list, setting: str, ratio: int | None, by) -> list[Shift]:
    list(Nurse.objects.select_for_update().filter(pk=nurse.pk))  # two rosters at once take turns
    ratio = 1 if setting == Setting.HOME else ratio or site.default_ratio
    is_member = nurse.user.site_memberships.filter(site=site).exists()
    around = Shift.objects.filter(nurse=nurse, starts_at__lt=max(spans)[1], ends_at__gt=min(spans)[0])
    others = list(around.select_related("site").order_by("starts_at"))
    added = []
    for starts_at, ends_at in spans:
        hours = {"nurse": nurse, "site": site, "setting": setting, "ratio": ratio}
        hours |= {"starts_at": starts_at, "ends_at": ends_at}
        refuse_if_blocking(rules.shift_problems(**hours, is_member=is_member, others=[*others, *added[-1:]]))
        added.append(Shift(**hours))
    Shift.objects.bulk_create(added)
    for shift in added:
        audit.record("shift.added", shift, by=by, site=site, nurse=nurse.public_id)
    return added


@transaction.atomic
def remove_shift(*, shift: Shift, by, override_reason: str = "", now: dt.datetime | None = None) -> None:
    """Take a shift off the roster. Visits booked in it would be without a nurse, so that needs a reason."""
    problems = removal_problems(shift, now=now or clock.now())
    refuse_if_blocking(problems, override_reason)
    audit.record(
        "shift.removed", shift, by=by, site=shift.site, nurse=shift.nurse.public_id, overridden=codes(problems)
    )
    shift.delete()


def removal_problems(shift: Shift, *, now: dt.datetime) -> list:
    if shift.ends_at <= now:
        return []
    visits = shift.nurse.appointments.filter(site=shift.site, setting=shift.setting)
    number = rules.overlapping(visits, max(shift.starts_at, now), shift.ends_at)
    return rules.uncovered_problems(number, "would be left without a nurse")


@transaction.atomic
def call_out(
    *, nurse: Nurse, starts_at: dt.datetime, ends_at: dt.datetime, reason: str, by, now: dt.datetime | None = None
) -> list[Span]:
    """A nurse cannot come in [starts_at, ends_at): take those hours off the roster, at whatever site they are.

    A shift that reaches beyond them is cut, on both sides if need be. Returns the hours that were taken off. Visits
    booked in them stay as they are: from now on they are uncovered. No reason is asked for that, since it is known.
    """
    now = now or clock.now()
    list(Nurse.objects.select_for_update().filter(pk=nurse.pk))  # not while somebody gives her a shift
    shifts = list(
        Shift.objects.filter(nurse=nurse, starts_at__lt=ends_at, ends_at__gt=starts_at)
        .select_related("site")
        .order_by("starts_at")
    )
    refuse_if_blocking(rules.call_out_problems(nurse, shifts, starts_at, ends_at, reason, now))
    return [_cut(shift, starts_at, ends_at, reason.strip()[:60], by) for shift in shifts]


def _cut(shift: Shift, starts_at: dt.datetime, ends_at: dt.datetime, reason: str, by) -> Span:
    before, after = shift.starts_at < starts_at, shift.ends_at > ends_at
    gone = max(shift.starts_at, starts_at), min(shift.ends_at, ends_at)
    audit.record(
        "shift.called_out",
        shift,
        by=by,
        site=shift.site,
        nurse=shift.nurse.public_id,
        hours=[f"{at:%Y-%m-%dT%H:%MZ}" for at in gone],
        reason=reason,
    )
    if not before and not after:
        shift.delete()
        return gone
    if before and after:
        Shift.objects.create(
            nurse=shift.nurse,
            site=shift.site,
            setting=shift.setting,
            ratio=shift.ratio,
            starts_at=ends_at,
            ends_at=shift.ends_at,
        )
    if before:
        shift.ends_at = starts_at
    else:
        shift.starts_at = ends_at
    shift.save(update_fields=["starts_at", "ends_at"])
    return gone


@transaction.atomic
def copy_week(*, site: Site, monday: dt.date, by) -> tuple[int, int]:
    """Repeat the shifts of the week before at the same wall times. Returns how many were added and left out.

    Left out is what no longer fits: another shift at that time, a nurse who left, a time that the clocks skip.
    """
    added = left_out = 0
    for shift in queries.shifts_between(site, *queries.week_bounds(site, monday - WEEK)):
        start, end = clock.to_local(shift.starts_at, site.time_zone), clock.to_local(shift.ends_at, site.time_zone)
        if not monday - WEEK <= start.date() < monday:
            continue  # began in the week before and only reaches into it
        try:
            add_shifts(
                nurse=shift.nurse,
                site=site,
                days=[start.date() + WEEK],
                starts=start.time(),
                ends=end.time(),
                setting=shift.setting,
                ratio=shift.ratio,
                by=by,
            )
            added += 1
        except RuleViolation:
            left_out += 1
    return added, left_out
