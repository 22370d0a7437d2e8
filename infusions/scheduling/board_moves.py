"""What it would mean to put a visit elsewhere: whether it fits, why not, what does, and what follows, in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

from infusion_center.core import clock
from infusion_center.core.rules import Problem, Severity, sort_problems
from infusions.facility.models import Chair, Nurse
from infusions.scheduling.models import Appointment
from infusions.scheduling.placing import wrong_state
from infusions.scheduling.queries import course_so_far
from infusions.scheduling.rules import Proposal, approvals, examine, interval_problems_on
from infusions.scheduling.slots import SlotOption, find_slots
from infusions.scheduling.states import MOVABLE, State
from infusions.scheduling.why_not import explain_start
from infusions.templatetags.infusion_tags import duration
from patients.models import Channel
from patients.queries import may_contact

NEAREST = 5


@dataclass(frozen=True)
class Preview:
    """A visit as it would be; where it does not fit, `means` is empty and the names are those that were wished."""

    visit: Appointment
    start: dt.datetime
    end: dt.datetime
    problems: list[Problem]
    chair: str
    nurse: str
    means: list[str]
    nearest: list[SlotOption]
    makes_room: int = 0  # how many others would have to change chair or nurse for it to fit; none where nothing helps
    wished: str = ""  # the start and the seat, as the page that makes room is asked for them

    @property
    def fits(self) -> bool:
        return all(problem.severity != Severity.BLOCKER for problem in self.problems)

    @property
    def needs_reason(self) -> bool:
        return self.fits and any(problem.severity == Severity.APPROVAL for problem in self.problems)

    @property
    def changes_nothing(self) -> bool:
        visit = self.visit
        seat = (visit.chair.name if visit.chair else "", visit.nurse.user.full_name)
        return self.fits and self.start == visit.start and (self.chair, self.nurse) == seat

    @property
    def words(self) -> str:
        """Said while the visit is moved about."""
        if not self.fits:
            return " ".join(problem.message for problem in self.problems if problem.severity == Severity.BLOCKER)
        if self.needs_reason:
            return "fits, with a reason"
        return "where it is" if self.changes_nothing else "fits"


def preview_move(
    *,
    visit: Appointment,
    start: dt.datetime,
    by,
    chair: Chair | None,
    nurse: Nurse | None,
    now: dt.datetime,
    brief: bool = False,
) -> Preview:
    """The same questions as moving asks; nothing is written. `brief`: while the visit is moved about, so without
    searching what would fit instead."""
    proposal = examine(
        order=visit.order,
        site=visit.site,
        setting=visit.setting,
        start=start,
        now=now,
        chair=chair,
        nurse=nurse,
        moving=visit,
    )
    problems, nearest, makes_room = sort_problems(approvals(proposal.problems, by)), [], 0
    blocked = any(problem.severity == Severity.BLOCKER for problem in problems)
    if visit.state not in MOVABLE:
        problems, blocked = [wrong_state(visit, "be moved")], True
    elif blocked and not brief:
        why = explain_start(
            order=visit.order,
            start=start,
            setting=visit.setting,
            site=visit.site,
            by=by,
            chair=chair,
            nurse=nurse,
            moving=visit,
            now=now,
        )
        problems = why.problems
        makes_room = len(why.reseating.visible) if why.reseating else 0
        nearest = sorted(why.nearest or same_day(visit, start, by, now), key=lambda option: option.start)
    seat = None if blocked else proposal.seats[0]
    chair_name, nurse_name = (chair.name if chair else ""), (nurse.user.full_name if nurse else "")
    if seat is not None:
        chair_name = proposal.seen.chairs[seat.chair_id].name if seat.chair_id else ""
        nurse_name = proposal.seen.nurses[seat.nurse_id].user.full_name
    return Preview(
        visit=visit,
        start=start,
        end=proposal.end,
        problems=problems,
        chair=chair_name,
        nurse=nurse_name,
        means=[] if blocked else moving_means(visit, proposal, chair_name, nurse_name),
        nearest=nearest,
        makes_room=makes_room,
        wished=urlencode({"start": start.isoformat(), **_ids(chair=chair, nurse=nurse)}),
    )


def _ids(**rows: Chair | Nurse | None) -> dict[str, str]:
    return {name: row.public_id for name, row in rows.items() if row is not None}


def same_day(visit: Appointment, start: dt.datetime, by, now: dt.datetime) -> list[SlotOption]:
    """Where no start nearby is as good as the interval wants: what fits on this day, if he may decide about the day.

    Judged by the visits before and after, as moving does: search counts from the patient's last booked visit.
    """
    day = clock.local_date(start, visit.site.time_zone)
    search = find_slots(
        visit.order, setting=visit.setting, site=visit.site, earliest=day, latest=day, limit=None, moving=visit, now=now
    )
    against = approvals(interval_problems_on(visit.order, course_so_far(visit.order, ignore=visit), day), by)
    if any(problem.severity == Severity.BLOCKER for problem in against):
        return []
    return sorted(search.options, key=lambda option: abs(option.start - start))[:NEAREST]


def moving_means(visit: Appointment, proposal: Proposal, chair: str, nurse: str) -> list[str]:
    """What will happen, and to whom."""
    name, moved = visit.patient.name, proposal.start != visit.start
    found = []
    if moved:
        was_sure = visit.state == State.CONFIRMED
        found.append(f"{name} confirmed the old time and must confirm again." if was_sure else f"{name} is to confirm.")
        by_mail = bool(visit.patient.email) and may_contact(visit.patient, Channel.EMAIL)
        phone = f": {visit.patient.phone}" if visit.patient.phone else ""
        found.append("The patient is told by mail." if by_mail else f"The patient gets no mail; please call{phone}.")
    else:
        found.append("The time stays, so the patient is told nothing.")
    if visit.chair and chair != visit.chair.name:
        found.append(f"The chair changes from {visit.chair.name} to {chair}.")
    if nurse != visit.nurse.user.full_name:
        found.append(f"The nurse changes from {visit.nurse.user.full_name} to {nurse}.")
    if proposal.length.total != visit.minutes:
        found.append(f"It takes {duration(proposal.length.total)} now instead of {duration(visit.minutes)}.")
    if moved and visit.series_id:
        found.append("The other visits of the series stay where they are.")
    return found
