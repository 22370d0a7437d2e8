"""Writes about chairs: add, amend, sort, take out and put back, retire."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Max

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, codes, refuse_if_blocking
from infusions.facility import queries, rules
from infusions.facility.models import Chair, ChairKind, ChairOutage, Site
from infusions.facility.services import refuse_invalid

OUT = "would be left without this chair"


@transaction.atomic
def add_chair(*, site: Site, name: str, by, kind: str = ChairKind.RECLINER) -> Chair:
    """A new chair, last on the board."""
    last = Chair.objects.filter(site=site).aggregate(last=Max("position"))["last"]
    chair = Chair(site=site, name=name.strip(), kind=kind, position=0 if last is None else last + 1)
    refuse_invalid(chair)
    chair.save()
    audit.record("chair.added", chair, by=by, site=site)
    return chair


@transaction.atomic
def amend_chair(*, chair: Chair, name: str, kind: str, by) -> Chair:
    chair.name, chair.kind = name.strip(), kind
    refuse_invalid(chair)
    chair.save()
    audit.record("chair.amended", chair, by=by, site=chair.site)
    return chair


@transaction.atomic
def move_chair(*, chair: Chair, up: bool, by) -> None:
    """Swap places on the board with the active chair before or after; at the edge nothing happens."""
    chairs = list(Chair.objects.filter(site=chair.site).select_for_update().order_by("position", "name"))
    active = [one for one in chairs if one.is_active]
    at = next((number for number, one in enumerate(active) if one.pk == chair.pk), None)
    if at is None or not 0 <= at + (-1 if up else 1) < len(active):
        return
    other = active[at + (-1 if up else 1)]
    first, second = chairs.index(active[at]), chairs.index(other)
    chairs[first], chairs[second] = chairs[second], chairs[first]
    for position, one in enumerate(chairs):
        if one.position != position:
            Chair.objects.filter(pk=one.pk).update(position=position)
    chair.refresh_from_db(fields=["position"])
    audit.record("chair.moved", chair, by=by, site=chair.site)


@transaction.atomic
def retire_chair(*, chair: Chair, by, override_reason: str = "") -> Chair:
    """For good, as far as booking goes; past visits keep it."""
    number = rules.overlapping(chair.appointments, clock.now(), None)
    problems = rules.uncovered_problems(number, OUT)
    refuse_if_blocking(problems, override_reason)
    chair.is_active = False
    chair.save(update_fields=["is_active"])
    audit.record("chair.retired", chair, by=by, site=chair.site, overridden=codes(problems))
    return chair


@transaction.atomic
def reinstate_chair(*, chair: Chair, by) -> Chair:
    chair.is_active = True
    chair.save(update_fields=["is_active"])
    audit.record("chair.reinstated", chair, by=by, site=chair.site)
    return chair


@transaction.atomic
def take_chair_out(
    *,
    chair: Chair,
    starts_at: dt.datetime,
    reason: str,
    by,
    ends_at: dt.datetime | None = None,
    override_reason: str = "",
) -> ChairOutage:
    """Out of service from starts_at until ends_at, or until further notice."""
    if ends_at is not None and ends_at <= starts_at:
        raise RuleViolation([blocker("outage-backwards", "It ends before it starts.", field="ends")])
    list(Chair.objects.select_for_update().filter(pk=chair.pk))  # two people at once take turns
    if other := _overlapping_outage(chair, starts_at, ends_at):
        message = f"{chair} is already out of service then ({other.reason})."
        raise RuleViolation([blocker("outage-overlaps", message, field="starts")])
    outage = ChairOutage(chair=chair, starts_at=starts_at, ends_at=ends_at, reason=reason.strip())
    refuse_invalid(outage)
    now = clock.now()
    number = 0 if ends_at and ends_at <= now else rules.overlapping(chair.appointments, max(starts_at, now), ends_at)
    problems = rules.uncovered_problems(number, OUT)
    refuse_if_blocking(problems, override_reason)
    outage.save()
    audit.record("chair.taken_out", chair, by=by, site=chair.site, overridden=codes(problems))
    return outage


@transaction.atomic
def put_chair_back(*, outage: ChairOutage, by, now: dt.datetime | None = None) -> None:
    """In service again from now; an outage that has not begun never happens."""
    now = now or clock.now()
    if outage.ends_at is not None and outage.ends_at <= now:
        return
    if outage.starts_at >= now:
        outage.delete()
    else:
        outage.ends_at = now
        outage.save(update_fields=["ends_at"])
    audit.record("chair.put_back", outage.chair, by=by, site=outage.chair.site)


def _overlapping_outage(chair: Chair, starts_at: dt.datetime, ends_at: dt.datetime | None) -> ChairOutage | None:
    end = ends_at or dt.datetime.max.replace(tzinfo=dt.UTC)
    return queries.overlapping_outages(starts_at, end).filter(chair=chair).first()
