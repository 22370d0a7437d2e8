"""Explains a start: everything that stands against it, by name where the asker may know it, and what fits nearby."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity, sort_problems
from infusions.facility.models import Chair, Nurse, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from infusions.scheduling.reasons import Names, reasons
from infusions.scheduling.reseat_plans import UNDECIDED, reseating_for
from infusions.scheduling.reseating import Reseating, Undecided
from infusions.scheduling.rules import Proposal, approvals, examine
from infusions.scheduling.slots import SlotOption, find_slots
from patients.models import Patient

# How far around the start others are looked for.
DAYS_BEFORE, DAYS_AFTER = dt.timedelta(days=4), dt.timedelta(days=10)
NEAREST = 5


@dataclass(frozen=True)
class WhyNot:
    """`problems` gravest first, none where the start fits; `nearest` starts that do, the closest first."""

    start: dt.datetime
    end: dt.datetime
    problems: list[Problem] = field(default_factory=list)
    nearest: list[SlotOption] = field(default_factory=list)
    reseating: Reseating | None = None  # how it would fit if others change chair or nurse

    @property
    def is_blocked(self) -> bool:
        return any(problem.severity == Severity.BLOCKER for problem in self.problems)

    @property
    def needs_reason(self) -> bool:
        return any(problem.severity == Severity.APPROVAL for problem in self.problems)


def explain_start(
    *,
    order: InfusionOrder,
    start: dt.datetime,
    setting: str,
    site: Site,
    by,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    moving: Appointment | None = None,
    now: dt.datetime | None = None,
) -> WhyNot:
    """Judge a start as booking would, and say more. Reads only; booking asks everything again."""
    now = now or clock.now()
    proposal = examine(
        order=order, site=site, setting=setting, start=start, now=now, chair=chair, nurse=nurse, moving=moving
    )
    detailed = reasons(proposal.visit, proposal.fits, _names(proposal, by))
    others = [problem for problem in proposal.problems if problem not in proposal.about_place]
    problems = sort_problems(approvals([*others, *(detailed or proposal.about_place)], by))
    told = WhyNot(start, proposal.end, problems)
    if not told.is_blocked:
        return told
    nearest = _nearest(order, start, setting, site, moving, now)
    forbidden = any(problem.severity == Severity.BLOCKER for problem in approvals(others, by))
    # The days of a course are booked together, as they are.
    if forbidden or (order.days > 1 and moving is None):
        return WhyNot(start, proposal.end, problems, nearest)
    try:
        reseating = reseating_for(proposal, chair=chair, nurse=nurse, moving=moving, now=now)
    except Undecided:
        problems, reseating = [*problems, UNDECIDED], None
    return WhyNot(start, proposal.end, problems, nearest, reseating)


def _nearest(order, start, setting, site, moving, now) -> list[SlotOption]:
    """In the days around the start; where none of them will do, in the days in which the visit is due."""
    around = {
        "earliest": clock.local_date(max(start - DAYS_BEFORE, now), site.time_zone),
        "latest": clock.local_date(max(start, now) + DAYS_AFTER, site.time_zone),
    }
    wishes = {"setting": setting, "site": site, "limit": NEAREST, "moving": moving, "now": now, "near": start}
    return find_slots(order, **wishes, **around).options or find_slots(order, **wishes).options


def _names(proposal: Proposal, by) -> Names:
    """Names of the patients at the site around the visit; the patients' own visits without a name for whom may not."""
    site, seen = proposal.site, proposal.seen
    here = Appointment.objects.holding().filter(site=site).overlapping(seen.instant(0), seen.instant(seen.picture.size))
    may_see = by is not None and has_permission(by, Permission.VIEW_PATIENT)
    if not may_see or not Site.objects.visible_to(by).filter(pk=site.pk).exists():
        here = here.filter(patient_id=proposal.order.patient_id)
    rows = here.order_by().values_list("patient_id", "start", *(f"patient__{name}" for name in NAME_FIELDS))
    return {
        (patient_id, int(start.timestamp())): Patient(**dict(zip(NAME_FIELDS, parts, strict=True))).name
        for patient_id, start, *parts in rows
    }


NAME_FIELDS = ("given_name", "family_name", "chosen_name")
