"""Plans of re-seating: asked for a proposed visit, carried by a page, looked at again when they are to be applied."""

from __future__ import annotations

import datetime as dt

from django.core.signing import BadSignature, Signer

from infusion_center.core import clock
from infusion_center.core.rules import Severity, blocker
from infusions.facility.models import Chair, Nurse
from infusions.scheduling.bitmaps import need_of
from infusions.scheduling.models import Appointment
from infusions.scheduling.reseating import Reseating, SeatChange, Wanted, reseat, reseat_as
from infusions.scheduling.rules import Proposal
from infusions.scheduling.seating import WANTED
from infusions.scheduling.seating_day import DayRows, read_days

# What the start of a visit may be refused for when another took its seat a moment ago.
SEAT_TAKEN = {"chair-taken", "chairs-taken", "nurse-hands-busy", "ratio-full", "nurse-busy"}
SALT = "infusions.scheduling.reseating"
PLAN_CHANGED = blocker(
    "plan-changed",
    "Somebody changed the day meanwhile: the plan that you were shown does not hold any more.",
    field="start",
    remedy="Nothing was changed. Look at the day as it is now and decide again.",
)
PLAN_OUTDATED = blocker(
    "plan-outdated",
    "The day was changed meanwhile: one of the chairs or nurses cannot be used for its visit any more.",
    remedy="Nothing was changed. Look at the new plan.",
)
UNDECIDED = blocker(
    "reseating-undecided",
    "Whether the start fits could not be found out in time.",
    field="start",
    remedy="Nothing was booked. Try again, or choose another start.",
)


def is_open_and_staffed(proposal: Proposal) -> bool:
    """The site is open, the patient free and somebody on shift: what stands against the place is who sits where."""
    fits = proposal.fits
    return bool(fits.open and fits.patient and fits.on_shift)


def wanted_visit(
    proposal: Proposal, *, chair: Chair | None = None, nurse: Nurse | None = None, moving: Appointment | None = None
) -> Wanted:
    return Wanted(
        start=proposal.start,
        need=need_of(proposal.site, proposal.setting, proposal.length.total),
        patient_id=proposal.order.patient_id,
        chair_kind=proposal.seen.chair_kind,
        chair_id=chair.pk if chair else None,
        nurse_id=nurse.pk if nurse else None,
        moving=moving.pk if moving else None,
    )


def read_for(proposal: Proposal, wanted: Wanted, *, now: dt.datetime) -> DayRows:
    day = clock.local_date(proposal.start, proposal.site.time_zone)
    leave_out = [wanted.moving] if wanted.moving else []
    days = read_days(site=proposal.site, days=[day], now=now, patient_id=wanted.patient_id, leave_out=leave_out)
    return days[day]


def reseating_for(
    proposal: Proposal,
    *,
    chair: Chair | None = None,
    nurse: Nurse | None = None,
    moving: Appointment | None = None,
    now: dt.datetime,
) -> Reseating | None:
    """How the proposed visit could be seated by changing others, where only its seat stands against it.

    None where it fits as it is, where something else stands against it too, or where there is no way. Raises Undecided.
    """
    others = [problem for problem in proposal.problems if problem not in proposal.about_place]
    forbidden = any(problem.severity == Severity.BLOCKER for problem in others)
    if proposal.seats or forbidden or not is_open_and_staffed(proposal):
        return None
    wanted = wanted_visit(proposal, chair=chair, nurse=nurse, moving=moving)
    return reseat(read_for(proposal, wanted, now=now), wanted)


def plan_key(reseating: Reseating) -> str:
    """The plan as its page carries it: signed, so that what is sent back is a plan that was shown."""
    changes = sorted(
        [change.appointment.pk, change.appointment.chair_id, change.appointment.nurse_id, *seat_of(change)]
        for change in reseating.visible
    )
    seat = [reseating.seat.chair_id, reseating.seat.nurse_id] if reseating.seat else None
    return Signer(salt=SALT).sign_object({"seat": seat, "changes": changes})


def seat_of(change: SeatChange) -> tuple[int | None, int]:
    return change.chair.pk if change.chair else None, change.nurse.pk


def plan_as_shown(rows: DayRows, wanted: Wanted, shown: str) -> Reseating | None:
    """The plan of that key, if it still holds on the day as it is now. Decides nothing anew: asked under locks."""
    try:
        told = Signer(salt=SALT).unsign_object(shown)
    except BadSignature:
        return None
    now_at = {visit.pk: (visit.chair_id, visit.nurse_id) for visit in rows.visits}
    if any(now_at.get(pk) != (chair, nurse) for pk, chair, nurse, *_ in told["changes"]) or not told["seat"]:
        return None
    seats = {pk: tuple(seat) for pk, _, _, *seat in told["changes"]} | {WANTED: tuple(told["seat"])}
    return reseat_as(rows, seats, wanted)
