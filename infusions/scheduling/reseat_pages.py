"""What the page of a re-seating shows: the visit, who would change from where to where, and what stands against it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from infusion_center.accounts.roles import Permission, has_permission
from infusion_center.core.rules import Problem, Severity, sort_problems
from infusions.facility.models import Chair, Nurse, Site
from infusions.orders.models import InfusionOrder
from infusions.scheduling.models import Appointment
from infusions.scheduling.reseat_plans import UNDECIDED, plan_key, reseating_for
from infusions.scheduling.reseating import Reseating, SeatChange, Undecided
from infusions.scheduling.rules import Proposal, approvals, examine

ANONYMOUS = "Another patient"


@dataclass(frozen=True)
class Shown:
    """`plan` None: nothing would change, or there is no way; `fits` says which."""

    start: dt.datetime
    end: dt.datetime
    chair: Chair | None
    nurse: Nurse | None
    plan: Reseating | None
    key: str
    changes: list[ChangeLine]
    problems: list[Problem]
    fits: bool

    @property
    def needs_reason(self) -> bool:
        return any(problem.severity == Severity.APPROVAL for problem in self.problems)

    @property
    def can_be_done(self) -> bool:
        return self.plan is not None and not any(problem.severity == Severity.BLOCKER for problem in self.problems)


@dataclass(frozen=True)
class ChangeLine:
    """One visit that would change; `name` only for those who may know it."""

    name: str
    change: SeatChange

    @property
    def visit(self) -> Appointment:
        return self.change.appointment


def look_at(
    *,
    order: InfusionOrder,
    site: Site,
    setting: str,
    start: dt.datetime,
    reader,
    now: dt.datetime,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    moving: Appointment | None = None,
) -> Shown:
    proposal = examine(
        order=order, site=site, setting=setting, start=start, now=now, chair=chair, nurse=nurse, moving=moving
    )
    others = [problem for problem in proposal.problems if problem not in proposal.about_place]
    plan, found = None, approvals(others, reader)
    try:
        plan = reseating_for(proposal, chair=chair, nurse=nurse, moving=moving, now=now)
    except Undecided:
        found = [*found, UNDECIDED]
    if plan is None:
        found = [*found, *proposal.about_place]
    return Shown(
        start=start,
        end=proposal.end,
        chair=_chair_of(plan, proposal),
        nurse=_nurse_of(plan),
        plan=plan,
        key=plan_key(plan) if plan else "",
        changes=change_lines(plan.visible, reader) if plan else [],
        problems=sort_problems(found),
        fits=bool(proposal.seats),
    )


def change_lines(changes, reader) -> list[ChangeLine]:
    """In order of time. Everybody here belongs to the site; a role that may not know patients sees no names."""
    may_see = reader is not None and has_permission(reader, Permission.VIEW_PATIENT)
    ordered = sorted(changes, key=lambda change: (change.appointment.start, change.appointment.pk))
    return [ChangeLine(change.appointment.patient.name if may_see else ANONYMOUS, change) for change in ordered]


def _chair_of(plan: Reseating | None, proposal: Proposal) -> Chair | None:
    return proposal.seen.chairs.get(plan.seat.chair_id) if plan else None


def _nurse_of(plan: Reseating | None) -> Nurse | None:
    return Nurse.objects.select_related("user").get(pk=plan.seat.nurse_id) if plan else None
