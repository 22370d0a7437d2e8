"""Applies a proposal for uncovered visits as it was shown: seats and new times in one transaction, or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from django.core.signing import BadSignature, Signer
from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker
from infusions.facility.models import Chair, Nurse, Site
from infusions.scheduling import meanwhile
from infusions.scheduling.booking import move_appointment
from infusions.scheduling.contention import tried_again
from infusions.scheduling.cover_plans import CoverPlan
from infusions.scheduling.models import Appointment
from infusions.scheduling.reseat_plans import PLAN_OUTDATED
from infusions.scheduling.reseat_services import apply_changes
from infusions.scheduling.reseating import SeatChange

SALT = "infusions.scheduling.cover"
NOTHING_CHOSEN = blocker("nothing-chosen", "Nothing is chosen.", remedy="Tick a visit, or pick a new time.")


@dataclass(frozen=True)
class Applied:
    reseated: list[Appointment]
    moved: list[Appointment]


def shown_plan(plan: CoverPlan) -> str:
    """The plan as its page carries it: signed, so that only what was shown can be sent back."""
    return Signer(salt=SALT).sign_object(
        {
            "days": [
                [[_line(change, asked=True) for change in day.seated], [_line(change) for change in day.others]]
                for day in plan.days
            ],
            "unseated": [[visit.pk, _mark(visit)] for visit in plan.unseated],
        }
    )


@tried_again
@transaction.atomic
def apply_cover(
    *,
    site: Site,
    shown: str,
    chosen: Collection[str],
    new_starts: Mapping[str, dt.datetime],
    by,
    reason: str = "",
    now: dt.datetime | None = None,
) -> Applied:
    """Re-seat the chosen visits of the plan `shown`, with everybody who changes for them, and move others.

    `chosen` and the keys of `new_starts` are public ids. Raises RuleViolation, and writes nothing, when any visit that
    it touches was changed since it was shown.
    """
    now = now or clock.now()
    told = _told(shown)
    visits = _visits(site, told)
    lines = [line for seated, others in told["days"] for line in _chosen_lines(seated, others, visits, chosen)]
    moving = [pk for pk, _ in told["unseated"] if visits[pk].public_id in new_starts]
    if not lines and not moving:
        raise RuleViolation([NOTHING_CHOSEN])
    _refuse_changed([*((line["pk"], line["mark"]) for line in lines), *told["unseated"]], visits, moving, lines)
    reseated = apply_changes(changes=_changes(lines, visits), by=by, reason=reason, now=now) if lines else []
    moved = []
    for pk in moving:
        visit = visits[pk]
        start = new_starts[visit.public_id]
        moved.append(move_appointment(appointment=visit, start=start, by=by, version=visit.version, now=now))
    asked = {line["pk"] for line in lines if line["asked"]}
    return Applied([visit for visit in reseated if visit.pk in asked], moved)


def _line(change: SeatChange, asked: bool = False) -> dict:
    visit = change.appointment
    chair = change.chair.pk if change.chair else None
    return {"pk": visit.pk, "mark": _mark(visit), "seat": [chair, change.nurse.pk, change.place], "asked": asked}


def _mark(visit: Appointment) -> list:
    """What must still be true of the visit when the plan is applied."""
    return [visit.version, int(visit.start.timestamp()), visit.chair_id, visit.nurse_id]


def _told(shown: str) -> dict:
    try:
        return Signer(salt=SALT).unsign_object(shown)
    except BadSignature:
        raise RuleViolation([PLAN_OUTDATED]) from None


def _visits(site: Site, told: dict) -> dict[int, Appointment]:
    pks = [line["pk"] for day in told["days"] for part in day for line in part] + [pk for pk, _ in told["unseated"]]
    visits = Appointment.objects.filter(site=site, pk__in=pks).with_people().select_related("order__patient")
    found = {visit.pk: visit for visit in visits}
    if found.keys() != set(pks):
        raise RuleViolation([PLAN_OUTDATED])
    return found


def _chosen_lines(seated: list, others: list, visits: Mapping[int, Appointment], chosen: Collection[str]) -> list:
    """Others change only for somebody chosen on their day. Where nobody was asked for, each stands for itself."""
    picked = [line for line in seated if visits[line["pk"]].public_id in chosen]
    if not seated:
        return [line for line in others if visits[line["pk"]].public_id in chosen]
    return picked + others if picked else []


def _refuse_changed(marks: list, visits: Mapping[int, Appointment], moving: list[int], lines: list) -> None:
    concerned = {*moving, *(line["pk"] for line in lines)}
    changed = [visits[pk] for pk, mark in marks if pk in concerned and _mark(visits[pk]) != mark]
    if changed:
        message = f"The day was changed meanwhile. {meanwhile.last_told_of(changed)}"
        raise RuleViolation([replace(PLAN_OUTDATED, message=message)])


def _changes(lines: list, visits: Mapping[int, Appointment]) -> list[SeatChange]:
    chairs = Chair.objects.in_bulk([line["seat"][0] for line in lines if line["seat"][0]])
    nurses = Nurse.objects.select_related("user").in_bulk([line["seat"][1] for line in lines])
    return [
        SeatChange(visits[line["pk"]], chairs.get(line["seat"][0]), nurses[line["seat"][1]], line["seat"][2])
        for line in lines
    ]
